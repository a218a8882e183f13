//! The checkout: from a cart to an order that is confirmed, failed or cancelled, each exactly once.
//!
//! Happy path:                              undone by
//!   hold stock, lock the cart, place         release, give back, fail or cancel the order
//!   authorize                                void
//!   capture                                  refund
//!   confirm, drop the cart's lines           (nothing: the order stands)
//!
//! Every call to the provider is an intent on record first, in the same unit as the result of the
//! step before. What to do next is worked out from the states alone, so it does not matter whether
//! a step follows at once, after a crash, or when a webhook brings the answer.

mod next;
mod place;

use commands::{Stop, Unit, known};
use domain::OrderId;
use domain::cart::{Cart, CartCommand};
use domain::checkout::{Checkout, CheckoutCommand, CheckoutOutcome};
use domain::order::{By, Order, OrderCommand, OrderEndReason, OrderStatus};
use domain::payment::{Operation, Payment, PaymentCommand, ProviderOutcome};

use crate::payment_call::{PaymentCall, calls_of};

pub use next::{Next, next};
pub use place::{AgreedLine, Charges, PayBy, PlaceOrder, Placed, ShipTo, ShopPolicy, place};

/// Steps one unit may take; a process that would take more is going in circles.
const STEPS_MAX: usize = 8;

/// Takes every step that can be taken now, and returns the calls that are now intended and were
/// not before. Harmless when repeated.
pub fn advance(unit: &mut Unit<'_>, order_id: OrderId) -> Result<Vec<PaymentCall>, Stop> {
    let Some(checkout) = unit.state::<Checkout>(&order_id)?.as_deref().cloned() else {
        return Ok(Vec::new());
    };
    let payment_id = checkout.payment_id;
    let before = calls_of(unit, payment_id)?;
    for _ in 0..STEPS_MAX {
        let checkout = unit.state::<Checkout>(&order_id)?.as_deref().cloned();
        let payment = unit.state::<Payment>(&payment_id)?.as_deref().cloned();
        let (Some(checkout), Some(payment)) = (checkout, payment) else {
            break;
        };
        let by = By { actor: unit.actor(), now: unit.now() };
        match next(&checkout, &payment) {
            Next::Wait | Next::Nothing => break,
            Next::Capture => {
                unit.execute::<Payment>(&payment_id, &PaymentCommand::RequestCapture)?;
            }
            Next::Confirm => {
                unit.execute::<Order>(&order_id, &OrderCommand::Confirm(by))?;
                let command = CartCommand::CompleteCheckout { order_id };
                unit.execute::<Cart>(&checkout.cart_id, &command)?;
                let command = CheckoutCommand::End { outcome: CheckoutOutcome::Confirmed };
                unit.execute::<Checkout>(&order_id, &command)?;
            }
            Next::Compensate(reason) => {
                let outcome = CheckoutOutcome::Failed;
                let command = CheckoutCommand::Compensate { reason, outcome };
                unit.execute::<Checkout>(&order_id, &command)?;
            }
            Next::Void => {
                unit.execute::<Payment>(&payment_id, &PaymentCommand::RequestVoid)?;
            }
            Next::Refund { amount_minor } => {
                let refund_id = unit.new_id();
                let reason = "the order ended without goods".to_owned();
                let command = PaymentCommand::RequestRefund { refund_id, amount_minor, reason };
                unit.execute::<Payment>(&payment_id, &command)?;
            }
            Next::Undo { reason, outcome } => {
                commands::stock_desk::release_all(unit, order_id, &checkout.skus)?;
                let expires_at = give_back_until(unit, &checkout)?;
                let command = CartCommand::ReleaseCheckout { order_id, expires_at };
                unit.execute::<Cart>(&checkout.cart_id, &command)?;
                let command = match outcome {
                    CheckoutOutcome::Cancelled => OrderCommand::Cancel { reason, by },
                    CheckoutOutcome::Failed | CheckoutOutcome::Confirmed => {
                        OrderCommand::Fail { reason, by }
                    }
                };
                unit.execute::<Order>(&order_id, &command)?;
                unit.execute::<Checkout>(&order_id, &CheckoutCommand::End { outcome })?;
            }
        }
    }
    let mut calls = calls_of(unit, payment_id)?;
    calls.retain(|call| before.iter().all(|known| known.key != call.key));
    Ok(calls)
}

/// A cart that gets its lines back lives on for at least a day, so that the shopper finds them.
fn give_back_until(
    unit: &mut Unit<'_>,
    checkout: &domain::checkout::CheckoutOnRecord,
) -> Result<domain::Timestamp, Stop> {
    let soonest = unit.now() + chrono::Duration::days(1);
    let cart = unit.state::<Cart>(&checkout.cart_id)?.open.as_ref();
    Ok(cart.map_or(soonest, |cart| cart.expires_at.max(soonest)))
}

/// Records what the provider said, by whatever way it came, and goes on from there.
pub fn record_outcome(
    unit: &mut Unit<'_>,
    order_id: OrderId,
    operation: Operation,
    key: &str,
    outcome: &ProviderOutcome,
) -> Result<Vec<PaymentCall>, Stop> {
    let order = unit.state::<Order>(&order_id)?.as_ref();
    let order = known(order, "order", order_id)?;
    let payment_id = *known(order.payment_id.as_ref(), "payment of order", order_id)?;
    let command =
        PaymentCommand::RecordOutcome { operation, key: key.to_owned(), outcome: outcome.clone() };
    unit.execute::<Payment>(&payment_id, &command)?;
    advance(unit, order_id)
}

/// Cancels an order that has not been paid for yet, or has not left the house. Money that was or
/// may be taken goes back first. Harmless when repeated.
pub fn cancel(
    unit: &mut Unit<'_>,
    order_id: OrderId,
    note: &str,
) -> Result<Vec<PaymentCall>, Stop> {
    let order = unit.state::<Order>(&order_id)?.as_deref().cloned();
    let order = known(order.as_ref(), "order", order_id)?.clone();
    let reason = OrderEndReason::Requested { note: note.to_owned() };
    if order.status == OrderStatus::Pending {
        let outcome = CheckoutOutcome::Cancelled;
        unit.execute::<Checkout>(&order_id, &CheckoutCommand::Compensate { reason, outcome })?;
        return advance(unit, order_id);
    }
    let by = By { actor: unit.actor(), now: unit.now() };
    if unit.execute::<Order>(&order_id, &OrderCommand::Cancel { reason, by })? == 0 {
        return Ok(Vec::new());
    }
    let mut skus: Vec<_> = order.lines.values().map(|line| line.sku_id).collect();
    skus.sort_unstable();
    skus.dedup();
    commands::stock_desk::release_all(unit, order_id, &skus)?;
    let Some(payment_id) = order.payment_id else {
        return Ok(Vec::new());
    };
    let payment = unit.state::<Payment>(&payment_id)?.as_ref();
    let amount_minor = payment.map_or(0, |payment| payment.refundable_minor());
    if amount_minor == 0 {
        return Ok(Vec::new());
    }
    crate::refunds::request(unit, order_id, amount_minor, note).map(|(_, calls)| calls)
}
