//! What the engine asks of a payment provider, and what a provider may answer.
//!
//! The caller stores its intent and its key before it calls; the port knows no saga, no
//! journal and no HTTP. The adapter inside the engine is the [`SandboxProvider`].

mod account;
mod call;
mod ledger;
mod ledger_totals;
mod rules;
mod sandbox;
mod webhook_body;
mod webhooks;

#[cfg(test)]
mod sandbox_tests;
#[cfg(test)]
mod webhooks_tests;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::payment::ProviderOutcome;
use domain::{Money, OrderId, PaymentId};

pub use commands::{Timer, TokioTimer};
pub use ledger_totals::{LedgerReader, PaymentTotals};
pub use rules::{
    Behaviour, Fault, NoFaults, SandboxFaults, SandboxRules, TEST_TOKENS, WebhookManner,
};
pub use sandbox::{SandboxOptions, SandboxProvider};
pub use webhook_body::{PaymentWebhook, PaymentWebhookData};
pub use webhooks::{WebhookSink, WebhookSinkError};

/// Reads the time; the composition root chooses the clock.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Codes of [`GatewayReply::Declined`] and [`GatewayReply::Failed`] that the sandbox gives.
pub mod code {
    /// The card's bank refused, without a reason.
    pub const DECLINED: &str = "card_declined";
    pub const INSUFFICIENT_FUNDS: &str = "insufficient_funds";
    pub const CAPTURE_FAILED: &str = "capture_failed";
    pub const VOID_FAILED: &str = "void_failed";
    pub const REFUND_FAILED: &str = "refund_failed";
    /// An amount of zero or less.
    pub const INVALID_AMOUNT: &str = "invalid_amount";
    /// More than is left to capture or to refund.
    pub const AMOUNT_TOO_LARGE: &str = "amount_too_large";
    pub const CURRENCY_MISMATCH: &str = "currency_mismatch";
    pub const NO_SUCH_PAYMENT: &str = "no_such_payment";
    pub const AUTHORIZATION_EXPIRED: &str = "authorization_expired";
    pub const NOTHING_TO_VOID: &str = "nothing_to_void";
    /// The key was used before with other parameters.
    pub const IDEMPOTENCY_KEY_REUSE: &str = "idempotency_key_reuse";
    /// The key itself is empty, longer than [`super::KEY_BYTES_MAX`], or has control characters.
    pub const INVALID_IDEMPOTENCY_KEY: &str = "invalid_idempotency_key";
}

/// Longest idempotency key, in bytes.
pub const KEY_BYTES_MAX: usize = 255;

/// Asks for `amount` to be set aside.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizeRequest {
    pub key: String,
    pub order_id: OrderId,
    pub payment_id: PaymentId,
    pub amount: Money,
    /// The provider's token for the card or account, opened; never logged.
    pub token: String,
}

impl fmt::Debug for AuthorizeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizeRequest")
            .field("key", &self.key)
            .field("order_id", &self.order_id)
            .field("payment_id", &self.payment_id)
            .field("amount", &self.amount)
            .field("token", &"…")
            .finish()
    }
}

/// Asks for `amount` of what is authorized to be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureRequest {
    pub key: String,
    /// What the authorization's answer named.
    pub provider_reference: String,
    pub amount: Money,
}

/// Asks for all that is authorized and not captured to be freed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoidRequest {
    pub key: String,
    /// What the authorization's answer named.
    pub provider_reference: String,
}

/// Asks for `amount` of what is captured to be given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequest {
    pub key: String,
    /// What the authorization's answer named.
    pub provider_reference: String,
    pub amount: Money,
}

/// What the provider said about one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayReply {
    /// Done. `amount_minor` is what moved, in minor units of the payment's currency. The
    /// reference is the payment's own, the same for its authorization, captures and void; a
    /// refund has a reference of its own. `expires_at` only for an authorization.
    Succeeded { provider_reference: String, amount_minor: i64, expires_at: Option<DateTime<Utc>> },
    /// Final: the payer's bank said no; no money moved.
    Declined { code: String },
    /// Final: the provider could not do it; no money moved.
    Failed { code: String },
    /// Accepted, outcome not known yet: it comes by webhook, and [`PaymentGateway::lookup`]
    /// tells it from then on.
    Pending,
}

impl GatewayReply {
    /// The outcome to put on record; `None` while it is not known.
    #[must_use]
    pub fn outcome(&self) -> Option<ProviderOutcome> {
        match self {
            Self::Succeeded { provider_reference, amount_minor, expires_at } => {
                Some(ProviderOutcome::Succeeded {
                    amount_minor: *amount_minor,
                    provider_reference: provider_reference.clone(),
                    expires_at: *expires_at,
                })
            }
            Self::Declined { code } | Self::Failed { code } => {
                Some(ProviderOutcome::Failed { code: code.clone() })
            }
            Self::Pending => None,
        }
    }
}

/// A call that did not end in a reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// Timed out or connection lost: the work may be done or not. The caller MUST NOT take it
    /// for a failure; it asks again with the same key until it gets a reply.
    #[error("the provider's answer is not known: {why}")]
    Unknown { why: String },
    /// The call contradicts an earlier one or is malformed; this call moved no money, an earlier
    /// one with the same key may have. Asking again does not help: an operator must look.
    #[error("the provider refused the request itself: {code}")]
    Misused { code: String },
}

/// A payment provider.
///
/// An adapter MUST hold to this, whatever happens to the process or the connection:
///
/// - A key stands for one piece of work, done at most once. A call with a key seen before does
///   nothing and gives the same answer, a decline or a failure included, for at least 24 hours.
///   Two calls with one key at the same time do the work once.
/// - A key seen before with other parameters is [`GatewayError::Misused`].
/// - Whatever leaves the outcome open (time-out, lost connection, 5xx, an answer that cannot be
///   read) is [`GatewayError::Unknown`], never a failure. `Declined` and `Failed` are final.
/// - refunded ≤ captured ≤ authorized, per payment; what would break it is `Failed`.
/// - Amounts are minor units of the currency; none is ever rounded or converted.
/// - Dropping the future of a call leaves the outcome unknown, nothing worse.
#[async_trait]
pub trait PaymentGateway: Send + Sync {
    /// The provider's name as it stands in payments, such as `sandbox`.
    fn name(&self) -> &str;

    async fn authorize(&self, request: AuthorizeRequest) -> Result<GatewayReply, GatewayError>;

    async fn capture(&self, request: CaptureRequest) -> Result<GatewayReply, GatewayError>;

    async fn void(&self, request: VoidRequest) -> Result<GatewayReply, GatewayError>;

    async fn refund(&self, request: RefundRequest) -> Result<GatewayReply, GatewayError>;

    /// What is known about a key, without doing anything. `None`: the provider has not seen it
    /// so far; a call on its way may still arrive, so `None` proves nothing about the money.
    async fn lookup(&self, key: &str) -> Result<Option<GatewayReply>, GatewayError>;
}
