//! Lets held units leave the house. Whether a shipment already left is the order's to know;
//! here no more can ever leave than is held.

use super::movements::{draw, units_of};
use super::{Allocation, InventoryEvent, InventoryRejection, InventoryState};
use crate::{OrderId, Quantity, ShipmentId, WarehouseId};

pub(super) fn decide(
    state: &InventoryState,
    order_id: OrderId,
    shipment_id: ShipmentId,
    quantity: Quantity,
    warehouse_id: Option<WarehouseId>,
) -> Result<Vec<InventoryEvent>, InventoryRejection> {
    let held: Vec<Allocation> = state
        .holds
        .get(&order_id)
        .into_iter()
        .flatten()
        .filter(|kept| warehouse_id.is_none_or(|only| kept.warehouse_id == only))
        .copied()
        .collect();
    if u64::from(quantity.get()) > units_of(&held) {
        return Err(InventoryRejection::NotHeld {
            order_id,
            wanted: quantity.get(),
            held: units_of(&held),
        });
    }
    // More can be held than is there: after a count, or on backorder.
    let allocations = draw(&held, quantity.get(), |kept| {
        let there = state.at(kept.warehouse_id).fit_to_leave();
        kept.quantity.get().min(there)
    });
    let there = units_of(&allocations);
    if there < u64::from(quantity.get()) {
        return Err(InventoryRejection::HeldButMissing { order_id, wanted: quantity.get(), there });
    }
    Ok(vec![InventoryEvent::Shipped { order_id, shipment_id, allocations }])
}

#[cfg(test)]
mod tests {
    use crate::inventory::samples::*;
    use crate::inventory::{InventoryCommand, InventoryEvent, InventoryRejection};
    use crate::testing::{at, id, units};

    fn ship(quantity: u32, only: Option<u128>) -> InventoryCommand {
        InventoryCommand::Ship {
            order_id: id(7),
            shipment_id: id(70),
            quantity: units(quantity),
            warehouse_id: only.map(id),
        }
    }

    fn shipped(allocations: &[crate::inventory::Allocation]) -> InventoryEvent {
        InventoryEvent::Shipped {
            order_id: id(7),
            shipment_id: id(70),
            allocations: allocations.to_vec(),
        }
    }

    #[test]
    fn units_leave_in_the_order_they_were_held() {
        let gone = stocked(3, 3)
            .and([held(7, &[from(SOUTH, 2), from(NORTH, 2)])])
            .when(ship(3, None))
            .then([shipped(&[from(SOUTH, 2), from(NORTH, 1)])]);
        let south = gone.state().warehouses[&id(SOUTH)];
        assert_eq!((south.on_hand, south.shipped, south.held), (1, 2, 0));
        assert_eq!(gone.state().available_total(at(0)), 2);
    }

    #[test]
    fn never_more_leaves_than_is_held() {
        let refused = |wanted, held| InventoryRejection::NotHeld { order_id: id(7), wanted, held };
        stocked(9, 9)
            .and([held(7, &[from(NORTH, 2), from(SOUTH, 1)])])
            .when(ship(4, None))
            .then_rejected(refused(4, 3))
            .when(ship(2, Some(SOUTH)))
            .then_rejected(refused(2, 1))
            .when(ship(3, None))
            .then([shipped(&[from(NORTH, 2), from(SOUTH, 1)])])
            .when(ship(3, None))
            .then_rejected(refused(3, 0));
    }

    #[test]
    fn what_is_held_but_missing_cannot_leave() {
        stocked(1, 2)
            .and([backorders(), held(7, &[from(NORTH, 3), from(SOUTH, 1)])])
            .when(ship(3, None))
            .then_rejected(InventoryRejection::HeldButMissing {
                order_id: id(7),
                wanted: 3,
                there: 2,
            })
            .when(ship(2, None))
            .then([shipped(&[from(NORTH, 1), from(SOUTH, 1)])]);
    }
}
