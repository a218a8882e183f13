//! Questions about stock.

use crate::sql::{Connection, OptionalExtension, Row, params};
use domain::inventory::StockPolicy;
use domain::{ProductId, SkuId, Timestamp, WarehouseId};
use serde::Serialize;

use super::Stock;
use crate::id_column::{id, optional_id};
use crate::{Projector, ReadModels, StoreError};

/// Stock of one SKU, in units.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SkuStock {
    pub sku_id: SkuId,
    /// `None` before the SKU's stock was opened.
    pub product_id: Option<ProductId>,
    pub policy: StockPolicy,
    /// Set aside by carts, over all warehouses.
    pub soft: u64,
    /// On hand − held − committed − soft − unavailable; below zero when more is promised.
    pub available: i64,
    pub warehouses: Vec<WarehouseStockView>,
}

/// Stock of one SKU at one warehouse, in units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WarehouseStockView {
    pub sku_id: SkuId,
    pub warehouse_id: WarehouseId,
    pub on_hand: u32,
    /// For orders that may still end.
    pub held: u32,
    /// For confirmed orders.
    pub committed: u32,
    pub unavailable: u32,
    /// On hand − held − committed − unavailable; soft holds belong to no warehouse.
    pub available: i64,
    pub received: u64,
    pub returned: u64,
    pub shipped: u64,
    pub written_off: u64,
}

const COLUMNS: &str = "sku, warehouse, on_hand, reserved, committed, unavailable, received,
     returned, shipped, written_off";

/// Stock of a SKU; soft holds past their time at `now` do not count.
///
/// # Errors
/// The store's.
pub fn by_sku(
    models: &ReadModels,
    sku: SkuId,
    now: Timestamp,
) -> Result<Option<SkuStock>, StoreError> {
    models.read(Stock::NAME, |connection| {
        let about = connection
            .prepare_cached("SELECT product, policy, soft FROM skus WHERE sku = ?1")?
            .query_row([sku.uuid().as_bytes()], |row| {
                Ok((optional_id(row, 0)?, row.get::<String>(1)?, row.get::<u64>(2)?))
            })
            .optional()?;
        let past: u64 = connection
            .prepare_cached(
                "SELECT CAST(coalesce(sum(units), 0) AS INTEGER) FROM soft_holds
                 WHERE sku = ?1 AND expires_us <= ?2",
            )?
            .query_row(params![sku.uuid().as_bytes(), now.timestamp_micros()], |row| row.get(0))?;
        let sql = format!("SELECT {COLUMNS} FROM levels WHERE sku = ?1 ORDER BY warehouse");
        let warehouses = levels(connection, &sql, params![sku.uuid().as_bytes()])?;
        let Some((product_id, policy, soft)) = about else { return Ok(None) };
        let soft = soft.saturating_sub(past);
        let free: i64 = warehouses.iter().map(|level| level.available).sum();
        Ok(Some(SkuStock {
            sku_id: sku,
            product_id,
            policy: serde_json::from_str(&policy)?,
            soft,
            available: free - soft.cast_signed(),
            warehouses,
        }))
    })
}

/// Stock at a warehouse by SKU, from the one after `after` on, at most `limit`.
///
/// # Errors
/// The store's.
pub fn by_warehouse(
    models: &ReadModels,
    warehouse: WarehouseId,
    after: Option<SkuId>,
    limit: usize,
) -> Result<Vec<WarehouseStockView>, StoreError> {
    let from = if after.is_some() { ">" } else { ">=" };
    let sql = format!(
        "SELECT {COLUMNS} FROM levels WHERE warehouse = ?1 AND sku {from} ?2
         ORDER BY sku LIMIT ?3"
    );
    models.read(Stock::NAME, |connection| {
        // Nothing is before the nil id.
        let after = after.map_or([0; 16], |sku| sku.uuid().into_bytes());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        levels(connection, &sql, params![warehouse.uuid().as_bytes(), after, limit])
    })
}

/// Where more is promised or kept from sale than there is, by SKU and warehouse, from the one
/// after `after` on, at most `limit`.
///
/// # Errors
/// The store's.
pub fn shortages(
    models: &ReadModels,
    after: Option<(SkuId, WarehouseId)>,
    limit: usize,
) -> Result<Vec<WarehouseStockView>, StoreError> {
    let from = if after.is_some() { ">" } else { ">=" };
    let sql = format!(
        "SELECT {COLUMNS} FROM levels INDEXED BY shortages
         WHERE on_hand < reserved + unavailable AND (sku, warehouse) {from} (?1, ?2)
         ORDER BY sku, warehouse LIMIT ?3"
    );
    models.read(Stock::NAME, |connection| {
        let (sku, warehouse) = after.map_or(([0; 16], [0; 16]), |(sku, warehouse)| {
            (sku.uuid().into_bytes(), warehouse.uuid().into_bytes())
        });
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        levels(connection, &sql, params![sku, warehouse, limit])
    })
}

fn levels(
    connection: &Connection,
    sql: &str,
    values: impl crate::sql::Params,
) -> Result<Vec<WarehouseStockView>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(values, level)?;
    rows.collect::<Result<_, _>>()
}

fn level(row: &Row<'_>) -> Result<WarehouseStockView, StoreError> {
    let (on_hand, reserved, committed, unavailable): (u32, u32, u32, u32) =
        (row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?);
    Ok(WarehouseStockView {
        sku_id: id(row, 0)?,
        warehouse_id: id(row, 1)?,
        on_hand,
        held: reserved.saturating_sub(committed),
        committed,
        unavailable,
        available: i64::from(on_hand) - i64::from(reserved) - i64::from(unavailable),
        received: row.get(6)?,
        returned: row.get(7)?,
        shipped: row.get(8)?,
        written_off: row.get(9)?,
    })
}
