//! Stock of every SKU at every warehouse, with what is promised to orders split into held (may
//! still end) and committed (the order is confirmed).
//!
//! An order's confirmation names no SKU. So each hold is a row, and saving a hold or an order's
//! firmness moves units between the two counters in SQL: whichever is saved first, `committed` is
//! the sum of the holds of firm orders. An event costs the same however many holds a SKU has.

mod ledger;
mod level;
mod query;

use crate::sql::Connection;
use domain::inventory::{Allocation, InventoryEvent, StockPolicy};
use domain::order::OrderEvent;
use domain::{CartId, OrderId, ProductId, SkuId, WarehouseId};
use schemas::AnyEvent;

use crate::id_column::stream_id;
use crate::{Envelope, Projector, StoreError};

pub use level::Level;
pub use query::{SkuStock, WarehouseStockView, by_sku, by_warehouse, shortages};

/// The model; see the module.
#[derive(Debug)]
pub struct Stock;

/// In this order rows are saved: counters exist before holds move them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StockKey {
    Level(SkuId, WarehouseId),
    Sku(SkuId),
    Soft(SkuId, CartId),
    Hold(OrderId, SkuId),
    /// Present while the order is firm.
    Firm(OrderId),
}

#[derive(Debug, Clone)]
pub struct StockRow(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Level(Level),
    Sku(Sku),
    Soft(Soft),
    Hold(Hold),
    Firm,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sku {
    product_id: Option<ProductId>,
    policy: StockPolicy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Soft {
    units: u32,
    expires_us: i64,
}

/// Units set aside for one order, by warehouse.
type Hold = Vec<(WarehouseId, u32)>;

impl Projector for Stock {
    type Key = StockKey;
    type Row = StockRow;

    const NAME: &'static str = "stock";
    const VERSION: u32 = 1;
    const CACHED_ROWS: usize = 100_000;

    fn follows(category: &str) -> bool {
        matches!(category, "inventory" | "order")
    }

    fn create_tables(connection: &Connection) -> Result<(), StoreError> {
        connection.execute_batch(
            "CREATE TABLE levels (
                 sku BLOB NOT NULL, warehouse BLOB NOT NULL,
                 on_hand INTEGER NOT NULL, reserved INTEGER NOT NULL,
                 committed INTEGER NOT NULL DEFAULT 0, unavailable INTEGER NOT NULL,
                 received INTEGER NOT NULL, returned INTEGER NOT NULL, shipped INTEGER NOT NULL,
                 written_off INTEGER NOT NULL,
                 PRIMARY KEY (sku, warehouse)) WITHOUT ROWID;
             CREATE INDEX levels_by_warehouse ON levels (warehouse, sku);
             CREATE INDEX shortages ON levels (sku, warehouse)
                 WHERE on_hand < reserved + unavailable;
             CREATE TABLE skus (
                 sku BLOB PRIMARY KEY, product BLOB, policy TEXT NOT NULL DEFAULT '{}',
                 soft INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
             CREATE TABLE soft_holds (
                 sku BLOB NOT NULL, cart BLOB NOT NULL, units INTEGER NOT NULL,
                 expires_us INTEGER NOT NULL, PRIMARY KEY (sku, cart)) WITHOUT ROWID;
             CREATE INDEX soft_holds_by_expiry ON soft_holds (sku, expires_us, units);
             CREATE TABLE holds (
                 order_id BLOB NOT NULL, sku BLOB NOT NULL, warehouse BLOB NOT NULL,
                 units INTEGER NOT NULL, PRIMARY KEY (order_id, sku, warehouse)) WITHOUT ROWID;
             CREATE TABLE firm_orders (order_id BLOB PRIMARY KEY) WITHOUT ROWID;",
        )?;
        Ok(())
    }

    fn keys(event: &Envelope, keys: &mut Vec<StockKey>) {
        match &event.event {
            AnyEvent::Inventory(inventory) => {
                if let Some(sku) = stream_id(event) {
                    inventory_keys(sku, inventory, keys);
                }
            }
            AnyEvent::Order(
                OrderEvent::Confirmed(_)
                | OrderEvent::Shipped(_)
                | OrderEvent::Cancelled(_)
                | OrderEvent::Failed(_),
            ) => keys.extend(stream_id(event).map(StockKey::Firm)),
            _ => {}
        }
    }

    fn fold(key: &StockKey, row: Option<StockRow>, event: &Envelope) -> Option<StockRow> {
        match &event.event {
            AnyEvent::Inventory(inventory) => fold_inventory(key, row, inventory),
            AnyEvent::Order(OrderEvent::Confirmed(_)) => Some(StockRow(Kind::Firm)),
            AnyEvent::Order(_) => None,
            _ => row,
        }
    }

    fn load(connection: &Connection, key: &StockKey) -> Result<Option<StockRow>, StoreError> {
        Ok(ledger::load(connection, key)?.map(StockRow))
    }

    fn ask_before_save(connection: &Connection, key: &StockKey) -> Result<(), StoreError> {
        ledger::ask_before_save(connection, key)
    }

    fn save(
        connection: &Connection,
        key: &StockKey,
        before: Option<&StockRow>,
        after: Option<&StockRow>,
    ) -> Result<(), StoreError> {
        ledger::save(connection, key, before.map(|row| &row.0), after.map(|row| &row.0))
    }
}

fn inventory_keys(sku: SkuId, event: &InventoryEvent, keys: &mut Vec<StockKey>) {
    match event {
        InventoryEvent::Opened { .. } | InventoryEvent::PolicyChanged { .. } => {
            keys.push(StockKey::Sku(sku));
        }
        InventoryEvent::Received { warehouse_id, .. }
        | InventoryEvent::Counted { warehouse_id, .. }
        | InventoryEvent::WrittenOff { warehouse_id, .. }
        | InventoryEvent::UnavailableSet { warehouse_id, .. }
        | InventoryEvent::Returned { warehouse_id, .. } => {
            keys.push(StockKey::Level(sku, *warehouse_id));
        }
        InventoryEvent::Held { order_id, allocations }
        | InventoryEvent::Released { order_id, allocations }
        | InventoryEvent::Shipped { order_id, allocations, .. } => {
            for allocation in allocations {
                let level = StockKey::Level(sku, allocation.warehouse_id);
                if !keys.contains(&level) {
                    keys.push(level);
                }
            }
            keys.push(StockKey::Hold(*order_id, sku));
        }
        InventoryEvent::SoftHeld { cart_id, .. } | InventoryEvent::SoftReleased { cart_id } => {
            keys.push(StockKey::Soft(sku, *cart_id));
        }
    }
}

fn fold_inventory(
    key: &StockKey,
    row: Option<StockRow>,
    event: &InventoryEvent,
) -> Option<StockRow> {
    let kind = row.map(|row| row.0);
    let kind = match key {
        StockKey::Level(_, warehouse) => {
            let mut level = match kind {
                Some(Kind::Level(level)) => level,
                _ => Level::default(),
            };
            level.apply(event, *warehouse);
            Some(Kind::Level(level))
        }
        StockKey::Sku(_) => {
            let mut sku = match kind {
                Some(Kind::Sku(sku)) => sku,
                _ => Sku::default(),
            };
            match event {
                InventoryEvent::Opened { product_id, .. } => sku.product_id = Some(*product_id),
                InventoryEvent::PolicyChanged { policy } => sku.policy = *policy,
                _ => {}
            }
            Some(Kind::Sku(sku))
        }
        StockKey::Soft(..) => match event {
            InventoryEvent::SoftHeld { quantity, expires_at, .. } => Some(Kind::Soft(Soft {
                units: quantity.get(),
                expires_us: expires_at.timestamp_micros(),
            })),
            _ => None,
        },
        StockKey::Hold(..) => {
            let mut hold = match kind {
                Some(Kind::Hold(hold)) => hold,
                _ => Hold::new(),
            };
            match event {
                InventoryEvent::Held { allocations, .. } => start(&mut hold, allocations),
                InventoryEvent::Released { allocations, .. }
                | InventoryEvent::Shipped { allocations, .. } => end(&mut hold, allocations),
                _ => {}
            }
            (!hold.is_empty()).then_some(Kind::Hold(hold))
        }
        StockKey::Firm(_) => kind,
    };
    kind.map(StockRow)
}

fn start(hold: &mut Hold, allocations: &[Allocation]) {
    for allocation in allocations {
        let units = allocation.quantity.get();
        match hold.iter_mut().find(|(warehouse, _)| *warehouse == allocation.warehouse_id) {
            Some((_, held)) => *held = held.saturating_add(units),
            None => hold.push((allocation.warehouse_id, units)),
        }
    }
}

fn end(hold: &mut Hold, allocations: &[Allocation]) {
    for allocation in allocations {
        if let Some((_, held)) =
            hold.iter_mut().find(|(warehouse, _)| *warehouse == allocation.warehouse_id)
        {
            *held = held.saturating_sub(allocation.quantity.get());
        }
    }
    hold.retain(|(_, held)| *held > 0);
}

#[cfg(test)]
mod tests;
