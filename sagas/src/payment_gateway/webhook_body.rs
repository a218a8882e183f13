//! What the sandbox's webhooks say.

use chrono::{DateTime, Utc};
use domain::payment::Operation;
use domain::{Currency, OrderId, PaymentId};
use serde::{Deserialize, Serialize};

use super::account::{Answered, Outcome};

/// The body of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentWebhook {
    /// `payment.authorized`, `payment.declined`, `payment.captured`, `payment.capture_failed`,
    /// `payment.voided`, `payment.void_failed`, `payment.refunded` or `payment.refund_failed`.
    #[serde(rename = "type")]
    pub kind: String,
    pub timestamp: DateTime<Utc>,
    pub data: PaymentWebhookData,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentWebhookData {
    /// The idempotency key of the call; absent for what was done at the provider itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub order_id: OrderId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<PaymentId>,
    /// What moved, or what was asked for if nothing did; minor units.
    pub amount_minor: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// As in the reply: a refund's own reference, else the payment's.
    pub provider_reference: String,
    /// The reference that captures, voids and refunds of the payment are made with.
    pub payment_reference: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl PaymentWebhook {
    /// `None` for an operation on a payment nobody knows.
    pub(super) fn of(answered: &Answered) -> Option<Self> {
        let owner = answered.payment?;
        let (succeeded, amount_minor, provider_reference, expires_at, code) =
            match answered.outcome.clone() {
                Outcome::Succeeded { provider_reference, amount_minor, expires_at } => {
                    (true, amount_minor, provider_reference, expires_at, None)
                }
                Outcome::Declined { code } | Outcome::Failed { code } => {
                    let reference = answered.payment_reference.clone();
                    (false, answered.amount_minor, reference, None, Some(code))
                }
            };
        let kind = match (answered.operation, succeeded) {
            (Operation::Authorize, true) => "payment.authorized",
            (Operation::Authorize, false) => "payment.declined",
            (Operation::Capture, true) => "payment.captured",
            (Operation::Capture, false) => "payment.capture_failed",
            (Operation::Void, true) => "payment.voided",
            (Operation::Void, false) => "payment.void_failed",
            (Operation::Refund, true) => "payment.refunded",
            (Operation::Refund, false) => "payment.refund_failed",
        };
        Some(Self {
            kind: kind.to_owned(),
            timestamp: answered.at,
            data: PaymentWebhookData {
                key: (!answered.direct).then(|| answered.key.clone()),
                order_id: owner.order_id,
                payment_id: Some(owner.payment_id),
                amount_minor,
                currency: answered.currency,
                provider_reference,
                payment_reference: answered.payment_reference.clone(),
                expires_at,
                code,
            },
        })
    }
}
