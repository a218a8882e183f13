//! The desk as its callers see it, on a journal in memory.

use std::sync::Arc;

use domain::inventory::{Inventory, InventoryCommand};
use domain::warehouse::{Warehouse, WarehouseCommand, WarehouseDetails};
use domain::{OrderId, ProductId, Quantity, RejectionKind, SkuId, WarehouseId};
use journal::{Journal, MemoryJournal, Position};
use uuid::Uuid;

use crate::{
    Bus, BusOptions, Caller, CommandError, NoSnapshots, Refused, RequestKey, SystemClock,
    SystemIds, Unit, stock_desk,
};

fn bus_over(journal: Arc<MemoryJournal>) -> Bus {
    let (bus, desk) = Bus::new(
        journal,
        Arc::new(NoSnapshots),
        Arc::new(SystemClock),
        Arc::new(SystemIds::seeded(1)),
        BusOptions::default(),
    );
    tokio::spawn(desk);
    bus
}

async fn sku_with_stock(bus: &Bus, units: u32) -> SkuId {
    let (sku_id, product_id): (SkuId, ProductId) = (bus.new_id(), bus.new_id());
    let warehouse_id: WarehouseId = bus.new_id();
    bus.run(&Caller::system(), move |unit: &mut Unit<'_>| {
        let details = WarehouseDetails { name: "one".to_owned(), rank: 1 };
        unit.execute::<Warehouse>(
            &warehouse_id,
            &WarehouseCommand::Open { warehouse_id, details },
        )?;
        unit.execute::<Inventory>(&sku_id, &InventoryCommand::Open { sku_id, product_id })?;
        let quantity = Quantity::new(units).unwrap();
        let command = InventoryCommand::Receive { warehouse_id, quantity, reference: None };
        unit.execute::<Inventory>(&sku_id, &command)?;
        Ok(())
    })
    .await
    .unwrap();
    sku_id
}

async fn hold_one(bus: &Bus, sku_id: SkuId) -> Result<Position, CommandError> {
    let order_id: OrderId = bus.new_id();
    bus.run(&Caller::system(), move |unit| {
        stock_desk::hold_all(unit, order_id, &[(sku_id, 1)].into(), None)
    })
    .await
    .map(|done| done.position)
}

#[tokio::test]
async fn of_two_hundred_buyers_of_fifty_units_exactly_fifty_are_served() {
    let journal = Arc::new(MemoryJournal::new());
    let bus = bus_over(Arc::clone(&journal));
    let sku_id = sku_with_stock(&bus, 50).await;
    let buyers: Vec<_> = (0..200)
        .map(|_| {
            let bus = bus.clone();
            tokio::spawn(async move { hold_one(&bus, sku_id).await })
        })
        .collect();
    let mut served = 0;
    for buyer in buyers {
        match buyer.await.unwrap() {
            Ok(_) => served += 1,
            Err(CommandError::Refused(refused)) => {
                assert_eq!(refused.code, "insufficient_stock");
                assert_eq!(refused.kind, RejectionKind::Conflict);
                assert!(refused.details.contains_key("short"));
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(served, 50);
}

#[tokio::test]
async fn a_refused_unit_leaves_nothing_even_of_what_it_decided_before() {
    let journal = Arc::new(MemoryJournal::new());
    let bus = bus_over(Arc::clone(&journal));
    let sku_id = sku_with_stock(&bus, 5).await;
    let before = journal.head();
    let order_id: OrderId = bus.new_id();
    let refused = bus
        .run(&Caller::system(), move |unit| {
            stock_desk::hold_all(unit, order_id, &[(sku_id, 3)].into(), None)?;
            Err::<(), _>(Refused::new(RejectionKind::Conflict, "changed_my_mind", "no").into())
        })
        .await;
    assert!(matches!(refused, Err(CommandError::Refused(_))));
    assert_eq!(journal.head(), before);
    // All five are still there for somebody else.
    let order_id: OrderId = bus.new_id();
    bus.run(&Caller::system(), move |unit| {
        stock_desk::hold_all(unit, order_id, &[(sku_id, 5)].into(), None)
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer_also_from_another_bus_after_a_restart() {
    let journal = Arc::new(MemoryJournal::new());
    let bus = bus_over(Arc::clone(&journal));
    let sku_id = sku_with_stock(&bus, 10).await;
    let request = RequestKey::new("storefront:1", "key-1", &[b"POST", b"/holds", b"{}"]);
    let ask = |bus: Bus, request: RequestKey| async move {
        let order_id: OrderId = bus.new_id();
        bus.run(&Caller::system(), move |unit| {
            unit.once(Some(&request), |unit| {
                stock_desk::hold_all(unit, order_id, &[(sku_id, 1)].into(), None)?;
                Ok(order_id)
            })
        })
        .await
    };
    let (first, twin) =
        tokio::join!(ask(bus.clone(), request.clone()), ask(bus.clone(), request.clone()));
    let (first, twin) = (first.unwrap().value, twin.unwrap().value);
    assert!(!first.replayed && twin.replayed);
    assert_eq!(first.value, twin.value);

    let restarted = bus_over(Arc::clone(&journal));
    let again = ask(restarted.clone(), request.clone()).await.unwrap().value;
    assert!(again.replayed);
    assert_eq!(again.value, first.value);

    let other = RequestKey { digest: "another body".to_owned(), ..request };
    match ask(restarted, other).await {
        Err(CommandError::Refused(refused)) => assert_eq!(refused.code, "idempotency_key_reused"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn when_another_writer_was_first_the_command_is_decided_again() {
    let journal = Arc::new(MemoryJournal::new());
    let one = bus_over(Arc::clone(&journal));
    let sku_id = sku_with_stock(&one, 3).await;
    let other = bus_over(Arc::clone(&journal));
    // Both have the stream in memory; each append of one makes the other's state stale.
    hold_one(&one, sku_id).await.unwrap();
    hold_one(&other, sku_id).await.unwrap();
    hold_one(&one, sku_id).await.unwrap();
    assert!(matches!(hold_one(&other, sku_id).await, Err(CommandError::Refused(_))));
    assert!(one.stats().conflicts.load(std::sync::atomic::Ordering::Relaxed) > 0);
}

#[tokio::test]
async fn a_unit_sees_what_it_decided_before() {
    let bus = bus_over(Arc::new(MemoryJournal::new()));
    let sku_id = sku_with_stock(&bus, 7).await;
    let done = bus
        .run(&Caller::system(), move |unit| {
            let order_id = OrderId::new(Uuid::from_u128(9));
            stock_desk::hold_all(unit, order_id, &[(sku_id, 4)].into(), None)?;
            let now = unit.now();
            let available = unit.state::<Inventory>(&sku_id)?.available_total(now);
            stock_desk::release_all(unit, order_id, &[sku_id])?;
            let after = unit.state::<Inventory>(&sku_id)?.available_total(now);
            Ok((available, after, unit.version::<Inventory>(&sku_id)?))
        })
        .await
        .unwrap();
    assert_eq!(done.value, (3, 7, 4));
}
