//! Goods: what an order says of its units is what the stock ledger says of them.

use std::collections::{BTreeMap, BTreeSet};

use domain::inventory::InventoryEvent;
use domain::order::{OrderEvent, OrderStatus};
use schemas::AnyEvent;
use uuid::Uuid;

use super::order::told;
use super::{Broken, Evidence, stock};

#[derive(Debug, Default, Clone, Copy)]
struct Moved {
    held: i64,
    released: i64,
    shipped: i64,
    returned: i64,
}

/// Units moved for each order and SKU.
fn moved(evidence: &Evidence) -> BTreeMap<(Uuid, Uuid), Moved> {
    let mut moved: BTreeMap<(Uuid, Uuid), Moved> = BTreeMap::new();
    for fact in &evidence.facts {
        let AnyEvent::Inventory(event) = &fact.event else { continue };
        let of = |allocations: &[domain::inventory::Allocation]| -> i64 {
            allocations.iter().map(|a| i64::from(a.quantity.get())).sum()
        };
        match event {
            InventoryEvent::Held { order_id, allocations } => {
                moved.entry((order_id.uuid(), fact.key())).or_default().held += of(allocations);
            }
            InventoryEvent::Released { order_id, allocations } => {
                moved.entry((order_id.uuid(), fact.key())).or_default().released += of(allocations);
            }
            InventoryEvent::Shipped { order_id, allocations, .. } => {
                moved.entry((order_id.uuid(), fact.key())).or_default().shipped += of(allocations);
            }
            InventoryEvent::Returned { order_id, resellable, scrapped, .. } => {
                let entry = moved.entry((order_id.uuid(), fact.key())).or_default();
                entry.returned += i64::from(*resellable) + i64::from(*scrapped);
            }
            _ => {}
        }
    }
    moved
}

/// Held as ordered, shipped and returned as the order's lines say.
pub(super) fn stock_and_orders_agree(evidence: &Evidence, broken: &mut Broken) {
    let orders = told(evidence);
    let mut moved = moved(evidence);
    for (id, order) in &orders {
        let mut by_sku: BTreeMap<Uuid, Moved> = BTreeMap::new();
        for line in &order.placed.lines {
            let units = |of: &BTreeMap<u32, i64>| of.get(&line.line).copied().unwrap_or(0);
            let said = by_sku.entry(line.sku_id.uuid()).or_default();
            said.held += i64::from(line.quantity.get());
            said.shipped += units(&order.shipped);
            said.returned += units(&order.returned);
        }
        for (sku, said) in by_sku {
            let did = moved.remove(&(*id, sku)).unwrap_or_default();
            let same =
                (said.held, said.shipped, said.returned) == (did.held, did.shipped, did.returned);
            if !same {
                broken.push(format!("order {id}, sku {sku}: order says {said:?}, stock {did:?}"));
            }
        }
    }
    for (order, sku) in moved.keys() {
        broken.push(format!("stock of {sku} moved for {order}, which did not order it"));
    }
}

/// Orders that ended hold nothing; orders under way hold exactly what has not left the house.
pub(super) fn closed_orders_hold_nothing(evidence: &Evidence, broken: &mut Broken) {
    let orders = told(evidence);
    let mut held: BTreeMap<Uuid, i64> = BTreeMap::new();
    for sku in stock::fold(evidence, &mut Vec::new(), |_, _, _, _| {}).values() {
        for ((order_id, _), units) in &sku.held {
            *held.entry(order_id.uuid()).or_default() += units;
        }
    }
    for (id, order) in &orders {
        let units: i64 = order.placed.lines.iter().map(|l| i64::from(l.quantity.get())).sum();
        let open = match order.status {
            OrderStatus::Failed | OrderStatus::Cancelled => 0,
            OrderStatus::Pending
            | OrderStatus::Confirmed
            | OrderStatus::Processing
            | OrderStatus::Shipped
            | OrderStatus::Delivered
            | OrderStatus::Returned => units - order.shipped.values().sum::<i64>(),
        };
        let holds = held.get(id).copied().unwrap_or(0);
        if holds != open {
            broken.push(format!("order {id} is {} and holds {holds}, not {open}", order.status));
        }
    }
}

/// Each return, shipment and delivery is on record once.
pub(super) fn returns_come_back_once(evidence: &Evidence, broken: &mut Broken) {
    let mut seen = BTreeSet::new();
    for fact in &evidence.facts {
        let once = match &fact.event {
            AnyEvent::Order(OrderEvent::LinesReturned { return_id, .. }) => {
                ("returned", fact.key(), return_id.uuid())
            }
            AnyEvent::Order(OrderEvent::LinesShipped { shipment_id, .. }) => {
                ("shipped", fact.key(), shipment_id.uuid())
            }
            AnyEvent::Order(OrderEvent::LinesDelivered { shipment_id, .. }) => {
                ("delivered", fact.key(), shipment_id.uuid())
            }
            AnyEvent::Inventory(InventoryEvent::Returned { return_id, .. }) => {
                ("taken back", fact.key(), return_id.uuid())
            }
            _ => continue,
        };
        if !seen.insert(once) {
            broken.push(format!("{once:?} again at position {}", fact.position));
        }
    }
}
