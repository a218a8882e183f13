//! Sets on hand to what was counted. It sets on hand, never what is available: units held for
//! orders stay held, and if more are held than are there, the event says how many.

use super::{InventoryEvent, InventoryRejection, InventoryState};
use crate::{BrokenRule, Quantity, WarehouseId, rule};

pub(super) const REASON_CHARS_MAX: usize = 500;

pub(super) fn decide(
    state: &InventoryState,
    warehouse_id: WarehouseId,
    on_hand: u32,
    expected: Option<u32>,
    reason: &str,
) -> Result<Vec<InventoryEvent>, InventoryRejection> {
    rule::text("reason", reason, 1..=REASON_CHARS_MAX)?;
    if on_hand > Quantity::MAX {
        let expected = format!("at most {}", Quantity::MAX);
        return Err(BrokenRule::new("on_hand", expected, on_hand.to_string()).into());
    }
    let stock = state.at(warehouse_id);
    // First, so that a repeat of a count that was booked is a success and not stale.
    if stock.on_hand == on_hand {
        return Ok(vec![]);
    }
    if let Some(expected) = expected.filter(|expected| *expected != stock.on_hand) {
        return Err(InventoryRejection::StockChanged {
            warehouse_id,
            expected,
            actual: stock.on_hand,
        });
    }
    let unavailable = stock.unavailable.min(on_hand);
    let mut events = vec![InventoryEvent::Counted {
        warehouse_id,
        previous_on_hand: stock.on_hand,
        on_hand,
        reason: reason.to_owned(),
        shortage: stock.held.saturating_sub(on_hand - unavailable),
    }];
    // What is not there cannot be kept from sale either.
    if unavailable < stock.unavailable {
        events.push(InventoryEvent::UnavailableSet {
            warehouse_id,
            previous: stock.unavailable,
            unavailable,
            reason: reason.to_owned(),
        });
    }
    Ok(events)
}
