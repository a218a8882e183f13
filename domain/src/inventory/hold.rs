//! Sets units aside for an order: all of its allocations or none, and once for each order.

use std::collections::BTreeMap;

use super::movements::units_of;
use super::set_soft_hold::release_past;
use super::{Allocation, InventoryEvent, InventoryRejection, InventoryState};
use crate::{BrokenRule, CartId, OrderId, Quantity, Timestamp};

const ALLOCATIONS_MAX: usize = 1_000;

/// The soft hold of `from_cart` is converted: it ends, and its units do not count against the
/// order. The order in which allocations are listed is the order they will ship in, but does not
/// make them other allocations.
pub(super) fn decide(
    state: &InventoryState,
    order_id: OrderId,
    allocations: &[Allocation],
    from_cart: Option<CartId>,
    now: Timestamp,
) -> Result<Vec<InventoryEvent>, InventoryRejection> {
    let wanted = by_warehouse(allocations)?;
    if let Some(held) = state.holds.get(&order_id) {
        return if by_warehouse(held)? == wanted {
            Ok(vec![])
        } else {
            Err(InventoryRejection::HeldOtherwise {
                order_id,
                held: held.clone(),
            })
        };
    }
    if state.ended_holds.get(&order_id).is_some() {
        return Err(InventoryRejection::HoldEnded { order_id });
    }
    stock_suffices(state, allocations, from_cart, now)?;

    let converted = from_cart.filter(|cart_id| state.soft_holds.get(*cart_id).is_some());
    let mut events: Vec<_> = converted
        .map(|cart_id| InventoryEvent::SoftReleased { cart_id })
        .into_iter()
        .collect();
    events.push(InventoryEvent::Held {
        order_id,
        allocations: allocations.to_vec(),
    });
    events.extend(release_past(state, now, from_cart));
    Ok(events)
}

fn by_warehouse(
    allocations: &[Allocation],
) -> Result<BTreeMap<crate::WarehouseId, Quantity>, BrokenRule> {
    let broken = |expected: &str| {
        let seen = format!("{} entries", allocations.len());
        Err(BrokenRule::new("allocations", expected, seen))
    };
    if allocations.is_empty() || allocations.len() > ALLOCATIONS_MAX {
        return broken("1 to 1000 warehouses");
    }
    let by_warehouse: BTreeMap<_, _> = allocations
        .iter()
        .map(|allocation| (allocation.warehouse_id, allocation.quantity))
        .collect();
    if by_warehouse.len() < allocations.len() {
        return broken("of one entry for each warehouse");
    }
    Ok(by_warehouse)
}

fn stock_suffices(
    state: &InventoryState,
    allocations: &[Allocation],
    from_cart: Option<CartId>,
    now: Timestamp,
) -> Result<(), InventoryRejection> {
    for allocation in allocations {
        let stock = state.at(allocation.warehouse_id);
        let free = if state.policy.backorder {
            // Counters stay countable even when more is sold than there is.
            i64::from(Quantity::MAX) - i64::from(stock.held)
        } else {
            stock.free()
        };
        if i64::from(allocation.quantity.get()) > free {
            return Err(InventoryRejection::InsufficientStock {
                warehouse_id: Some(allocation.warehouse_id),
                wanted: u64::from(allocation.quantity.get()),
                available: free.max(0),
            });
        }
    }
    let wanted = units_of(allocations);
    let available = state.available_total_for(now, from_cart);
    let enough = u64::try_from(available).is_ok_and(|available| wanted <= available);
    if state.policy.backorder || enough {
        Ok(())
    } else {
        Err(InventoryRejection::InsufficientStock {
            warehouse_id: None,
            wanted,
            available,
        })
    }
}
