//! Gives held units back to sale.

use super::movements::{draw, units_of};
use super::{InventoryEvent, InventoryRejection, InventoryState};
use crate::{OrderId, Quantity};

/// Releases from the last allocation backwards, so that the warehouse preferred for shipping
/// keeps its units longest. Nothing held means it was released already.
pub(super) fn decide(
    state: &InventoryState,
    order_id: OrderId,
    units: Option<Quantity>,
) -> Result<Vec<InventoryEvent>, InventoryRejection> {
    let Some(held) = state.holds.get(&order_id) else {
        return Ok(vec![]);
    };
    let allocations = match units {
        None => held.clone(),
        Some(units) if u64::from(units.get()) > units_of(held) => {
            return Err(InventoryRejection::NotHeld {
                order_id,
                wanted: units.get(),
                held: units_of(held),
            });
        }
        Some(units) => draw(held.iter().rev(), units.get(), |kept| kept.quantity.get()),
    };
    Ok(vec![InventoryEvent::Released { order_id, allocations }])
}

#[cfg(test)]
mod tests {
    use crate::inventory::samples::*;
    use crate::inventory::{InventoryCommand, InventoryRejection};
    use crate::testing::{at, id, units};

    fn release(order: u128, some: Option<u32>) -> InventoryCommand {
        InventoryCommand::Release { order_id: id(order), units: some.map(units) }
    }

    #[test]
    fn everything_still_held_is_released_once() {
        let free = stocked(3, 3)
            .and([held(7, &[from(NORTH, 3), from(SOUTH, 1)])])
            .when(release(7, None))
            .then_once([released(7, &[from(NORTH, 3), from(SOUTH, 1)])]);
        assert_eq!(free.state().available_total(at(0)), 6);
        assert!(free.state().holds.is_empty());
    }

    #[test]
    fn some_units_are_released_from_the_last_warehouse_first() {
        stocked(3, 3)
            .and([held(7, &[from(NORTH, 3), from(SOUTH, 1)])])
            .when(release(7, Some(2)))
            .then([released(7, &[from(SOUTH, 1), from(NORTH, 1)])])
            .when(release(7, Some(3)))
            .then_rejected(InventoryRejection::NotHeld { order_id: id(7), wanted: 3, held: 2 });
    }

    #[test]
    fn an_order_without_a_hold_has_nothing_to_release() {
        stocked(3, 0).when(release(7, None)).then_nothing();
    }
}
