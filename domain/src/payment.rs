//! Payment: the money of one order at one provider, amount by amount.
//!
//! Before every call to the provider its intent and its idempotency key are on record. A call
//! without an answer is unknown, never failed: it is asked again with the same key. An answer
//! and a webhook are two deliveries of the same fact; the first one counts.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Currency, Decider, OrderId, PaymentId, PaymentMethodId, RefundId, Sealed, Timestamp};

mod adopt_refund;
mod bounds;
mod expire_authorization;
mod initiate;
mod queries;
mod record_outcome;
mod rejection;
mod request_capture;
mod request_refund;
mod request_void;
mod state;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod laws;

pub use rejection::{OutcomeKind, PaymentRejection};
pub use state::{Attempt, PaymentOnRecord, PaymentState};

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

/// The word used on the wire and in keys.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authorize => "authorize",
            Self::Capture => "capture",
            Self::Void => "void",
            Self::Refund => "refund",
        })
    }
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

/// The word used on the wire.
impl fmt::Display for PaymentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Initiated => "initiated",
            Self::Authorized => "authorized",
            Self::Captured => "captured",
            Self::Failed => "failed",
            Self::Voided => "voided",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
        })
    }
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
    /// The provider gave money back. 0 where it told of this very refund before and it was
    /// adopted: the money is in the books already.
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
        /// The provider's own id: of the refund itself, not of the payment, for refunds.
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

/// The aggregate.
#[derive(Debug)]
pub struct Payment;

impl Decider for Payment {
    const CATEGORY: &'static str = "payment";

    type Id = PaymentId;
    type State = PaymentState;
    type Command = PaymentCommand;
    type Event = PaymentEvent;
    type Rejection = PaymentRejection;

    fn decide(
        state: &PaymentState,
        command: &PaymentCommand,
    ) -> Result<Vec<PaymentEvent>, PaymentRejection> {
        let on_record = || state.as_deref().ok_or(PaymentRejection::NotFound);
        match command {
            PaymentCommand::Initiate {
                payment_id,
                order_id,
                provider,
                amount_minor,
                currency,
                payment_method_id,
                token,
            } => initiate::initiate(
                state.as_deref(),
                &initiate::NewPayment {
                    payment_id: *payment_id,
                    order_id: *order_id,
                    provider,
                    amount_minor: *amount_minor,
                    currency: *currency,
                    payment_method_id: *payment_method_id,
                    token,
                },
            ),
            PaymentCommand::RecordOutcome { operation, key, outcome } => {
                record_outcome::record_outcome(on_record()?, *operation, key, outcome)
            }
            PaymentCommand::RequestCapture => request_capture::request_capture(on_record()?),
            PaymentCommand::RequestVoid => request_void::request_void(on_record()?),
            PaymentCommand::RequestRefund { refund_id, amount_minor, reason } => {
                request_refund::request_refund(on_record()?, *refund_id, *amount_minor, reason)
            }
            PaymentCommand::AdoptRefund { refund_id, amount_minor, provider_reference } => {
                adopt_refund::adopt_refund(
                    on_record()?,
                    *refund_id,
                    *amount_minor,
                    provider_reference,
                )
            }
            PaymentCommand::ExpireAuthorization => {
                expire_authorization::expire_authorization(on_record()?)
            }
        }
    }

    fn evolve(state: &mut PaymentState, event: &PaymentEvent) {
        state::evolve(state, event);
    }
}
