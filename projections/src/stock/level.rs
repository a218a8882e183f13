//! The counters of one SKU at one warehouse, as the domain's ledger moves them.

use domain::WarehouseId;
use domain::inventory::{Allocation, InventoryEvent};

/// Units. received + returned = on hand + shipped + written off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Level {
    pub on_hand: u32,
    /// For orders, firm or not.
    pub reserved: u32,
    pub unavailable: u32,
    pub received: u64,
    pub returned: u64,
    pub shipped: u64,
    pub written_off: u64,
}

impl Level {
    pub(super) fn apply(&mut self, event: &InventoryEvent, warehouse: WarehouseId) {
        let here = |allocations: &[Allocation]| -> u32 {
            allocations
                .iter()
                .filter(|allocation| allocation.warehouse_id == warehouse)
                .fold(0, |sum: u32, allocation| sum.saturating_add(allocation.quantity.get()))
        };
        match event {
            InventoryEvent::Received { quantity, .. } => self.receive(quantity.get()),
            InventoryEvent::Counted { on_hand, .. } if *on_hand >= self.on_hand => {
                self.receive(on_hand - self.on_hand);
            }
            InventoryEvent::Counted { on_hand, .. } => self.write_off(self.on_hand - on_hand),
            InventoryEvent::WrittenOff { quantity, .. } => self.write_off(quantity.get()),
            InventoryEvent::UnavailableSet { unavailable, .. } => self.unavailable = *unavailable,
            InventoryEvent::Held { allocations, .. } => {
                self.reserved = self.reserved.saturating_add(here(allocations));
            }
            InventoryEvent::Released { allocations, .. } => {
                self.reserved = self.reserved.saturating_sub(here(allocations));
            }
            InventoryEvent::Shipped { allocations, .. } => {
                let units = here(allocations);
                self.reserved = self.reserved.saturating_sub(units);
                self.shipped = self.shipped.saturating_add(u64::from(units));
                self.on_hand = self.on_hand.saturating_sub(units);
            }
            InventoryEvent::Returned { resellable, scrapped, .. } => {
                let back = u64::from(*resellable) + u64::from(*scrapped);
                self.returned = self.returned.saturating_add(back);
                self.written_off = self.written_off.saturating_add(u64::from(*scrapped));
                self.on_hand = self.on_hand.saturating_add(*resellable);
            }
            InventoryEvent::Opened { .. }
            | InventoryEvent::PolicyChanged { .. }
            | InventoryEvent::SoftHeld { .. }
            | InventoryEvent::SoftReleased { .. } => {}
        }
    }

    fn receive(&mut self, units: u32) {
        self.received = self.received.saturating_add(u64::from(units));
        self.on_hand = self.on_hand.saturating_add(units);
    }

    fn write_off(&mut self, units: u32) {
        self.written_off = self.written_off.saturating_add(u64::from(units));
        self.on_hand = self.on_hand.saturating_sub(units);
    }
}
