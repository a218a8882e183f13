//! The stock ledger of one SKU, folded from raw events.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::inventory::{Allocation, InventoryEvent};
use domain::{CartId, OrderId, Timestamp, WarehouseId};
use journal::Recorded;

use super::findings::Findings;
use super::stock::Touched;

/// Units at one warehouse. Every movement is added here as it is said; nothing is capped.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    received: i64,
    returned: i64,
    shipped: i64,
    written_off: i64,
    held: i64,
    unavailable: i64,
    /// Units promised beyond what is on hand that have been declared: by a count, or on backorder.
    owed: i64,
}

impl Counts {
    pub(super) fn on_hand(&self) -> i64 {
        self.received + self.returned - self.shipped - self.written_off
    }

    fn free(&self) -> i64 {
        self.on_hand() - self.held - self.unavailable
    }

    pub(super) fn in_order(&self) -> [i64; 7] {
        [
            self.received,
            self.returned,
            self.shipped,
            self.written_off,
            self.on_hand(),
            self.held,
            self.unavailable,
        ]
    }
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    backorder: bool,
    warehouses: BTreeMap<WarehouseId, Counts>,
    holds: HashMap<OrderId, BTreeMap<WarehouseId, i64>>,
    soft: HashMap<CartId, (i64, Timestamp)>,
    soft_by_expiry: BTreeSet<(Timestamp, CartId)>,
    soft_units: i64,
}

impl Ledger {
    pub(super) fn counts(&self, warehouse_id: WarehouseId) -> Counts {
        self.warehouses.get(&warehouse_id).copied().unwrap_or_default()
    }

    /// Adds one event; what contradicts the ledger by itself is reported at once.
    pub(super) fn apply(
        &mut self,
        recorded: &Recorded,
        event: &InventoryEvent,
        found: &mut Findings,
    ) {
        use InventoryEvent as E;
        match event {
            E::Opened { .. } => {}
            E::PolicyChanged { policy } => self.backorder = policy.backorder,
            E::Received { warehouse_id, quantity, .. } => {
                self.at(*warehouse_id).received += i64::from(quantity.get());
            }
            E::Counted { warehouse_id, previous_on_hand, on_hand, .. } => {
                let counts = self.at(*warehouse_id);
                same(
                    "on hand before the count",
                    counts.on_hand(),
                    *previous_on_hand,
                    recorded,
                    found,
                );
                let difference = i64::from(*on_hand) - counts.on_hand();
                if difference > 0 {
                    counts.received += difference;
                } else {
                    counts.written_off -= difference;
                }
            }
            E::WrittenOff { warehouse_id, quantity, .. } => {
                let counts = self.at(*warehouse_id);
                counts.written_off += i64::from(quantity.get());
                not_negative("on hand", counts.on_hand(), recorded, found);
            }
            E::UnavailableSet { warehouse_id, previous, unavailable, .. } => {
                let counts = self.at(*warehouse_id);
                same("units kept from sale", counts.unavailable, *previous, recorded, found);
                counts.unavailable = i64::from(*unavailable);
            }
            E::Held { order_id, allocations } => {
                found.require(
                    !self.holds.contains_key(order_id),
                    recorded,
                    || format!("one hold for order {order_id}"),
                    || "another one beside it".to_owned(),
                );
                self.hold(*order_id, allocations);
            }
            E::Released { order_id, allocations } => {
                self.end_hold(*order_id, allocations, recorded, found);
            }
            E::Shipped { order_id, allocations, .. } => {
                self.end_hold(*order_id, allocations, recorded, found);
                for part in allocations {
                    let counts = self.at(part.warehouse_id);
                    counts.shipped += i64::from(part.quantity.get());
                    not_negative("on hand", counts.on_hand(), recorded, found);
                }
            }
            E::Returned { warehouse_id, resellable, scrapped, .. } => {
                let counts = self.at(*warehouse_id);
                counts.returned += i64::from(*resellable) + i64::from(*scrapped);
                counts.written_off += i64::from(*scrapped);
            }
            E::SoftHeld { cart_id, quantity, expires_at } => {
                self.end_soft(*cart_id);
                self.soft_units += i64::from(quantity.get());
                self.soft.insert(*cart_id, (i64::from(quantity.get()), *expires_at));
                self.soft_by_expiry.insert((*expires_at, *cart_id));
            }
            E::SoftReleased { cart_id } => self.end_soft(*cart_id),
        }
    }

    /// Holds the ledger against its law between two commands. Within one, goods may be written off
    /// a moment before they stop being kept from sale.
    pub(super) fn settle(&mut self, touched: &Touched, found: &mut Findings) {
        let backorder = self.backorder;
        for warehouse_id in &touched.warehouses {
            let Some(counts) = self.warehouses.get_mut(warehouse_id) else { continue };
            let beyond = (-counts.free()).max(0);
            let declared = touched.shortages.iter().rev().find(|(at, _)| at == warehouse_id);
            if let Some((_, shortage)) = declared
                && i64::from(*shortage) != beyond
            {
                found.violation(
                    &touched.place,
                    format!("warehouse {warehouse_id}: a shortage of {beyond} declared"),
                    format!("{shortage}"),
                );
            }
            if beyond > counts.owed && !backorder && declared.is_none() {
                found.violation(
                    &touched.place,
                    format!(
                        "warehouse {warehouse_id}: at most {} units promised",
                        counts.on_hand()
                    ),
                    format!("{} held and {} kept from sale", counts.held, counts.unavailable),
                );
            }
            counts.owed = beyond;
        }
        if touched.promised && !backorder {
            let free: i64 = self.warehouses.values().map(|counts| counts.free().max(0)).sum();
            let soft = self.soft_at(touched.occurred);
            if soft > free {
                found.violation(
                    &touched.place,
                    format!("at most {free} units set aside for carts: so many are free"),
                    format!("{soft}"),
                );
            }
        }
    }

    /// Units set aside for carts at an instant. The store keeps microseconds, a decision may have
    /// seen a finer time: what ends within the same microsecond has ended.
    fn soft_at(&self, now: Timestamp) -> i64 {
        let now = now + chrono::Duration::microseconds(1);
        let past = self.soft_by_expiry.iter().take_while(|(expires_at, _)| *expires_at <= now);
        let past = past.filter_map(|(_, cart)| self.soft.get(cart)).map(|(units, _)| units);
        self.soft_units - past.sum::<i64>()
    }

    fn at(&mut self, warehouse_id: WarehouseId) -> &mut Counts {
        self.warehouses.entry(warehouse_id).or_default()
    }

    fn hold(&mut self, order_id: OrderId, allocations: &[Allocation]) {
        for part in allocations {
            let units = i64::from(part.quantity.get());
            self.at(part.warehouse_id).held += units;
            let of_order = self.holds.entry(order_id).or_default();
            *of_order.entry(part.warehouse_id).or_default() += units;
        }
    }

    fn end_hold(
        &mut self,
        order_id: OrderId,
        allocations: &[Allocation],
        recorded: &Recorded,
        found: &mut Findings,
    ) {
        for part in allocations {
            let units = i64::from(part.quantity.get());
            let of_order = self.holds.entry(order_id).or_default();
            let held = of_order.entry(part.warehouse_id).or_default();
            found.require(
                units <= *held,
                recorded,
                || format!("at most the {held} units held for order {order_id}"),
                || format!("{units} shipped or released"),
            );
            *held -= units;
            of_order.retain(|_, units| *units != 0);
            if of_order.is_empty() {
                self.holds.remove(&order_id);
            }
            self.at(part.warehouse_id).held -= units;
        }
    }

    fn end_soft(&mut self, cart_id: CartId) {
        if let Some((units, expires_at)) = self.soft.remove(&cart_id) {
            self.soft_units -= units;
            self.soft_by_expiry.remove(&(expires_at, cart_id));
        }
    }
}

fn same(what: &str, expected: i64, seen: u32, recorded: &Recorded, found: &mut Findings) {
    let holds = expected == i64::from(seen);
    found.require(holds, recorded, || format!("{what}: {expected}"), || seen.to_string());
}

fn not_negative(what: &str, seen: i64, recorded: &Recorded, found: &mut Findings) {
    found.require(seen >= 0, recorded, || format!("{what} not below 0"), || seen.to_string());
}
