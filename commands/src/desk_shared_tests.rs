//! Two desks on one journal: neither can be wrong for long, and none is wrong on record.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use async_trait::async_trait;
use domain::inventory::{Inventory, InventoryCommand};
use domain::warehouse::{Warehouse, WarehouseCommand, WarehouseDetails};
use domain::{OrderId, ProductId, Quantity, SkuId, WarehouseId};
use journal::{
    Fence, Journal, JournalError, JournalId, Leases, MemoryJournal, Position, Properties, Recorded,
    StreamId, Verdict, Version,
};
use uuid::Uuid;

use crate::{
    Bus, BusOptions, Caller, CommandError, NoSnapshots, SystemClock, SystemIds, stock_desk,
};

/// A shared journal that tells nobody of news: what a desk does not see by itself it must be told
/// by the verdict.
struct NoNews(MemoryJournal);

#[async_trait]
impl Journal for NoNews {
    fn id(&self) -> JournalId {
        self.0.id()
    }
    fn properties(&self) -> Properties {
        self.0.properties()
    }
    async fn append(&self, units: Vec<journal::Unit>) -> Result<Vec<Verdict>, JournalError> {
        self.0.append(units).await
    }
    async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        max: usize,
    ) -> Result<Vec<Recorded>, JournalError> {
        self.0.read_stream(stream, after, max).await
    }
    async fn stream_version(&self, stream: &StreamId) -> Result<Version, JournalError> {
        self.0.stream_version(stream).await
    }
    async fn read_all(&self, after: Position, max: usize) -> Result<Vec<Recorded>, JournalError> {
        self.0.read_all(after, max).await
    }
    async fn read_back(
        &self,
        before: Option<Position>,
        max: usize,
    ) -> Result<Vec<Recorded>, JournalError> {
        self.0.read_back(before, max).await
    }
    fn head(&self) -> Position {
        Position(0)
    }
    async fn wait_past(&self, position: Position) -> Result<Position, JournalError> {
        self.0.wait_past(position).await
    }
    fn leases(&self) -> Option<&dyn Leases> {
        self.0.leases()
    }
    async fn close(&self) -> Result<(), JournalError> {
        self.0.close().await
    }
}

fn bus_over(journal: &Arc<dyn Journal>, seed: u128) -> Bus {
    let ids = Arc::new(SystemIds::seeded(seed << 32));
    let options = BusOptions { snapshot_every_events: 8, ..BusOptions::default() };
    let (bus, desk) =
        Bus::new(Arc::clone(journal), Arc::new(NoSnapshots), Arc::new(SystemClock), ids, options);
    tokio::spawn(desk);
    bus
}

fn two_desks(journal: Arc<dyn Journal>) -> [Bus; 2] {
    [bus_over(&journal, 1), bus_over(&journal, 2)]
}

async fn sku_with_stock(bus: &Bus, units: u32) -> SkuId {
    let (sku_id, product_id): (SkuId, ProductId) = (bus.new_id(), bus.new_id());
    let warehouse_id: WarehouseId = bus.new_id();
    bus.run(&Caller::system(), move |unit| {
        let details = WarehouseDetails { name: "one".to_owned(), rank: 1 };
        unit.execute::<Warehouse>(
            &warehouse_id,
            &WarehouseCommand::Open { warehouse_id, details },
        )?;
        unit.execute::<Inventory>(&sku_id, &InventoryCommand::Open { sku_id, product_id })?;
        let quantity = Quantity::new(units).unwrap();
        let receive = InventoryCommand::Receive { warehouse_id, quantity, reference: None };
        unit.execute::<Inventory>(&sku_id, &receive)
    })
    .await
    .unwrap();
    sku_id
}

async fn hold_one(bus: &Bus, sku_id: SkuId, order_id: OrderId) -> Result<Position, CommandError> {
    let hold = move |unit: &mut crate::Unit<'_>| {
        stock_desk::hold_all(unit, order_id, &[(sku_id, 1)].into(), None)
    };
    bus.run(&Caller::system(), hold).await.map(|done| done.position)
}

async fn available(bus: &Bus, sku_id: SkuId) -> i64 {
    let now = bus.now();
    bus.read::<Inventory, _>(sku_id, move |state| state.available_total(now)).await.unwrap().value
}

#[tokio::test]
async fn a_refusal_rests_on_what_is_so_and_not_on_what_was() {
    let [one, other] = two_desks(Arc::new(NoNews(MemoryJournal::new().shared())));
    let sku_id = sku_with_stock(&one, 1).await;
    let order_id = one.new_id();
    hold_one(&one, sku_id, order_id).await.unwrap();
    let refused = hold_one(&other, sku_id, other.new_id()).await;
    assert!(matches!(refused, Err(CommandError::Refused(_))), "{refused:?}");
    one.run(&Caller::system(), move |unit| stock_desk::release_all(unit, order_id, &[sku_id]))
        .await
        .unwrap();
    // The other desk still has the sold-out state in memory.
    hold_one(&other, sku_id, other.new_id()).await.unwrap();
    assert_eq!(other.stats().conflicts.load(Relaxed), 1);
}

#[tokio::test]
async fn what_is_read_is_what_is_so() {
    let [one, other] = two_desks(Arc::new(NoNews(MemoryJournal::new().shared())));
    let sku_id = sku_with_stock(&one, 5).await;
    assert_eq!(available(&other, sku_id).await, 5);
    for left in (0..5).rev() {
        hold_one(&one, sku_id, one.new_id()).await.unwrap();
        assert_eq!(available(&other, sku_id).await, left);
    }
}

#[tokio::test]
async fn a_decision_on_a_stream_it_does_not_write_is_made_again_when_that_has_changed() {
    let [one, other] = two_desks(Arc::new(NoNews(MemoryJournal::new().shared())));
    let (sku_id, noted) = (sku_with_stock(&one, 5).await, sku_with_stock(&one, 1).await);
    assert_eq!(available(&other, sku_id).await, 5);
    hold_one(&one, sku_id, one.new_id()).await.unwrap();
    // Writes to one stream what it read in another.
    let now = other.now();
    let caller = Caller::system();
    let done = other.run(&caller, move |unit| {
        let left = unit.state::<Inventory>(&sku_id)?.available_total(now);
        stock_desk::hold_all(unit, OrderId::new(Uuid::from_u128(7)), &[(noted, 1)].into(), None)?;
        Ok(left)
    });
    assert_eq!(done.await.unwrap().value, 4);
}

#[tokio::test]
async fn of_two_hundred_buyers_at_two_desks_exactly_fifty_are_served() {
    for journal in [
        Arc::new(NoNews(MemoryJournal::new().shared())) as Arc<dyn Journal>,
        Arc::new(MemoryJournal::new().shared()),
    ] {
        let desks = two_desks(journal);
        let sku_id = sku_with_stock(&desks[0], 50).await;
        let buyers: Vec<_> = (0..200)
            .map(|n| {
                let desk = desks[n % 2].clone();
                tokio::spawn(async move { hold_one(&desk, sku_id, desk.new_id()).await })
            })
            .collect();
        let mut served = 0;
        for buyer in buyers {
            match buyer.await.unwrap() {
                Ok(_) => served += 1,
                Err(CommandError::Refused(refused)) => {
                    assert_eq!(refused.code, "insufficient_stock");
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(served, 50);
        assert_eq!(available(&desks[1], sku_id).await, 0);
    }
}

#[tokio::test]
async fn what_others_change_is_forgotten_as_the_log_tells_of_it() {
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new().shared());
    let [one, other] = two_desks(journal);
    let sku_id = sku_with_stock(&one, 40).await;
    for _ in 0..20 {
        hold_one(&one, sku_id, one.new_id()).await.unwrap();
        hold_one(&other, sku_id, other.new_id()).await.unwrap();
    }
    let conflicts = one.stats().conflicts.load(Relaxed) + other.stats().conflicts.load(Relaxed);
    assert_eq!(conflicts, 0, "each had seen the other's holds before it decided");
}

#[tokio::test]
async fn who_no_longer_leads_does_nothing() {
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new().shared());
    let leases = journal.leases().unwrap();
    let [one, other] = two_desks(Arc::clone(&journal));
    let sku_id = sku_with_stock(&one, 5).await;
    let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let ttl = Duration::from_secs(60);
    let lead = async |owner| {
        let epoch = leases.hold("agenda", owner, ttl).await.unwrap().unwrap();
        Caller::system().under(Some(Fence { lease: "agenda".into(), epoch }))
    };
    let hold = |order_id| {
        move |unit: &mut crate::Unit<'_>| {
            stock_desk::hold_all(unit, order_id, &[(sku_id, 1)].into(), None)
        }
    };
    let early = lead(first).await;
    one.run(&early, hold(one.new_id())).await.unwrap();
    leases.release("agenda", first).await.unwrap();
    let late = lead(second).await;
    let head = journal.head();
    let answer = one.run(&early, hold(one.new_id())).await;
    assert!(matches!(answer, Err(CommandError::Superseded)), "{answer:?}");
    assert_eq!(journal.head(), head);
    // Neither is a command of nobody's lease in the way of, nor does it rest on, what was refused.
    hold_one(&one, sku_id, one.new_id()).await.unwrap();
    other.run(&late, hold(other.new_id())).await.unwrap();
    assert_eq!(available(&one, sku_id).await, 2);
}
