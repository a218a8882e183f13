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

#[cfg(test)]
mod tests {
    use crate::inventory::samples::*;
    use crate::inventory::{InventoryCommand, InventoryEvent, InventoryRejection};
    use crate::testing::{at, id};

    fn count(on_hand: u32, expected: Option<u32>) -> InventoryCommand {
        InventoryCommand::Count {
            warehouse_id: id(NORTH),
            on_hand,
            expected,
            reason: "stocktake".into(),
        }
    }

    fn counted(previous_on_hand: u32, on_hand: u32, shortage: u32) -> InventoryEvent {
        InventoryEvent::Counted {
            warehouse_id: id(NORTH),
            previous_on_hand,
            on_hand,
            reason: "stocktake".into(),
            shortage,
        }
    }

    #[test]
    fn a_count_books_the_difference_and_keeps_the_holds() {
        let fewer = stocked(10, 0)
            .and([held(7, &[from(NORTH, 4)])])
            .when(count(8, Some(10)))
            .then_once([counted(10, 8, 0)]);
        assert_eq!(fewer.state().available_total(at(0)), 4);
        assert_eq!(fewer.state().warehouses[&id(NORTH)].written_off, 2);
        let more = fewer.when(count(9, None)).then_once([counted(8, 9, 0)]);
        assert_eq!(more.state().warehouses[&id(NORTH)].received, 11);
    }

    #[test]
    fn a_count_based_on_an_older_number_is_stale() {
        stocked(10, 0).when(count(8, Some(9))).then_rejected(InventoryRejection::StockChanged {
            warehouse_id: id(NORTH),
            expected: 9,
            actual: 10,
        });
    }

    #[test]
    fn fewer_than_are_held_is_a_shortage_and_nothing_more_is_sold() {
        let short = stocked(10, 0)
            .and([held(7, &[from(NORTH, 4)])])
            .when(count(1, None))
            .then_once([counted(10, 1, 3)]);
        assert_eq!(short.state().available_total(at(0)), 0);
        assert_eq!(short.state().available(id(NORTH), at(0), None), 0);
        short
            .when(hold(8, &[from(NORTH, 1)]))
            .then_refused(|r| matches!(r, InventoryRejection::InsufficientStock { .. }));
    }

    #[test]
    fn what_is_not_there_is_not_kept_from_sale_either() {
        let kept = InventoryEvent::UnavailableSet {
            warehouse_id: id(NORTH),
            previous: 0,
            unavailable: 3,
            reason: "damaged".into(),
        };
        stocked(10, 0).and([kept]).when(count(2, None)).then_once([
            counted(10, 2, 0),
            InventoryEvent::UnavailableSet {
                warehouse_id: id(NORTH),
                previous: 3,
                unavailable: 2,
                reason: "stocktake".into(),
            },
        ]);
    }

    #[test]
    fn units_kept_from_sale_cannot_make_up_a_shortage() {
        let kept = InventoryEvent::UnavailableSet {
            warehouse_id: id(NORTH),
            previous: 0,
            unavailable: 3,
            reason: "damaged".into(),
        };
        stocked(10, 0)
            .and([kept, held(7, &[from(NORTH, 4)])])
            .when(count(5, None))
            .then_once([counted(10, 5, 2)]);
    }
}
