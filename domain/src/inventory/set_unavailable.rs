//! Keeps units from sale, or gives them back to it.

use super::count::REASON_CHARS_MAX;
use super::{InventoryEvent, InventoryRejection, InventoryState};
use crate::{WarehouseId, rule};

/// Only units that are there and not held can be kept from sale; fewer than before always can.
pub(super) fn decide(
    state: &InventoryState,
    warehouse_id: WarehouseId,
    unavailable: u32,
    reason: &str,
) -> Result<Vec<InventoryEvent>, InventoryRejection> {
    rule::text("reason", reason, 1..=REASON_CHARS_MAX)?;
    let stock = state.at(warehouse_id);
    if unavailable == stock.unavailable {
        return Ok(vec![]);
    }
    let not_held = i64::from(stock.on_hand) - i64::from(stock.held);
    if unavailable > stock.unavailable && i64::from(unavailable) > not_held {
        return Err(InventoryRejection::InsufficientStock {
            warehouse_id: Some(warehouse_id),
            wanted: u64::from(unavailable),
            available: not_held.max(0),
        });
    }
    Ok(vec![InventoryEvent::UnavailableSet {
        warehouse_id,
        previous: stock.unavailable,
        unavailable,
        reason: reason.to_owned(),
    }])
}
