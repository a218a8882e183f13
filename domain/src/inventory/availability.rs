//! How many units can be promised.

use std::collections::BTreeMap;

use super::InventoryState;
use crate::{CartId, Timestamp, WarehouseId};

/// What can be promised of one SKU, for the decision which warehouses serve an order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SkuStock {
    /// Units on hand, neither held nor kept from sale, by warehouse.
    pub by_warehouse: BTreeMap<WarehouseId, i64>,
    /// The most of all warehouses together: soft holds belong to no warehouse and are taken off
    /// here.
    pub total: i64,
    /// Sold even when there is none.
    pub backorder: bool,
}

impl InventoryState {
    /// Units that can be promised from one warehouse at `now`; `for_cart`'s own soft hold does
    /// not count against it.
    ///
    /// Never below zero, except where backorders are on.
    #[must_use]
    pub fn available(
        &self,
        warehouse_id: WarehouseId,
        now: Timestamp,
        for_cart: Option<CartId>,
    ) -> i64 {
        let free = self.at(warehouse_id).free();
        if self.policy.backorder {
            free
        } else {
            free.max(0).min(self.available_total_for(now, for_cart))
        }
    }

    /// Units that can be promised from all warehouses together to somebody without a soft hold.
    #[must_use]
    pub fn available_total(&self, now: Timestamp) -> i64 {
        self.available_total_for(now, None)
    }

    /// Units that can be promised from all warehouses together to this cart.
    #[must_use]
    pub fn available_total_for(&self, now: Timestamp, for_cart: Option<CartId>) -> i64 {
        let soft = self.soft_holds.units(now, for_cart);
        let soft = i64::try_from(soft).unwrap_or(i64::MAX);
        let free = self.warehouses.values().map(super::WarehouseStock::free);
        // Sums of 32-bit counters: no number of warehouses gets near 64 bits.
        if self.policy.backorder {
            free.sum::<i64>().saturating_sub(soft)
        } else {
            // A warehouse that is short owes its own orders; it does not bind the others.
            let free: i64 = free.map(|units| units.max(0)).sum();
            free.saturating_sub(soft).max(0)
        }
    }

    /// Whether the cart has units set aside at `now`.
    #[must_use]
    pub fn is_soft_held_by(&self, cart_id: CartId, now: Timestamp) -> bool {
        self.soft_holds.units_of(cart_id, now) > 0
    }

    /// What [`crate::allocation::allocate`] asks about this SKU.
    #[must_use]
    pub fn stock(&self, now: Timestamp, for_cart: Option<CartId>) -> SkuStock {
        SkuStock {
            by_warehouse: self
                .warehouses
                .iter()
                .map(|(warehouse_id, stock)| (*warehouse_id, stock.free()))
                .collect(),
            total: self.available_total_for(now, for_cart),
            backorder: self.policy.backorder,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::inventory::samples::*;
    use crate::testing::{at, id};

    #[test]
    fn soft_holds_of_others_lower_what_a_warehouse_can_promise_but_not_ones_own() {
        let stock = stocked(3, 1).and([soft_policy(), soft_held(50, 3, 100)]);
        let state = stock.state();
        assert_eq!(state.available(id(NORTH), at(0), None), 1);
        assert_eq!(state.available(id(NORTH), at(0), Some(id(50))), 3);
        assert_eq!(state.available(id(NORTH), at(100), None), 3);
        assert_eq!(state.available_total(at(0)), 1);
        assert_eq!(state.available_total_for(at(0), Some(id(50))), 4);
    }

    #[test]
    fn a_warehouse_that_is_short_does_not_bind_the_others() {
        let short = stocked(3, 2).and([backorders(), held(7, &[from(NORTH, 9)]), soft_policy()]);
        assert_eq!(short.state().available(id(NORTH), at(0), None), 0);
        assert_eq!(short.state().available_total(at(0)), 2);
        assert_eq!(short.state().stock(at(0), None).by_warehouse[&id(NORTH)], -6);
    }
}
