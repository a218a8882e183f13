//! A SKU, its warehouses and events, for tests.

use super::{Allocation, Inventory, InventoryCommand, InventoryEvent, SoftHoldPolicy, StockPolicy};
use crate::testing::{Given, at, given, id, units};

pub(super) const NORTH: u128 = 11;
pub(super) const SOUTH: u128 = 12;

pub(super) fn opened() -> InventoryEvent {
    InventoryEvent::Opened { sku_id: id(1), product_id: id(2) }
}

pub(super) fn received(warehouse: u128, quantity: u32) -> InventoryEvent {
    InventoryEvent::Received {
        warehouse_id: id(warehouse),
        quantity: units(quantity),
        reference: None,
    }
}

/// An open SKU with these units in the north and the south.
pub(super) fn stocked(north: u32, south: u32) -> Given<Inventory> {
    let of = |warehouse, quantity| (quantity > 0).then(|| received(warehouse, quantity));
    given([opened()]).and(of(NORTH, north)).and(of(SOUTH, south))
}

pub(super) fn from(warehouse: u128, quantity: u32) -> Allocation {
    Allocation { warehouse_id: id(warehouse), quantity: units(quantity) }
}

pub(super) fn hold(order: u128, allocations: &[Allocation]) -> InventoryCommand {
    InventoryCommand::Hold {
        order_id: id(order),
        allocations: allocations.to_vec(),
        from_cart: None,
        now: at(0),
    }
}

pub(super) fn held(order: u128, allocations: &[Allocation]) -> InventoryEvent {
    InventoryEvent::Held { order_id: id(order), allocations: allocations.to_vec() }
}

pub(super) fn released(order: u128, allocations: &[Allocation]) -> InventoryEvent {
    InventoryEvent::Released { order_id: id(order), allocations: allocations.to_vec() }
}

/// Soft holds for 100 seconds, at most 5 units a cart and 8 in all.
pub(super) fn soft_policy() -> InventoryEvent {
    InventoryEvent::PolicyChanged {
        policy: StockPolicy {
            soft_hold: Some(SoftHoldPolicy { ttl_seconds: 100, cart_max: 5, total_max: 8 }),
            backorder: false,
        },
    }
}

pub(super) fn backorders() -> InventoryEvent {
    InventoryEvent::PolicyChanged { policy: StockPolicy { soft_hold: None, backorder: true } }
}

pub(super) fn soft_held(cart: u128, quantity: u32, until: i64) -> InventoryEvent {
    InventoryEvent::SoftHeld { cart_id: id(cart), quantity: units(quantity), expires_at: at(until) }
}

pub(super) fn soft_released(cart: u128) -> InventoryEvent {
    InventoryEvent::SoftReleased { cart_id: id(cart) }
}
