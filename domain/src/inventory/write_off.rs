//! Books units as lost. Units held for orders cannot be written off; a count records that they
//! are missing and says how many orders' units are short.

use super::count::REASON_CHARS_MAX;
use super::{InventoryEvent, InventoryRejection, InventoryState};
use crate::{Quantity, WarehouseId, rule};

/// Takes free units first, then units kept from sale, which are then kept no longer.
pub(super) fn decide(
    state: &InventoryState,
    warehouse_id: WarehouseId,
    quantity: Quantity,
    reason: &str,
) -> Result<Vec<InventoryEvent>, InventoryRejection> {
    rule::text("reason", reason, 1..=REASON_CHARS_MAX)?;
    let stock = state.at(warehouse_id);
    let not_held = i64::from(stock.on_hand) - i64::from(stock.held);
    if i64::from(quantity.get()) > not_held {
        return Err(InventoryRejection::InsufficientStock {
            warehouse_id: Some(warehouse_id),
            wanted: u64::from(quantity.get()),
            available: not_held.max(0),
        });
    }
    let mut events =
        vec![InventoryEvent::WrittenOff { warehouse_id, quantity, reason: reason.to_owned() }];
    let beyond_free = i64::from(quantity.get()) - stock.free();
    if let Ok(beyond_free @ 1..) = u32::try_from(beyond_free) {
        events.push(InventoryEvent::UnavailableSet {
            warehouse_id,
            previous: stock.unavailable,
            unavailable: stock.unavailable.saturating_sub(beyond_free),
            reason: reason.to_owned(),
        });
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use crate::inventory::samples::*;
    use crate::inventory::{InventoryCommand, InventoryEvent, InventoryRejection};
    use crate::testing::{id, units};

    fn write_off(quantity: u32) -> InventoryCommand {
        InventoryCommand::WriteOff {
            warehouse_id: id(NORTH),
            quantity: units(quantity),
            reason: "water".into(),
        }
    }

    fn written_off(quantity: u32) -> InventoryEvent {
        InventoryEvent::WrittenOff {
            warehouse_id: id(NORTH),
            quantity: units(quantity),
            reason: "water".into(),
        }
    }

    fn unavailable(previous: u32, unavailable: u32) -> InventoryEvent {
        InventoryEvent::UnavailableSet {
            warehouse_id: id(NORTH),
            previous,
            unavailable,
            reason: "water".into(),
        }
    }

    #[test]
    fn held_units_cannot_be_written_off() {
        stocked(5, 0)
            .and([held(7, &[from(NORTH, 3)])])
            .when(write_off(3))
            .then_rejected(InventoryRejection::InsufficientStock {
                warehouse_id: Some(id(NORTH)),
                wanted: 3,
                available: 2,
            })
            .when(write_off(2))
            .then([written_off(2)]);
    }

    #[test]
    fn beyond_free_units_those_kept_from_sale_go() {
        stocked(5, 0)
            .and([unavailable(0, 3)])
            .when(write_off(2))
            .then([written_off(2)])
            .when(write_off(1))
            .then([written_off(1), unavailable(3, 2)]);
    }
}
