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
        return Err(InventoryRejection::HeldButMissing {
            order_id,
            wanted: quantity.get(),
            there,
        });
    }
    Ok(vec![InventoryEvent::Shipped {
        order_id,
        shipment_id,
        allocations,
    }])
}
