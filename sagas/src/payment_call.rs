//! A call to a payment provider that is intended and not yet answered.

use commands::{Stop, Unit};
use domain::payment::{Attempt, Operation, Payment, PaymentOnRecord, ProviderOutcome};
use domain::{Money, OrderId, PaymentId, Sealed};

/// Everything needed to make the call, or to make it again with the same key.
#[derive(Debug, Clone, PartialEq)]
pub struct PaymentCall {
    pub order_id: OrderId,
    pub payment_id: PaymentId,
    pub provider: String,
    pub operation: Operation,
    /// The idempotency key on record.
    pub key: String,
    pub amount: Money,
    /// For authorizations.
    pub token: Sealed,
    /// What the authorization's answer named; empty before there is one.
    pub provider_reference: String,
}

/// The payment's calls without an answer.
pub fn calls_of(unit: &mut Unit<'_>, payment_id: PaymentId) -> Result<Vec<PaymentCall>, Stop> {
    let payment = unit.state::<Payment>(&payment_id)?;
    Ok(payment.as_deref().map(pending_calls).unwrap_or_default())
}

/// The payment's calls without an answer.
#[must_use]
pub fn pending_calls(payment: &PaymentOnRecord) -> Vec<PaymentCall> {
    let call = |(key, attempt): (&String, &Attempt)| PaymentCall {
        order_id: payment.order_id,
        payment_id: payment.payment_id,
        provider: payment.provider.clone(),
        operation: attempt.operation,
        key: key.clone(),
        amount: Money::new(attempt.amount_minor, payment.currency),
        token: payment.token.clone(),
        provider_reference: authorization_reference(payment),
    };
    payment.pending().map(call).collect()
}

fn authorization_reference(payment: &PaymentOnRecord) -> String {
    let authorized = payment.attempts.values().find_map(|attempt| match &attempt.outcome {
        Some(ProviderOutcome::Succeeded { provider_reference, .. })
            if attempt.operation == Operation::Authorize =>
        {
            Some(provider_reference.clone())
        }
        Some(_) | None => None,
    });
    authorized.unwrap_or_default()
}
