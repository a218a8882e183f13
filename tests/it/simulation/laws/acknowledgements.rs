//! What callers were told: acknowledged is present exactly once, refused left nothing.

use std::collections::BTreeMap;

use domain::checkout::CheckoutEvent;
use domain::order::OrderEvent;
use domain::payment::PaymentEvent;
use domain::product_return::ReturnEvent;
use domain::shipment::ShipmentEvent;
use schemas::AnyEvent;
use uuid::Uuid;

use super::{Broken, Evidence};
use crate::simulation::acknowledged::Placing;

/// How often each thing that can be acknowledged is on record.
fn on_record(evidence: &Evidence) -> BTreeMap<(&'static str, Uuid), u32> {
    let mut found: BTreeMap<(&'static str, Uuid), u32> = BTreeMap::new();
    for fact in &evidence.facts {
        let what = match &fact.event {
            AnyEvent::Order(OrderEvent::Placed(_)) => ("order", fact.key()),
            AnyEvent::Order(OrderEvent::Cancelled(_)) => ("cancelled", fact.key()),
            AnyEvent::Checkout(CheckoutEvent::Compensating { .. }) => ("turned back", fact.key()),
            AnyEvent::Shipment(ShipmentEvent::Dispatched { .. }) => ("shipment", fact.key()),
            AnyEvent::Shipment(ShipmentEvent::Delivered { .. }) => ("delivery", fact.key()),
            AnyEvent::Return(ReturnEvent::Requested { .. }) => ("return", fact.key()),
            AnyEvent::Return(ReturnEvent::Received { .. }) => ("receipt", fact.key()),
            AnyEvent::Payment(PaymentEvent::RefundRequested { refund_id, .. }) => {
                ("refund", refund_id.uuid())
            }
            _ => continue,
        };
        *found.entry(what).or_default() += 1;
    }
    found
}

pub(super) fn acknowledged_is_present_once(evidence: &Evidence, broken: &mut Broken) {
    let told = &evidence.acknowledged;
    let found = on_record(evidence);
    let times = |what: &'static str, id: Uuid| found.get(&(what, id)).copied().unwrap_or(0);
    let mut once = |what: &'static str, id: Uuid| {
        if times(what, id) != 1 {
            broken.push(format!("{what} {id} was acknowledged and is there {}×", times(what, id)));
        }
    };
    told.orders().iter().for_each(|id| once("order", id.uuid()));
    told.shipments.keys().for_each(|id| once("shipment", id.uuid()));
    told.delivered.iter().for_each(|id| once("delivery", id.uuid()));
    told.returns.keys().for_each(|id| once("return", id.uuid()));
    told.received.iter().for_each(|id| once("receipt", id.uuid()));
    told.refunds.keys().for_each(|id| once("refund", id.uuid()));
    for id in &told.cancelled {
        if times("cancelled", id.uuid()) + times("turned back", id.uuid()) == 0 {
            broken.push(format!("the cancellation of {id} was acknowledged and is not there"));
        }
    }
    let mut versions: BTreeMap<Uuid, u64> = BTreeMap::new();
    for fact in evidence.facts.iter().filter(|f| matches!(f.event, AnyEvent::Cart(_))) {
        versions.insert(fact.key(), fact.version);
    }
    for (cart, version) in &told.carts {
        let reached = versions.get(&cart.uuid()).copied().unwrap_or(0);
        if reached < *version {
            broken.push(format!("cart {cart}: version {version} acknowledged, {reached} there"));
        }
    }
    let head = evidence.events.len() as u64;
    if head < told.position {
        broken.push(format!("position {} was acknowledged, the log ends at {head}", told.position));
    }
}

pub(super) fn refused_left_nothing(evidence: &Evidence, broken: &mut Broken) {
    let found = on_record(evidence);
    for (attempt, answer) in &evidence.acknowledged.placings {
        let there = found.get(&("order", attempt.uuid())).copied().unwrap_or(0);
        let allowed = match answer {
            Placing::Refused { .. } => 0,
            Placing::Done { order_id } if order_id != attempt => 0,
            Placing::Done { .. } | Placing::Unknown => 1,
        };
        if there > allowed {
            broken.push(format!("the attempt {attempt} was answered {answer:?} and left an order"));
        }
    }
}

pub(super) fn same_key_same_answer(evidence: &Evidence, broken: &mut Broken) {
    let told = &evidence.acknowledged;
    for (key, answers) in told.answers.iter().filter(|(_, answers)| answers.len() != 1) {
        broken.push(format!("{key} was answered {answers:?}"));
    }
    for (key, answers) in told.other_answers.iter().filter(|(_, answers)| answers.len() != 1) {
        broken.push(format!("{key} was answered {answers:?}"));
    }
    let mut keys: BTreeMap<String, u32> = BTreeMap::new();
    for event in evidence.events.iter().filter(|e| e.stream.category.as_str() == "request") {
        *keys.entry(event.stream.to_string()).or_default() += 1;
    }
    for (stream, times) in keys.iter().filter(|(_, times)| **times != 1) {
        broken.push(format!("{stream} records {times} answers"));
    }
}
