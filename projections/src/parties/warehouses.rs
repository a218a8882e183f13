//! Warehouses.

use crate::sql::{Connection, params};
use domain::WarehouseId;
use domain::warehouse::{WarehouseDetails, WarehouseState};
use serde::Serialize;

use super::page::page;
use super::{Page, Record, record};
use crate::StoreError;

pub(super) const RECORD: &str = "SELECT record FROM warehouse WHERE id = ?1";

/// A warehouse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WarehouseView {
    pub warehouse_id: WarehouseId,
    /// Version of the warehouse's stream.
    pub version: u64,
    #[serde(flatten)]
    pub details: WarehouseDetails,
    /// Whether it takes part in new orders.
    pub active: bool,
}

/// `None` for an unknown warehouse.
pub fn warehouse(
    connection: &Connection,
    warehouse_id: WarehouseId,
) -> Result<Option<WarehouseView>, StoreError> {
    let found = record(connection, RECORD, warehouse_id.uuid())?;
    Ok(found.and_then(|found| view(warehouse_id, found)))
}

/// Warehouses in the order in which they are drawn on, behind `after`, at most `limit` (1 to
/// [`super::LIMIT_MAX`]; what is outside is brought in). Nothing comes behind an unknown one.
pub fn warehouses(
    connection: &Connection,
    after: Option<WarehouseId>,
    limit: usize,
) -> Result<Page<WarehouseView, WarehouseId>, StoreError> {
    let sql = "SELECT id, record FROM warehouse
               WHERE ((rank, id) > (SELECT rank, id FROM warehouse WHERE id = ?1) OR ?1 IS NULL)
               ORDER BY rank, id LIMIT ?2";
    page(connection, sql, after.map(WarehouseId::uuid), limit, view)
}

pub(super) fn save(
    connection: &Connection,
    id: WarehouseId,
    record: &Record<WarehouseState>,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO warehouse VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET rank = excluded.rank, record = excluded.record",
        )?
        .execute(params![
            id.uuid().into_bytes(),
            record.state.as_ref().map_or(0, |known| known.details.rank),
            serde_json::to_string(record)?
        ])?;
    Ok(())
}

fn view(warehouse_id: WarehouseId, found: Record<WarehouseState>) -> Option<WarehouseView> {
    let known = found.state?;
    Some(WarehouseView {
        warehouse_id,
        version: found.version,
        details: known.details,
        active: known.active,
    })
}
