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

#[cfg(test)]
mod tests {
    use crate::inventory::samples::*;
    use crate::inventory::{InventoryCommand, InventoryEvent, InventoryRejection};
    use crate::testing::{at, id};

    fn keep(unavailable: u32) -> InventoryCommand {
        InventoryCommand::SetUnavailable {
            warehouse_id: id(NORTH),
            unavailable,
            reason: "damaged".into(),
        }
    }

    fn kept(previous: u32, unavailable: u32) -> InventoryEvent {
        InventoryEvent::UnavailableSet {
            warehouse_id: id(NORTH),
            previous,
            unavailable,
            reason: "damaged".into(),
        }
    }

    #[test]
    fn units_kept_from_sale_are_not_available() {
        let some = stocked(5, 0).when(keep(2)).then_once([kept(0, 2)]);
        assert_eq!(some.state().available_total(at(0)), 3);
        some.when(keep(0)).then_once([kept(2, 0)]);
    }

    #[test]
    fn held_units_cannot_be_kept_from_sale() {
        stocked(5, 0).and([held(7, &[from(NORTH, 4)])]).when(keep(2)).then_rejected(
            InventoryRejection::InsufficientStock {
                warehouse_id: Some(id(NORTH)),
                wanted: 2,
                available: 1,
            },
        );
    }
}
