//! Units of each SKU at each warehouse, as far as a shopper cares: are there any?

use crate::sql::{Connection, OptionalExtension, params};
use domain::inventory::InventoryEvent;
use domain::{SkuId, WarehouseId};

use super::changes::mark;
use crate::StoreError;

pub(super) const TABLES: &str = "
    CREATE TABLE stock (
        sku_id BLOB NOT NULL, warehouse_id BLOB NOT NULL, on_hand INTEGER NOT NULL,
        held INTEGER NOT NULL, unavailable INTEGER NOT NULL, available INTEGER NOT NULL,
        PRIMARY KEY (sku_id, warehouse_id)) WITHOUT ROWID;
    CREATE TABLE closed_warehouse (warehouse_id BLOB PRIMARY KEY) WITHOUT ROWID;";

/// Whether the product of the outer statement has a SKU on sale with units at a warehouse that
/// takes part in new orders.
macro_rules! in_stock_now {
    () => {
        "CASE WHEN EXISTS (SELECT 1 FROM sku JOIN stock USING (sku_id)
          WHERE sku.number = product.number AND sku.withdrawn = 0 AND stock.available > 0
            AND stock.warehouse_id NOT IN (SELECT warehouse_id FROM closed_warehouse))
          THEN 1 ELSE 0 END"
    };
}

/// Works out anew whether products with numbers `IN $numbers` are in stock, and marks them: also
/// those that are as before, since they may have been otherwise in the middle of the batch, where
/// another copy of these rows had its checkpoint.
macro_rules! turn {
    ($connection:expr, $numbers:literal, $params:expr) => {
        $connection
            .prepare_cached(mark!(concat!("product.number IN ", $numbers)))?
            .execute($params)?;
        $connection
            .prepare_cached(concat!(
                "UPDATE product SET in_stock = ",
                in_stock_now!(),
                " WHERE number IN ",
                $numbers
            ))?
            .execute($params)?;
    };
}

/// Units; wide enough for any sum of 32-bit counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct StockRow {
    on_hand: i64,
    held: i64,
    unavailable: i64,
    /// How often units came or ran out since the row was loaded; not stored.
    turns: u64,
}

impl StockRow {
    /// Units that can be promised. A warehouse that is short owes its own orders and does not
    /// bind the others, so this is never below zero.
    pub(super) fn available(self) -> i64 {
        (self.on_hand - self.held - self.unavailable).max(0)
    }

    pub(super) fn after(mut self, warehouse: WarehouseId, event: &InventoryEvent) -> Self {
        let had_units = self.available() > 0;
        let units = |allocations: &[domain::inventory::Allocation]| {
            allocations
                .iter()
                .filter(|allocation| allocation.warehouse_id == warehouse)
                .map(|allocation| i64::from(allocation.quantity.get()))
                .sum::<i64>()
        };
        match event {
            InventoryEvent::Received { quantity, .. } => self.on_hand += i64::from(quantity.get()),
            InventoryEvent::Counted { on_hand, .. } => self.on_hand = i64::from(*on_hand),
            InventoryEvent::WrittenOff { quantity, .. } => {
                self.on_hand -= i64::from(quantity.get());
            }
            InventoryEvent::UnavailableSet { unavailable, .. } => {
                self.unavailable = i64::from(*unavailable);
            }
            InventoryEvent::Held { allocations, .. } => self.held += units(allocations),
            InventoryEvent::Released { allocations, .. } => self.held -= units(allocations),
            InventoryEvent::Shipped { allocations, .. } => {
                self.held -= units(allocations);
                self.on_hand -= units(allocations);
            }
            // What was scrapped never gets to be on hand.
            InventoryEvent::Returned { resellable, .. } => self.on_hand += i64::from(*resellable),
            InventoryEvent::Opened { .. }
            | InventoryEvent::PolicyChanged { .. }
            | InventoryEvent::SoftHeld { .. }
            | InventoryEvent::SoftReleased { .. } => {}
        }
        self.turns += u64::from(had_units != (self.available() > 0));
        self
    }
}

/// Calls `touched` with each warehouse whose counters an event changes; perhaps with one twice.
pub(super) fn each_warehouse(event: &InventoryEvent, mut touched: impl FnMut(WarehouseId)) {
    match event {
        InventoryEvent::Received { warehouse_id, .. }
        | InventoryEvent::Counted { warehouse_id, .. }
        | InventoryEvent::WrittenOff { warehouse_id, .. }
        | InventoryEvent::UnavailableSet { warehouse_id, .. }
        | InventoryEvent::Returned { warehouse_id, .. } => touched(*warehouse_id),
        InventoryEvent::Held { allocations, .. }
        | InventoryEvent::Released { allocations, .. }
        | InventoryEvent::Shipped { allocations, .. } => {
            for allocation in allocations {
                touched(allocation.warehouse_id);
            }
        }
        InventoryEvent::Opened { .. }
        | InventoryEvent::PolicyChanged { .. }
        | InventoryEvent::SoftHeld { .. }
        | InventoryEvent::SoftReleased { .. } => {}
    }
}

pub(super) fn load(
    connection: &Connection,
    sku: SkuId,
    warehouse: WarehouseId,
) -> Result<Option<StockRow>, StoreError> {
    connection
        .prepare_cached(
            "SELECT on_hand, held, unavailable FROM stock
             WHERE sku_id = ?1 AND warehouse_id = ?2",
        )?
        .query_row([sku.uuid().into_bytes(), warehouse.uuid().into_bytes()], |row| {
            Ok(StockRow {
                on_hand: row.get(0)?,
                held: row.get(1)?,
                unavailable: row.get(2)?,
                turns: 0,
            })
        })
        .optional()
}

pub(super) fn save(
    connection: &Connection,
    sku: SkuId,
    warehouse: WarehouseId,
    before: StockRow,
    after: StockRow,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO stock VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT
             (sku_id, warehouse_id) DO UPDATE SET on_hand = ?3, held = ?4, unavailable = ?5, available = ?6",
        )?
        .execute(params![
            sku.uuid().into_bytes(),
            warehouse.uuid().into_bytes(),
            after.on_hand,
            after.held,
            after.unavailable,
            after.available()
        ])?;
    if before.turns != after.turns {
        let id = sku.uuid().into_bytes();
        turn!(connection, "(SELECT number FROM sku WHERE sku_id = ?1)", [id]);
    }
    Ok(())
}

/// Works out anew whether the product with this number is in stock.
pub(super) fn refresh_product(connection: &Connection, number: i64) -> Result<(), StoreError> {
    turn!(connection, "(?1)", [number]);
    Ok(())
}

pub(super) fn is_closed(
    connection: &Connection,
    warehouse: WarehouseId,
) -> Result<bool, StoreError> {
    connection
        .prepare_cached("SELECT 1 FROM closed_warehouse WHERE warehouse_id = ?1")?
        .exists([warehouse.uuid().into_bytes()])
}

/// Rare, so it may look at all stock.
pub(super) fn set_closed(
    connection: &Connection,
    warehouse: WarehouseId,
    closed: bool,
) -> Result<(), StoreError> {
    let id = warehouse.uuid().into_bytes();
    connection
        .prepare_cached(if closed {
            "INSERT INTO closed_warehouse VALUES (?1) ON CONFLICT (warehouse_id) DO NOTHING"
        } else {
            "DELETE FROM closed_warehouse WHERE warehouse_id = ?1"
        })?
        .execute([id])?;
    turn!(
        connection,
        "(SELECT number FROM stock JOIN sku USING (sku_id)
          WHERE stock.warehouse_id = ?1 AND stock.available > 0)",
        [id]
    );
    Ok(())
}

/// Units of a SKU that can be promised from all warehouses that take part in new orders.
pub(super) fn available(connection: &Connection, sku: SkuId) -> Result<i64, StoreError> {
    connection
        .prepare_cached(
            "SELECT CAST(coalesce(sum(available), 0) AS INTEGER) FROM stock WHERE sku_id = ?1
               AND warehouse_id NOT IN (SELECT warehouse_id FROM closed_warehouse)",
        )?
        .query_row([sku.uuid().into_bytes()], |row| row.get(0))
}
