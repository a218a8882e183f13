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
            Err(InventoryRejection::HeldOtherwise { order_id, held: held.clone() })
        };
    }
    if state.ended_holds.get(&order_id).is_some() {
        return Err(InventoryRejection::HoldEnded { order_id });
    }
    stock_suffices(state, allocations, from_cart, now)?;

    let converted = from_cart.filter(|cart_id| state.soft_holds.get(*cart_id).is_some());
    let mut events: Vec<_> =
        converted.map(|cart_id| InventoryEvent::SoftReleased { cart_id }).into_iter().collect();
    events.push(InventoryEvent::Held { order_id, allocations: allocations.to_vec() });
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
        Err(InventoryRejection::InsufficientStock { warehouse_id: None, wanted, available })
    }
}

#[cfg(test)]
mod tests {
    use crate::inventory::samples::*;
    use crate::inventory::{InventoryCommand, InventoryRejection};
    use crate::testing::{at, given, id};

    #[test]
    fn the_last_unit_is_held_once() {
        stocked(1, 0)
            .when(hold(7, &[from(NORTH, 1)]))
            .then_once([held(7, &[from(NORTH, 1)])])
            .when(hold(8, &[from(NORTH, 1)]))
            .then_rejected(InventoryRejection::InsufficientStock {
                warehouse_id: Some(id(NORTH)),
                wanted: 1,
                available: 0,
            });
    }

    #[test]
    fn all_allocations_are_held_or_none() {
        let short = stocked(5, 1)
            .when(hold(7, &[from(NORTH, 5), from(SOUTH, 2)]))
            .then_refused(|r| matches!(r, InventoryRejection::InsufficientStock { .. }));
        assert_eq!(short.state().available_total(at(0)), 6);
    }

    #[test]
    fn the_same_allocations_in_another_order_are_the_same_hold() {
        stocked(5, 5)
            .when(hold(7, &[from(NORTH, 2), from(SOUTH, 3)]))
            .then_once([held(7, &[from(NORTH, 2), from(SOUTH, 3)])])
            .when(hold(7, &[from(SOUTH, 3), from(NORTH, 2)]))
            .then_nothing()
            .when(hold(7, &[from(NORTH, 3), from(SOUTH, 2)]))
            .then_rejected(InventoryRejection::HeldOtherwise {
                order_id: id(7),
                held: vec![from(NORTH, 2), from(SOUTH, 3)],
            });
    }

    #[test]
    fn a_hold_that_ended_does_not_start_again() {
        stocked(5, 0)
            .and([held(7, &[from(NORTH, 2)]), released(7, &[from(NORTH, 2)])])
            .when(hold(7, &[from(NORTH, 2)]))
            .then_rejected(InventoryRejection::HoldEnded { order_id: id(7) });
    }

    #[test]
    fn soft_holds_of_others_are_not_held_but_expired_ones_are() {
        let some = stocked(5, 0).and([soft_policy(), soft_held(50, 3, 100)]);
        let at_time = |seconds| InventoryCommand::Hold {
            order_id: id(7),
            allocations: vec![from(NORTH, 3)],
            from_cart: None,
            now: at(seconds),
        };
        some.when(at_time(99))
            .then_rejected(InventoryRejection::InsufficientStock {
                warehouse_id: None,
                wanted: 3,
                available: 2,
            })
            .when(at_time(100))
            .then_once([held(7, &[from(NORTH, 3)]), soft_released(50)]);
    }

    #[test]
    fn the_carts_own_soft_hold_is_converted_not_counted_twice() {
        let converted = stocked(5, 0)
            .and([soft_policy(), soft_held(50, 3, 100)])
            .when(InventoryCommand::Hold {
                order_id: id(7),
                allocations: vec![from(NORTH, 5)],
                from_cart: Some(id(50)),
                now: at(0),
            })
            .then_once([soft_released(50), held(7, &[from(NORTH, 5)])]);
        assert_eq!(converted.state().available_total(at(0)), 0);
        assert!(!converted.state().is_soft_held_by(id(50), at(0)));
    }

    #[test]
    fn on_backorder_more_is_held_than_is_there() {
        let owed = stocked(1, 0)
            .and([backorders()])
            .when(hold(7, &[from(NORTH, 4)]))
            .then_once([held(7, &[from(NORTH, 4)])]);
        assert_eq!(owed.state().available(id(NORTH), at(0), None), -3);
        assert_eq!(owed.state().available_total(at(0)), -3);
    }

    #[test]
    fn a_hold_names_each_warehouse_once() {
        for allocations in [&[][..], &[from(NORTH, 1), from(NORTH, 1)]] {
            stocked(5, 0)
                .when(hold(7, allocations))
                .then_refused(|r| matches!(r, InventoryRejection::InvalidValue(_)));
        }
    }

    #[test]
    fn nothing_is_held_of_a_sku_without_stock_records() {
        given::<crate::inventory::Inventory>([])
            .when(hold(7, &[from(NORTH, 1)]))
            .then_rejected(InventoryRejection::StockNotOpen);
    }
}
