//! The desk where something goes wrong: a decision that panics, a flood of unknown names, a journal
//! that was restored from a backup.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use domain::inventory::{Inventory, InventoryCommand};
use domain::{ProductId, Quantity, SkuId, WarehouseId};
use journal::{MemoryJournal, StreamId};
use uuid::Uuid;

use crate::{
    Bus, BusOptions, Caller, CommandError, NoSnapshots, Snapshot, SnapshotStore, SystemClock,
    SystemIds,
};

fn bus_with(snapshots: Arc<dyn SnapshotStore>, seed: u128, options: BusOptions) -> Bus {
    let (bus, desk) = Bus::new(
        Arc::new(MemoryJournal::new()),
        snapshots,
        Arc::new(SystemClock),
        Arc::new(SystemIds::seeded(seed)),
        options,
    );
    tokio::spawn(desk);
    bus
}

async fn receive(bus: &Bus, sku_id: SkuId, units: u32) {
    let command = InventoryCommand::Receive {
        warehouse_id: WarehouseId::new(Uuid::from_u128(7)),
        quantity: Quantity::new(units).unwrap(),
        reference: None,
    };
    bus.execute::<Inventory>(&Caller::system(), sku_id, command).await.unwrap();
}

async fn open(bus: &Bus, sku_id: SkuId) {
    let product_id = ProductId::new(Uuid::from_u128(8));
    let command = InventoryCommand::Open { sku_id, product_id };
    bus.execute::<Inventory>(&Caller::system(), sku_id, command).await.unwrap();
}

async fn on_hand(bus: &Bus, sku_id: SkuId) -> u32 {
    let look = |stock: &domain::inventory::InventoryState| {
        stock.warehouses.values().map(|at| at.on_hand).sum()
    };
    bus.read::<Inventory, u32>(sku_id, look).await.unwrap().value
}

#[tokio::test]
async fn a_decision_that_panics_fails_alone() {
    let bus = bus_with(Arc::new(NoSnapshots), 1, BusOptions::default());
    let sku_id: SkuId = bus.new_id();
    open(&bus, sku_id).await;
    receive(&bus, sku_id, 3).await;
    // Together, so that the one is decided while what the other decided is not durable yet.
    let caller = Caller::system();
    let more = bus.execute::<Inventory>(
        &caller,
        sku_id,
        InventoryCommand::Receive {
            warehouse_id: WarehouseId::new(Uuid::from_u128(7)),
            quantity: Quantity::ONE,
            reference: None,
        },
    );
    let panics = bus.run(&caller, move |unit| {
        unit.state::<Inventory>(&sku_id)?;
        if unit.now() > chrono::DateTime::UNIX_EPOCH {
            panic!("for the test");
        }
        Ok(())
    });
    let (more, panicked) = tokio::join!(more, panics);
    more.unwrap();
    assert!(matches!(panicked, Err(CommandError::Corrupt(_))), "{panicked:?}");
    receive(&bus, sku_id, 1).await;
    assert_eq!(on_hand(&bus, sku_id).await, 5);
}

#[tokio::test]
async fn names_that_do_not_exist_fill_no_memory() {
    let options = BusOptions { cached_aggregates_max: 4, ..BusOptions::default() };
    let bus = bus_with(Arc::new(NoSnapshots), 1, options);
    for _ in 0..50 {
        on_hand(&bus, bus.new_id()).await;
    }
    let cached = bus.stats().cached.load(Ordering::Relaxed);
    assert!((1..=4).contains(&cached), "{cached} aggregates are in memory");
}

/// Keeps all of one life, and none of another.
#[derive(Default)]
struct Kept {
    snapshots: Mutex<BTreeMap<StreamId, Snapshot>>,
    full: AtomicBool,
}

impl SnapshotStore for Kept {
    fn load(&self, stream: &StreamId) -> Option<Snapshot> {
        self.snapshots.lock().unwrap().get(stream).cloned()
    }
    fn save(&self, snapshot: Snapshot) {
        if !self.full.load(Ordering::Relaxed) {
            self.snapshots.lock().unwrap().insert(snapshot.stream.clone(), snapshot);
        }
    }
}

#[tokio::test]
async fn a_snapshot_of_events_that_a_restore_took_back_is_not_believed() {
    let snapshots = Arc::new(Kept::default());
    let options =
        BusOptions { snapshot_every_events: 4, cached_aggregates_max: 0, ..BusOptions::default() };
    let sku_id = SkuId::new(Uuid::from_u128(9));
    let lost = bus_with(Arc::clone(&snapshots) as _, 1, options.clone());
    open(&lost, sku_id).await;
    for _ in 0..5 {
        receive(&lost, sku_id, 100).await;
    }
    assert!(!snapshots.snapshots.lock().unwrap().is_empty());
    assert_eq!(on_hand(&lost, sku_id).await, 500, "its own snapshots are believed");

    // The same stream goes on from an earlier point, past the version of the snapshot.
    snapshots.full.store(true, Ordering::Relaxed);
    let restored = bus_with(Arc::clone(&snapshots) as _, 1 << 40, options);
    open(&restored, sku_id).await;
    for _ in 0..7 {
        receive(&restored, sku_id, 1).await;
    }
    assert_eq!(on_hand(&restored, sku_id).await, 7);
}
