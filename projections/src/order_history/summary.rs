//! One line for people on each event of an order's story.

use domain::Money;
use domain::checkout::{CheckoutEvent, CheckoutOutcome};
use domain::order::{EndTransition, LineUnits, OrderEndReason, OrderEvent};
use domain::payment::PaymentEvent;
use domain::product_return::{ReturnEvent, ReturnReason};
use domain::shipment::ShipmentEvent;
use schemas::AnyEvent;

/// `None` for events that are no part of an order's story.
pub(super) fn of(event: &AnyEvent) -> Option<String> {
    match event {
        AnyEvent::Order(event) => Some(order(event)),
        AnyEvent::Payment(event) => Some(payment(event)),
        AnyEvent::Shipment(event) => Some(shipment(event)),
        AnyEvent::Return(event) => Some(product_return(event)),
        AnyEvent::Checkout(event) => Some(checkout(event)),
        _ => None,
    }
}

fn order(event: &OrderEvent) -> String {
    match event {
        OrderEvent::Placed(placed) => {
            let total = Money::new(placed.totals.total_minor, placed.currency);
            format!("placed with {}, {total}", counted(placed.lines.len(), "line"))
        }
        OrderEvent::Confirmed(_) => "confirmed".to_owned(),
        OrderEvent::ProcessingStarted(_) => "processing started".to_owned(),
        OrderEvent::LinesShipped { lines, .. } => format!("{} shipped", units(lines)),
        OrderEvent::Shipped(_) => "all shipped".to_owned(),
        OrderEvent::LinesDelivered { lines, .. } => format!("{} delivered", units(lines)),
        OrderEvent::Delivered(_) => "all delivered".to_owned(),
        OrderEvent::LinesReturned { lines, .. } => format!("{} returned", units(lines)),
        OrderEvent::Returned(_) => "all returned".to_owned(),
        OrderEvent::Cancelled(EndTransition { reason, .. }) => {
            format!("cancelled: {}", why(reason))
        }
        OrderEvent::Failed(EndTransition { reason, .. }) => format!("failed: {}", why(reason)),
    }
}

/// Amounts of payments are in minor units here: the events do not name the currency.
fn payment(event: &PaymentEvent) -> String {
    match event {
        PaymentEvent::Initiated { provider, amount_minor, currency, .. } => {
            format!("payment of {} with {provider}", Money::new(*amount_minor, *currency))
        }
        PaymentEvent::AuthorizationRequested { attempt, .. } => {
            format!("authorization requested, attempt {attempt}")
        }
        PaymentEvent::Authorized { amount_minor, .. } => {
            format!("{amount_minor} (minor units) authorized")
        }
        PaymentEvent::AuthorizationDeclined { decline_code, .. } => {
            format!("authorization declined: {decline_code}")
        }
        PaymentEvent::AuthorizationExpired {} => "authorization expired".to_owned(),
        PaymentEvent::CaptureRequested { attempt, .. } => {
            format!("capture requested, attempt {attempt}")
        }
        PaymentEvent::Captured { amount_minor, .. } => {
            format!("{amount_minor} (minor units) captured")
        }
        PaymentEvent::CaptureFailed { failure_code, .. } => {
            format!("capture failed: {failure_code}")
        }
        PaymentEvent::VoidRequested { attempt, .. } => format!("void requested, attempt {attempt}"),
        PaymentEvent::Voided { amount_minor, .. } => {
            format!("{amount_minor} (minor units) voided")
        }
        PaymentEvent::VoidFailed { failure_code, .. } => format!("void failed: {failure_code}"),
        PaymentEvent::RefundRequested { amount_minor, attempt, .. } => {
            format!("refund of {amount_minor} (minor units) requested, attempt {attempt}")
        }
        PaymentEvent::Refunded { amount_minor, .. } => {
            format!("{amount_minor} (minor units) refunded")
        }
        PaymentEvent::RefundFailed { failure_code, .. } => format!("refund failed: {failure_code}"),
        PaymentEvent::RefundAdopted { amount_minor, .. } => {
            format!("{amount_minor} (minor units) refunded at the provider")
        }
    }
}

fn shipment(event: &ShipmentEvent) -> String {
    match event {
        ShipmentEvent::Dispatched { lines, carrier, tracking_number, .. } => {
            let mut text = format!("{} dispatched", units(lines));
            if let Some(carrier) = carrier {
                text.push_str(&format!(" with {carrier}"));
            }
            if let Some(number) = tracking_number {
                text.push_str(&format!(", tracking number {number}"));
            }
            text
        }
        ShipmentEvent::Delivered { .. } => "parcel delivered".to_owned(),
    }
}

fn product_return(event: &ReturnEvent) -> String {
    match event {
        ReturnEvent::Requested { rma_number, lines, reason, .. } => {
            format!("return {rma_number} of {} requested: {}", units(lines), reason_words(*reason))
        }
        ReturnEvent::Received { refund_minor, .. } => {
            format!("return received, {refund_minor} (minor units) owed")
        }
        ReturnEvent::Rejected { note, .. } => format!("return rejected: {note}"),
    }
}

fn checkout(event: &CheckoutEvent) -> String {
    let words = |outcome: &CheckoutOutcome| match outcome {
        CheckoutOutcome::Confirmed => "confirmed",
        CheckoutOutcome::Failed => "failed",
        CheckoutOutcome::Cancelled => "cancelled",
    };
    match event {
        CheckoutEvent::Started { skus, .. } => {
            format!("checkout started, {} held", counted(skus.len(), "SKU"))
        }
        CheckoutEvent::Compensating { reason, outcome } => {
            format!("checkout is taken back, to end {}: {}", words(outcome), why(reason))
        }
        CheckoutEvent::Ended { outcome } => format!("checkout ended: {}", words(outcome)),
    }
}

fn why(reason: &OrderEndReason) -> String {
    match reason {
        OrderEndReason::PaymentDeclined { decline_code } => {
            format!("payment declined ({decline_code})")
        }
        OrderEndReason::PaymentExpired => "the payment was not certain in time".to_owned(),
        OrderEndReason::OutOfStock => "out of stock".to_owned(),
        OrderEndReason::CaptureFailed { failure_code } => {
            format!("the money could not be captured ({failure_code})")
        }
        OrderEndReason::Requested { note } if note.is_empty() => "requested".to_owned(),
        OrderEndReason::Requested { note } => format!("requested ({note})"),
        OrderEndReason::Other { note } => note.clone(),
    }
}

fn reason_words(reason: ReturnReason) -> &'static str {
    match reason {
        ReturnReason::Damaged => "damaged",
        ReturnReason::WrongItem => "wrong item",
        ReturnReason::NotAsDescribed => "not as described",
        ReturnReason::TooLate => "too late",
        ReturnReason::ChangedMind => "changed mind",
        ReturnReason::Other => "other",
    }
}

fn units(lines: &[LineUnits]) -> String {
    let units: u64 = lines.iter().map(|line| u64::from(line.quantity.get())).sum();
    if units == 1 { "1 unit".to_owned() } else { format!("{units} units") }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
