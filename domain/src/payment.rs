//! Payment: the money of one order at one provider, amount by amount.
//!
//! Before every call to the provider its intent and its idempotency key are on record. A call
//! without an answer is unknown, never failed: it is asked again with the same key. An answer
//! and a webhook are two deliveries of the same fact; the first one counts.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Currency, OrderId, PaymentId, PaymentMethodId, RefundId, Sealed, Timestamp};

/// A call the provider may be asked to make.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    Authorize,
    Capture,
    Void,
    Refund,
}

/// The one key of one attempt at one operation, `order:operation:attempt` (refunds:
/// `order:refund:refund id:attempt`).
pub type IdempotencyKey = String;

/// The money's state in the field's usual words; derived from the amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    Initiated,
    Authorized,
    Captured,
    Failed,
    Voided,
    PartiallyRefunded,
    Refunded,
}

/// Amounts are minor units of the payment's currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum PaymentEvent {
    Initiated {
        payment_id: PaymentId,
        order_id: OrderId,
        provider: String,
        amount_minor: i64,
        currency: Currency,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payment_method_id: Option<PaymentMethodId>,
        /// The provider's token, sealed under the payer's key.
        token: Sealed,
    },
    /// Intent, on record before the call.
    AuthorizationRequested {
        key: IdempotencyKey,
        attempt: u32,
        amount_minor: i64,
    },
    Authorized {
        key: IdempotencyKey,
        amount_minor: i64,
        provider_reference: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
    AuthorizationDeclined {
        key: IdempotencyKey,
        decline_code: String,
    },
    /// The provider let the authorization lapse.
    AuthorizationExpired {},
    CaptureRequested {
        key: IdempotencyKey,
        attempt: u32,
        amount_minor: i64,
    },
    Captured {
        key: IdempotencyKey,
        amount_minor: i64,
        provider_reference: String,
    },
    CaptureFailed {
        key: IdempotencyKey,
        failure_code: String,
    },
    VoidRequested {
        key: IdempotencyKey,
        attempt: u32,
    },
    /// What was authorized and not captured is free again.
    Voided {
        key: IdempotencyKey,
        amount_minor: i64,
    },
    VoidFailed {
        key: IdempotencyKey,
        failure_code: String,
    },
    RefundRequested {
        refund_id: RefundId,
        key: IdempotencyKey,
        attempt: u32,
        amount_minor: i64,
        reason: String,
    },
    Refunded {
        refund_id: RefundId,
        key: IdempotencyKey,
        amount_minor: i64,
        provider_reference: String,
    },
    RefundFailed {
        refund_id: RefundId,
        key: IdempotencyKey,
        failure_code: String,
    },
    /// A refund made at the provider itself, taken over into the books.
    RefundAdopted {
        refund_id: RefundId,
        amount_minor: i64,
        provider_reference: String,
    },
}

/// What the provider said about one key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ProviderOutcome {
    Succeeded {
        amount_minor: i64,
        provider_reference: String,
        expires_at: Option<Timestamp>,
    },
    /// Final; the money did not move.
    Failed { code: String },
}

#[derive(Debug, Clone, PartialEq)]
pub enum PaymentCommand {
    /// Initiates and requests the authorization of the full amount.
    Initiate {
        payment_id: PaymentId,
        order_id: OrderId,
        provider: String,
        amount_minor: i64,
        currency: Currency,
        payment_method_id: Option<PaymentMethodId>,
        token: Sealed,
    },
    /// Records what the provider said about an operation, whether by reply or by webhook. An
    /// outcome already on record yields nothing; success after a recorded failure of the same key
    /// is refused as contradictory.
    RecordOutcome {
        operation: Operation,
        key: IdempotencyKey,
        outcome: ProviderOutcome,
    },
    /// Intent to capture what is authorized.
    RequestCapture,
    /// Intent to void what is authorized and not captured. Nothing if there is nothing to void.
    RequestVoid,
    /// Intent to give money back; refused beyond captured − refunded − refunds under way.
    RequestRefund {
        refund_id: RefundId,
        amount_minor: i64,
        reason: String,
    },
    /// A refund the provider reports that nobody here asked for.
    AdoptRefund {
        refund_id: RefundId,
        amount_minor: i64,
        provider_reference: String,
    },
    ExpireAuthorization,
}

/// One intent and what became of it; `None` is unknown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    pub operation: Operation,
    pub amount_minor: i64,
    pub refund_id: Option<RefundId>,
    pub outcome: Option<ProviderOutcome>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PaymentOnRecord {
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    pub provider: String,
    pub currency: Currency,
    pub amount_minor: i64,
    pub token: Sealed,
    pub authorized_minor: i64,
    pub captured_minor: i64,
    pub voided_minor: i64,
    pub refunded_minor: i64,
    pub authorization_expires_at: Option<Timestamp>,
    pub attempts: BTreeMap<IdempotencyKey, Attempt>,
    /// Provider references of refunds on record.
    pub refund_references: BTreeSet<String>,
    pub failed: bool,
}

/// `None` until initiated.
pub type PaymentState = Option<Box<PaymentOnRecord>>;

/// The aggregate.
#[derive(Debug)]
pub struct Payment;
