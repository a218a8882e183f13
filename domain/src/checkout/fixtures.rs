//! Checkouts for tests, of order 1.

use super::{Checkout, CheckoutCommand, CheckoutEvent, CheckoutOutcome};
use crate::order::OrderEndReason;
use crate::testing::{Given, at, given, id};

pub(super) fn start(cart: u128, skus: &[u128], seconds: i64) -> CheckoutCommand {
    CheckoutCommand::Start {
        order_id: id(1),
        cart_id: id(cart),
        payment_id: id(5),
        skus: skus.iter().map(|sku| id(*sku)).collect(),
        hold_expires_at: at(seconds),
    }
}

pub(super) fn started_event() -> CheckoutEvent {
    CheckoutEvent::Started {
        order_id: id(1),
        cart_id: id(2),
        payment_id: id(5),
        skus: vec![id(101), id(102)],
        hold_expires_at: at(900),
    }
}

pub(super) fn started() -> Given<Checkout> {
    given::<Checkout>([started_event()])
}

pub(super) fn compensate(reason: OrderEndReason, outcome: CheckoutOutcome) -> CheckoutCommand {
    CheckoutCommand::Compensate { reason, outcome }
}

pub(super) fn compensating_event(outcome: CheckoutOutcome) -> CheckoutEvent {
    CheckoutEvent::Compensating { reason: OrderEndReason::OutOfStock, outcome }
}

pub(super) fn end(outcome: CheckoutOutcome) -> CheckoutCommand {
    CheckoutCommand::End { outcome }
}

pub(super) fn ended_event(outcome: CheckoutOutcome) -> CheckoutEvent {
    CheckoutEvent::Ended { outcome }
}
