//! What a checkout does next, from its state and the money's alone.

use domain::checkout::{CheckoutOnRecord, CheckoutOutcome};
use domain::order::OrderEndReason;
use domain::payment::{Attempt, Operation, PaymentOnRecord, ProviderOutcome};

/// The next step, if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The provider owes an answer; nothing is decided before it comes, whatever the time.
    Wait,
    /// Everything is done.
    Nothing,
    Capture,
    Confirm,
    /// From here on the order ends without goods.
    Compensate(OrderEndReason),
    Void,
    Refund {
        amount_minor: i64,
    },
    /// The money is clean: release, give back, end the order.
    Undo {
        reason: OrderEndReason,
        outcome: CheckoutOutcome,
    },
}

/// Works out the next step.
#[must_use]
pub fn next(checkout: &CheckoutOnRecord, payment: &PaymentOnRecord) -> Next {
    match (&checkout.outcome, &checkout.compensating) {
        (Some(CheckoutOutcome::Confirmed), _) => Next::Nothing,
        // Money that arrives for an ended order goes back; the order is never revived.
        (Some(CheckoutOutcome::Failed | CheckoutOutcome::Cancelled), _) => {
            money_back(payment).unwrap_or(Next::Nothing)
        }
        (None, Some((reason, outcome))) => money_back(payment)
            .unwrap_or_else(|| Next::Undo { reason: reason.clone(), outcome: *outcome }),
        (None, None) => forward(payment),
    }
}

fn forward(payment: &PaymentOnRecord) -> Next {
    if payment.is_unknown() {
        return Next::Wait;
    }
    if payment.captured_minor >= payment.amount_minor {
        return Next::Confirm;
    }
    if let Some(failure_code) = last_failure(payment, Operation::Capture) {
        return Next::Compensate(OrderEndReason::CaptureFailed { failure_code });
    }
    if payment.held_minor() >= payment.amount_minor {
        return Next::Capture;
    }
    if let Some(decline_code) = last_failure(payment, Operation::Authorize) {
        return Next::Compensate(OrderEndReason::PaymentDeclined { decline_code });
    }
    // Authorized for less than the order, lapsed, or voided at the provider.
    Next::Compensate(OrderEndReason::PaymentExpired)
}

/// The step that brings money back, or `None` when there is none to bring.
fn money_back(payment: &PaymentOnRecord) -> Option<Next> {
    if payment.is_unknown() {
        return Some(Next::Wait);
    }
    let amount_minor = payment.refundable_minor();
    if amount_minor > 0 && last_failure(payment, Operation::Refund).is_none() {
        return Some(Next::Refund { amount_minor });
    }
    if payment.held_minor() > 0 && last_failure(payment, Operation::Void).is_none() {
        return Some(Next::Void);
    }
    // What the provider refuses to give back or free is left to a person: the refusal is on record
    // and logged as an error, a refund can be asked for again, and the order ends all the same.
    None
}

/// The code of the latest attempt at `operation`, if that attempt failed.
fn last_failure(payment: &PaymentOnRecord, operation: Operation) -> Option<String> {
    let last = payment.attempts.iter().filter(|(_, attempt)| attempt.operation == operation);
    // Keys end in the number of the attempt.
    match last.max_by_key(|(key, _)| attempt_number(key)) {
        Some((_, Attempt { outcome: Some(ProviderOutcome::Failed { code }), .. })) => {
            Some(code.clone())
        }
        Some(_) | None => None,
    }
}

fn attempt_number(key: &str) -> u32 {
    key.rsplit(':').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}
