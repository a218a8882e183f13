//! One order for one cart checkout, one confirmation for one order, one capture for one intended
//! capture, one end for one checkout.
//!
//! Keeps the checkouts under way, and 40 bytes for every payment that was to be captured.

use std::collections::HashMap;

use domain::cart::CartEvent;
use domain::checkout::{CheckoutEvent, CheckoutOutcome};
use domain::order::OrderEvent;
use domain::payment::PaymentEvent;
use domain::{CartId, OrderId, PaymentId};
use journal::{Recorded, StreamKey};
use schemas::AnyEvent;
use uuid::Uuid;

use super::findings::{Findings, Place};
use super::laws::{Law, Observed};

#[derive(Debug, Default)]
pub struct Once {
    /// Orders whose cart is locked for them.
    locked_carts: HashMap<CartId, OrderId>,
    /// Checkouts under way and how they are paid for.
    checkouts: HashMap<OrderId, PaymentId>,
    captures: HashMap<Uuid, Capture>,
    unit: InOneCommand,
}

#[derive(Debug, Default)]
struct Capture {
    /// The intent without an answer.
    intended: Option<String>,
    done: bool,
}

/// What the command in sight did; some of it only goes together.
#[derive(Debug, Default)]
struct InOneCommand {
    carts_locked: Vec<(CartId, OrderId, Place)>,
    placed: Vec<(CartId, OrderId, Place)>,
    completed: Vec<(OrderId, Place)>,
    confirmed: Vec<(OrderId, Place)>,
    ended_without_goods: Vec<(OrderId, CheckoutOutcome, Place)>,
    checkouts_ended: Vec<(OrderId, CheckoutOutcome, Place)>,
    payments: Vec<(OrderId, Place)>,
}

impl Law for Once {
    fn name(&self) -> &'static str {
        "once"
    }

    fn says(&self) -> &'static str {
        "one order per cart checkout, one confirmation and one capture per order, one end per checkout"
    }

    fn observe(&mut self, event: &Observed<'_>, found: &mut Findings) {
        let recorded = event.recorded;
        let StreamKey::Uuid(id) = recorded.stream.key else { return };
        for said in event.events {
            match said {
                AnyEvent::Cart(said) => self.cart(recorded, CartId::new(id), said, found),
                AnyEvent::Order(said) => self.order(recorded, OrderId::new(id), said),
                AnyEvent::Payment(said) => self.payment(recorded, id, said, found),
                AnyEvent::Checkout(said) => self.checkout(recorded, OrderId::new(id), said, found),
                _ => continue,
            }
            found.checked();
        }
    }

    fn unit_ended(&mut self, found: &mut Findings) {
        let unit = std::mem::take(&mut self.unit);
        for (order_id, place) in unit.ended_orders() {
            if self.checkouts.contains_key(order_id) {
                let expected = format!("the checkout of order {order_id} ended together with it");
                found.violation(place, expected, "a checkout that goes on");
            }
        }
        unit.goes_together(found);
    }
}

impl Once {
    fn cart(&mut self, recorded: &Recorded, id: CartId, event: &CartEvent, found: &mut Findings) {
        match event {
            CartEvent::CheckoutStarted { order_id } => {
                let before = self.locked_carts.insert(id, *order_id);
                found.require(
                    before.is_none(),
                    recorded,
                    || "one order under way from a cart".to_owned(),
                    || format!("{order_id} beside {before:?}"),
                );
                self.unit.carts_locked.push((id, *order_id, Place::of(recorded)));
            }
            CartEvent::CheckoutCompleted { order_id }
            | CartEvent::CheckoutReleased { order_id, .. } => {
                let locked = self.locked_carts.remove(&id);
                found.require(
                    locked == Some(*order_id),
                    recorded,
                    || format!("the end of the checkout under way, {locked:?}"),
                    || format!("the end of that of order {order_id}"),
                );
                if let CartEvent::CheckoutCompleted { .. } = event {
                    self.unit.completed.push((*order_id, Place::of(recorded)));
                }
            }
            CartEvent::Opened { .. }
            | CartEvent::ItemAdded { .. }
            | CartEvent::QuantitySet { .. }
            | CartEvent::ItemRemoved { .. }
            | CartEvent::CurrencyChanged { .. }
            | CartEvent::Repriced { .. }
            | CartEvent::Merged { .. }
            | CartEvent::MergedInto { .. }
            | CartEvent::Expired { .. } => {}
        }
    }

    fn order(&mut self, recorded: &Recorded, order_id: OrderId, event: &OrderEvent) {
        let place = Place::of(recorded);
        match event {
            OrderEvent::Placed(placed) => {
                self.unit.placed.push((placed.cart_id, order_id, place));
            }
            OrderEvent::Confirmed(_) => self.unit.confirmed.push((order_id, place)),
            OrderEvent::Cancelled(_) => {
                self.unit.ended_without_goods.push((order_id, CheckoutOutcome::Cancelled, place));
            }
            OrderEvent::Failed(_) => {
                self.unit.ended_without_goods.push((order_id, CheckoutOutcome::Failed, place));
            }
            OrderEvent::ProcessingStarted(_)
            | OrderEvent::LinesShipped { .. }
            | OrderEvent::Shipped(_)
            | OrderEvent::LinesDelivered { .. }
            | OrderEvent::Delivered(_)
            | OrderEvent::LinesReturned { .. }
            | OrderEvent::Returned(_) => {}
        }
    }

    fn payment(
        &mut self,
        recorded: &Recorded,
        id: Uuid,
        event: &PaymentEvent,
        found: &mut Findings,
    ) {
        match event {
            PaymentEvent::Initiated { order_id, .. } => {
                self.unit.payments.push((*order_id, Place::of(recorded)));
                found.require(
                    recorded.version == 1,
                    recorded,
                    || "a payment initiated once".to_owned(),
                    || format!("at version {}", recorded.version),
                );
            }
            PaymentEvent::CaptureRequested { key, .. } => {
                let capture = self.captures.entry(id).or_default();
                found.require(
                    !capture.done && capture.intended.is_none(),
                    recorded,
                    || "one capture at a time, and none after it is done".to_owned(),
                    || format!("{key} beside {capture:?}"),
                );
                capture.intended = Some(key.clone());
            }
            PaymentEvent::Captured { key, .. } => {
                let capture = self.captures.entry(id).or_default();
                found.require(
                    !capture.done && capture.intended.as_ref() == Some(key),
                    recorded,
                    || "one capture for the one that was intended".to_owned(),
                    || format!("{key} after {capture:?}"),
                );
                *capture = Capture { intended: None, done: true };
            }
            PaymentEvent::CaptureFailed { .. } => {
                self.captures.entry(id).or_default().intended = None;
            }
            PaymentEvent::AuthorizationRequested { .. }
            | PaymentEvent::Authorized { .. }
            | PaymentEvent::AuthorizationDeclined { .. }
            | PaymentEvent::AuthorizationExpired {}
            | PaymentEvent::VoidRequested { .. }
            | PaymentEvent::Voided { .. }
            | PaymentEvent::VoidFailed { .. }
            | PaymentEvent::RefundRequested { .. }
            | PaymentEvent::Refunded { .. }
            | PaymentEvent::RefundFailed { .. }
            | PaymentEvent::RefundAdopted { .. } => {}
        }
    }

    fn checkout(
        &mut self,
        recorded: &Recorded,
        order_id: OrderId,
        event: &CheckoutEvent,
        found: &mut Findings,
    ) {
        match event {
            CheckoutEvent::Started { payment_id, .. } => {
                let before = self.checkouts.insert(order_id, *payment_id);
                found.require(
                    recorded.version == 1 && before.is_none(),
                    recorded,
                    || "a checkout that starts once".to_owned(),
                    || "it starts again".to_owned(),
                );
            }
            CheckoutEvent::Compensating { .. } => {}
            CheckoutEvent::Ended { outcome } => {
                let payment = self.checkouts.remove(&order_id);
                found.require(
                    payment.is_some(),
                    recorded,
                    || "the one end of a checkout that started".to_owned(),
                    || format!("an end as {outcome}"),
                );
                let captured =
                    payment.is_some_and(|id| self.captures.get(&id.uuid()).is_some_and(|c| c.done));
                found.require(
                    captured || *outcome != CheckoutOutcome::Confirmed,
                    recorded,
                    || "the money captured before the checkout ends as confirmed".to_owned(),
                    || format!("no capture of payment {payment:?}"),
                );
                self.unit.checkouts_ended.push((order_id, *outcome, Place::of(recorded)));
            }
        }
    }
}

impl InOneCommand {
    /// Orders that were confirmed, failed or cancelled.
    fn ended_orders(&self) -> impl Iterator<Item = (&OrderId, &Place)> {
        let confirmed = self.confirmed.iter().map(|(order_id, place)| (order_id, place));
        confirmed
            .chain(self.ended_without_goods.iter().map(|(order_id, _, place)| (order_id, place)))
    }

    fn goes_together(self, found: &mut Findings) {
        for (cart_id, order_id, place) in &self.placed {
            let locked = self.carts_locked.iter().filter(|(c, o, _)| (c, o) == (cart_id, order_id));
            if locked.count() != 1 {
                let expected = format!("cart {cart_id} locked once for order {order_id}");
                found.violation(place, expected, "an order without it");
            }
        }
        for (cart_id, order_id, place) in &self.carts_locked {
            let placed = self.placed.iter().filter(|(c, o, _)| (c, o) == (cart_id, order_id));
            if placed.count() != 1 {
                let expected = format!("order {order_id} placed once from cart {cart_id}");
                found.violation(place, expected, "a locked cart without it");
            }
        }
        for (order_id, place) in &self.payments {
            if !self.placed.iter().any(|(_, placed, _)| placed == order_id) {
                let expected = format!("order {order_id} placed together with its payment");
                found.violation(place, expected, "a payment alone");
            }
        }
        for (order_id, place) in &self.confirmed {
            if self.completed.iter().filter(|(o, _)| o == order_id).count() != 1 {
                let expected = "one cart checkout completed with the confirmation";
                found.violation(place, expected, "another number");
            }
        }
        for (order_id, place) in &self.completed {
            if self.confirmed.iter().filter(|(o, _)| o == order_id).count() != 1 {
                let expected = format!("order {order_id} confirmed with its cart's checkout");
                found.violation(place, expected, "a completed checkout without it");
            }
        }
        for (order_id, outcome, place) in &self.checkouts_ended {
            let agrees = match outcome {
                CheckoutOutcome::Confirmed => self.confirmed.iter().any(|(o, _)| o == order_id),
                CheckoutOutcome::Failed | CheckoutOutcome::Cancelled => self
                    .ended_without_goods
                    .iter()
                    .any(|(o, ended, _)| o == order_id && ended == outcome),
            };
            if !agrees {
                let expected = format!("order {order_id} {outcome} together with its checkout");
                found.violation(place, expected, "a checkout that ended alone");
            }
        }
    }
}
