//! Stock: the ledger's equation at every position, and no unit promised twice.

use std::collections::BTreeMap;

use domain::inventory::{Allocation, InventoryEvent};
use domain::{CartId, OrderId, Timestamp, WarehouseId};
use schemas::AnyEvent;
use uuid::Uuid;

use super::{Broken, Evidence};
use crate::simulation::history::Fact;

/// Counters of one SKU at one warehouse, kept without the engine's own fold.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shelf {
    pub(super) came: i64,
    pub(super) went: i64,
    pub(super) on_hand: i64,
    pub(super) held: i64,
    pub(super) unavailable: i64,
}

impl Shelf {
    fn free(&self) -> i64 {
        self.on_hand - self.held - self.unavailable
    }
}

/// One SKU as its own events tell it.
#[derive(Debug, Clone, Default)]
pub(super) struct Sku {
    pub(super) shelves: BTreeMap<WarehouseId, Shelf>,
    pub(super) held: BTreeMap<(OrderId, WarehouseId), i64>,
    soft: BTreeMap<CartId, (i64, Timestamp)>,
    pub(super) backorder: bool,
}

fn units(allocations: &[Allocation]) -> impl Iterator<Item = (WarehouseId, i64)> + '_ {
    allocations.iter().map(|a| (a.warehouse_id, i64::from(a.quantity.get())))
}

impl Sku {
    fn shelf(&mut self, warehouse_id: WarehouseId) -> &mut Shelf {
        self.shelves.entry(warehouse_id).or_default()
    }

    fn receive(&mut self, warehouse_id: WarehouseId, units: i64) {
        let shelf = self.shelf(warehouse_id);
        shelf.came += units;
        shelf.on_hand += units;
    }

    fn lose(&mut self, warehouse_id: WarehouseId, units: i64) {
        let shelf = self.shelf(warehouse_id);
        shelf.went += units;
        shelf.on_hand -= units;
    }

    /// Ends a hold; says what cannot be.
    fn end_hold(&mut self, order_id: OrderId, allocations: &[Allocation], broken: &mut Broken) {
        for (warehouse_id, units) in units(allocations) {
            self.shelf(warehouse_id).held -= units;
            let held = self.held.entry((order_id, warehouse_id)).or_default();
            *held -= units;
            if *held < 0 {
                broken.push(format!("order {order_id} lets go of {units} units it does not hold"));
            }
        }
    }

    pub(super) fn apply(&mut self, fact: &Fact, broken: &mut Broken) {
        let AnyEvent::Inventory(event) = &fact.event else { return };
        match event {
            InventoryEvent::Opened { .. } => {}
            InventoryEvent::PolicyChanged { policy } => self.backorder = policy.backorder,
            InventoryEvent::Received { warehouse_id, quantity, .. } => {
                self.receive(*warehouse_id, i64::from(quantity.get()));
            }
            InventoryEvent::Counted { warehouse_id, previous_on_hand, on_hand, .. } => {
                let (previous, counted) = (i64::from(*previous_on_hand), i64::from(*on_hand));
                if self.shelf(*warehouse_id).on_hand != previous {
                    broken.push(format!("position {}: a count of other stock", fact.position));
                }
                match counted - previous {
                    more @ 0.. => self.receive(*warehouse_id, more),
                    less => self.lose(*warehouse_id, -less),
                }
            }
            InventoryEvent::WrittenOff { warehouse_id, quantity, .. } => {
                self.lose(*warehouse_id, i64::from(quantity.get()));
            }
            InventoryEvent::UnavailableSet { warehouse_id, previous, unavailable, .. } => {
                if self.shelf(*warehouse_id).unavailable != i64::from(*previous) {
                    broken.push(format!("position {}: other units kept", fact.position));
                }
                self.shelf(*warehouse_id).unavailable = i64::from(*unavailable);
            }
            InventoryEvent::Held { order_id, allocations } => {
                for (warehouse_id, units) in units(allocations) {
                    self.shelf(warehouse_id).held += units;
                    *self.held.entry((*order_id, warehouse_id)).or_default() += units;
                }
            }
            InventoryEvent::Released { order_id, allocations } => {
                self.end_hold(*order_id, allocations, broken);
            }
            InventoryEvent::Shipped { order_id, allocations, .. } => {
                self.end_hold(*order_id, allocations, broken);
                for (warehouse_id, units) in units(allocations) {
                    self.lose(warehouse_id, units);
                }
            }
            InventoryEvent::Returned { warehouse_id, resellable, scrapped, .. } => {
                self.receive(*warehouse_id, i64::from(*resellable) + i64::from(*scrapped));
                self.lose(*warehouse_id, i64::from(*scrapped));
            }
            InventoryEvent::SoftHeld { cart_id, quantity, expires_at } => {
                self.soft.insert(*cart_id, (i64::from(quantity.get()), *expires_at));
            }
            InventoryEvent::SoftReleased { cart_id } => {
                self.soft.remove(cart_id);
            }
        }
    }

    /// Why these units could not be promised to an order now, if they could not.
    fn why_not(&self, allocations: &[Allocation], now: Timestamp) -> Option<String> {
        if self.backorder {
            return None;
        }
        let shelf = |id| self.shelves.get(&id).copied().unwrap_or_default();
        let short = units(allocations).find(|(id, units)| *units > shelf(*id).free());
        if let Some((warehouse_id, units)) = short {
            let free = shelf(warehouse_id).free();
            return Some(format!("{units} units held where {free} are free"));
        }
        let free: i64 = self.shelves.values().map(|shelf| shelf.free().max(0)).sum();
        let set_aside: i64 =
            self.soft.values().filter(|(_, until)| now < *until).map(|(units, _)| units).sum();
        let wanted: i64 = units(allocations).map(|(_, units)| units).sum();
        (wanted > free - set_aside)
            .then(|| format!("{wanted} held of {free} free, {set_aside} of them in other carts"))
    }
}

/// Folds all SKUs, looking at each event before it counts.
pub(super) fn fold(
    evidence: &Evidence,
    broken: &mut Broken,
    mut look: impl FnMut(&Fact, &InventoryEvent, &Sku, &mut Broken),
) -> BTreeMap<Uuid, Sku> {
    let mut skus: BTreeMap<Uuid, Sku> = BTreeMap::new();
    for fact in &evidence.facts {
        if let AnyEvent::Inventory(event) = &fact.event {
            let sku = skus.entry(fact.key()).or_default();
            look(fact, event, sku, broken);
            sku.apply(fact, broken);
        }
    }
    skus
}

/// received + returned = on hand + shipped + written off; nothing is below zero; the engine's own
/// fold says the same.
pub(super) fn the_ledger_balances(evidence: &Evidence, broken: &mut Broken) {
    let mut positions = BTreeMap::new();
    let skus = fold(evidence, broken, |fact, _, sku, broken| {
        positions.insert(fact.key(), fact.position);
        for (warehouse_id, shelf) in &sku.shelves {
            let negative = shelf.on_hand < 0 || shelf.held < 0 || shelf.unavailable < 0;
            if negative || shelf.came != shelf.on_hand + shelf.went {
                let at = fact.position;
                broken.push(format!("before {at}: {} at {warehouse_id}: {shelf:?}", fact.stream));
            }
        }
    });
    let mut folded: BTreeMap<Uuid, domain::inventory::InventoryState> = BTreeMap::new();
    for fact in &evidence.facts {
        if let AnyEvent::Inventory(event) = &fact.event {
            let state = folded.entry(fact.key()).or_default();
            <domain::inventory::Inventory as domain::Decider>::evolve(state, event);
        }
    }
    for (id, sku) in &skus {
        for (warehouse_id, shelf) in &sku.shelves {
            let theirs = folded.get(id).and_then(|state| state.warehouses.get(warehouse_id));
            let same = theirs.is_some_and(|theirs| {
                i64::from(theirs.on_hand) == shelf.on_hand
                    && i64::from(theirs.held) == shelf.held
                    && i64::from(theirs.unavailable) == shelf.unavailable
            });
            if !same {
                broken.push(format!("sku {id}: {shelf:?} is not {theirs:?}"));
            }
        }
    }
}

/// At the position of every hold there was enough of the SKU, soft holds of others taken off.
pub(super) fn nothing_is_promised_twice(evidence: &Evidence, broken: &mut Broken) {
    let mut ignored = Vec::new();
    let mut found = Vec::new();
    fold(evidence, &mut ignored, |fact, event, sku, _| {
        if let InventoryEvent::Held { order_id, allocations } = event
            && let Some(why) = sku.why_not(allocations, fact.occurred)
        {
            found.push(format!("position {}: order {order_id}: {why}", fact.position));
        }
    });
    broken.append(&mut found);
}
