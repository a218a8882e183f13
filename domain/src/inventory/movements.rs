//! How the counters of one warehouse move. Each movement keeps
//! received + returned = on hand + shipped + written off.

use super::{Allocation, InventoryState, WarehouseStock};
use crate::{OrderId, Quantity, WarehouseId};

impl WarehouseStock {
    /// Units neither held nor kept from sale; below zero when more are promised than there are.
    #[must_use]
    pub fn free(&self) -> i64 {
        i64::from(self.on_hand) - i64::from(self.held) - i64::from(self.unavailable)
    }

    /// Units that could leave the house now.
    #[must_use]
    pub fn fit_to_leave(&self) -> u32 {
        self.on_hand.saturating_sub(self.unavailable)
    }

    pub(super) fn receive(&mut self, units: u32) {
        self.received = self.received.saturating_add(u64::from(units));
        self.on_hand = self.on_hand.saturating_add(units);
    }

    pub(super) fn write_off(&mut self, units: u32) {
        self.written_off = self.written_off.saturating_add(u64::from(units));
        self.on_hand = self.on_hand.saturating_sub(units);
    }

    pub(super) fn count(&mut self, on_hand: u32) {
        if on_hand >= self.on_hand {
            self.receive(on_hand - self.on_hand);
        } else {
            self.write_off(self.on_hand - on_hand);
        }
    }

    pub(super) fn ship(&mut self, units: u32) {
        self.shipped = self.shipped.saturating_add(u64::from(units));
        self.on_hand = self.on_hand.saturating_sub(units);
    }

    pub(super) fn take_back(&mut self, resellable: u32, scrapped: u32) {
        let came_back = u64::from(resellable) + u64::from(scrapped);
        self.returned = self.returned.saturating_add(came_back);
        self.written_off = self.written_off.saturating_add(u64::from(scrapped));
        self.on_hand = self.on_hand.saturating_add(resellable);
    }
}

impl InventoryState {
    pub(super) fn at(&self, warehouse_id: WarehouseId) -> WarehouseStock {
        self.warehouses.get(&warehouse_id).copied().unwrap_or_default()
    }

    pub(super) fn at_mut(&mut self, warehouse_id: WarehouseId) -> &mut WarehouseStock {
        self.warehouses.entry(warehouse_id).or_default()
    }

    pub(super) fn start_hold(&mut self, order_id: OrderId, allocations: &[Allocation]) {
        for allocation in allocations {
            let stock = self.at_mut(allocation.warehouse_id);
            stock.held = stock.held.saturating_add(allocation.quantity.get());
        }
        self.holds.entry(order_id).or_default().extend_from_slice(allocations);
    }

    /// Ends the hold of these units, shipped or released.
    pub(super) fn end_hold(&mut self, order_id: OrderId, ended: &[Allocation]) {
        for allocation in ended {
            let stock = self.at_mut(allocation.warehouse_id);
            stock.held = stock.held.saturating_sub(allocation.quantity.get());
        }
        let Some(held) = self.holds.get_mut(&order_id) else {
            return;
        };
        for gone in ended {
            held.retain_mut(|kept| {
                if kept.warehouse_id != gone.warehouse_id {
                    return true;
                }
                let left = kept.quantity.get().saturating_sub(gone.quantity.get());
                // Nothing left is no quantity, and ends the entry.
                Quantity::new(left).is_ok_and(|left| {
                    kept.quantity = left;
                    true
                })
            });
        }
        if held.is_empty() {
            self.holds.remove(&order_id);
            self.ended_holds.remember(order_id, ());
        }
    }
}

/// Units of all `allocations` together.
pub(super) fn units_of(allocations: &[Allocation]) -> u64 {
    allocations.iter().map(|allocation| u64::from(allocation.quantity.get())).sum()
}

/// Takes up to `wanted` units from `allocations`, front to back, at most `most` of each.
pub(super) fn draw<'a>(
    allocations: impl IntoIterator<Item = &'a Allocation>,
    wanted: u32,
    most: impl Fn(&Allocation) -> u32,
) -> Vec<Allocation> {
    let mut left = wanted;
    let mut drawn = Vec::new();
    for allocation in allocations {
        let units = left.min(most(allocation));
        if let Ok(quantity) = Quantity::new(units) {
            left -= units;
            drawn.push(Allocation { warehouse_id: allocation.warehouse_id, quantity });
        }
    }
    drawn
}
