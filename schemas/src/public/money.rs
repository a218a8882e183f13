//! What is told of payments. No means of payment, no token and no key is in it.

use domain::{Currency, OrderId, PaymentId, RefundId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Money was reserved, taken, or set free; in minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentMoved {
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    /// Name of the provider.
    pub provider: String,
    pub currency: Currency,
    pub amount_minor: i64,
    /// The provider's own id of what it did, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_reference: Option<String>,
}

/// The provider would not, or could not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentFailed {
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    /// Name of the provider.
    pub provider: String,
    /// The provider's own word for why.
    pub provider_code: String,
}

/// A reservation of money lapsed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentExpired {
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    /// Name of the provider.
    pub provider: String,
}

/// Money went back; in minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentRefunded {
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    pub refund_id: RefundId,
    /// Name of the provider.
    pub provider: String,
    pub currency: Currency,
    pub amount_minor: i64,
    /// The provider's own id of the refund.
    pub provider_reference: String,
    /// It was made at the provider, not here.
    pub made_at_provider: bool,
}

/// Money could not go back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RefundFailed {
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    pub refund_id: RefundId,
    /// Name of the provider.
    pub provider: String,
    /// The provider's own word for why.
    pub provider_code: String,
}
