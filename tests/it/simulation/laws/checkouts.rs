//! Carts and checkouts: one order for one completed cart.

use std::collections::BTreeMap;

use domain::cart::CartEvent;
use domain::checkout::{CheckoutEvent, CheckoutOutcome};
use domain::order::OrderStatus;
use schemas::AnyEvent;
use uuid::Uuid;

use super::order::told;
use super::{Broken, Evidence};

#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
struct Ends {
    started: u32,
    completed: u32,
    released: u32,
    cart: Uuid,
}

pub(super) fn a_completed_cart_is_one_order(evidence: &Evidence, broken: &mut Broken) {
    let mut ends: BTreeMap<Uuid, Ends> = BTreeMap::new();
    let mut pending: BTreeMap<Uuid, Uuid> = BTreeMap::new();
    for fact in &evidence.facts {
        let AnyEvent::Cart(event) = &fact.event else { continue };
        let cart = fact.key();
        let (order_id, starts) = match event {
            CartEvent::CheckoutStarted { order_id } => (order_id.uuid(), true),
            CartEvent::CheckoutCompleted { order_id }
            | CartEvent::CheckoutReleased { order_id, .. } => (order_id.uuid(), false),
            _ => continue,
        };
        let end = ends.entry(order_id).or_default();
        match event {
            CartEvent::CheckoutStarted { .. } => end.started += 1,
            CartEvent::CheckoutCompleted { .. } => end.completed += 1,
            _ => end.released += 1,
        }
        end.cart = cart;
        let before = if starts { pending.insert(cart, order_id) } else { pending.remove(&cart) };
        if before != (!starts).then_some(order_id) {
            broken.push(format!("position {}: cart {cart} was pending {before:?}", fact.position));
        }
    }
    for (id, order) in told(evidence) {
        let end = ends.remove(&id).unwrap_or_default();
        let given_back = matches!(order.status, OrderStatus::Failed | OrderStatus::Cancelled)
            && !order.was_confirmed;
        let expected = Ends {
            started: 1,
            completed: u32::from(order.was_confirmed),
            released: u32::from(given_back),
            cart: order.placed.cart_id.uuid(),
        };
        if end != expected {
            broken.push(format!("order {id} is {}: {end:?}, not {expected:?}", order.status));
        }
    }
    for (order, end) in ends {
        broken.push(format!("no order {order}, but {end:?}"));
    }
    for (cart, order) in pending {
        broken.push(format!("cart {cart} is locked by order {order} for ever"));
    }
}

pub(super) fn checkouts_end_as_their_orders(evidence: &Evidence, broken: &mut Broken) {
    let orders = told(evidence);
    let mut outcomes: BTreeMap<Uuid, Vec<CheckoutOutcome>> = BTreeMap::new();
    for fact in &evidence.facts {
        match &fact.event {
            AnyEvent::Checkout(CheckoutEvent::Started { .. }) => {
                outcomes.entry(fact.key()).or_default();
            }
            AnyEvent::Checkout(CheckoutEvent::Ended { outcome }) => {
                outcomes.entry(fact.key()).or_default().push(*outcome);
            }
            _ => {}
        }
    }
    for (id, ended) in outcomes {
        let expected = orders.get(&id).map(|order| match order.status {
            OrderStatus::Failed => CheckoutOutcome::Failed,
            OrderStatus::Cancelled if !order.was_confirmed => CheckoutOutcome::Cancelled,
            _ => CheckoutOutcome::Confirmed,
        });
        if ended.len() != 1 || ended.first() != expected.as_ref() {
            broken.push(format!("checkout {id} ended {ended:?}, its order says {expected:?}"));
        }
    }
}
