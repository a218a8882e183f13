//! Why a payment command was refused.

use serde::Serialize;

use super::{IdempotencyKey, Operation, PaymentStatus, ProviderOutcome};
use crate::{PaymentId, RefundId, Rejection, RejectionKind};

/// Which way a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    Succeeded,
    Failed,
}

/// Which rule of a payment was broken, and what was seen. Amounts are minor units.
#[derive(Debug, Clone, PartialEq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum PaymentRejection {
    #[error("there is no such payment")]
    NotFound,
    #[error("payment {payment_id} is already on record with other content")]
    PaymentDiffers { payment_id: PaymentId },
    #[error("{field} must be above 0, not {given}")]
    AmountNotPositive { field: &'static str, given: i64 },
    #[error("{field} must not be empty")]
    Missing { field: &'static str },
    #[error("no call with the key `{key}` is on record")]
    UnknownKey { key: IdempotencyKey },
    #[error("the key `{key}` belongs to an operation of another kind: {recorded}, not {given}")]
    OtherOperation { key: IdempotencyKey, recorded: Operation, given: Operation },
    #[error("the call `{key}` has {recorded} on record, now it is said to have {given}")]
    ContradictoryOutcome { key: IdempotencyKey, recorded: OutcomeKind, given: OutcomeKind },
    #[error("the outcome of the {operation} `{key}` is unknown")]
    OutcomeUnknown { operation: Operation, key: IdempotencyKey },
    #[error("a payment that is {current} cannot become {requested}: nothing is held")]
    NothingToCapture { current: PaymentStatus, requested: PaymentStatus },
    #[error("the call `{key}` asked for {requested}, a success of {given} is beyond that")]
    BeyondRequested { key: IdempotencyKey, requested: i64, given: i64 },
    #[error("authorized must stay within {amount}: {authorized} and {given} more do not")]
    AuthorizedBeyondAmount { amount: i64, authorized: i64, given: i64 },
    #[error(
        "captured and voided must stay within {authorized} authorized: {captured} + {voided} and {given} more do not"
    )]
    BeyondAuthorized { authorized: i64, captured: i64, voided: i64, given: i64 },
    #[error(
        "refunded must stay within {captured} captured: {refunded} refunded, {under_way} under way and {given} more do not"
    )]
    RefundedBeyondCaptured { captured: i64, refunded: i64, under_way: i64, given: i64 },
    #[error("refund {refund_id} is already on record as {recorded}, not {given}")]
    RefundDiffers { refund_id: RefundId, recorded: i64, given: i64 },
    #[error("refund {refund_id} is already on record as another refund of the provider")]
    RefundIdTaken { refund_id: RefundId },
}

impl From<&ProviderOutcome> for OutcomeKind {
    fn from(outcome: &ProviderOutcome) -> Self {
        match outcome {
            ProviderOutcome::Succeeded { .. } => Self::Succeeded,
            ProviderOutcome::Failed { .. } => Self::Failed,
        }
    }
}

impl std::fmt::Display for OutcomeKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        })
    }
}

impl Rejection for PaymentRejection {
    fn kind(&self) -> RejectionKind {
        match self {
            Self::NotFound | Self::UnknownKey { .. } => RejectionKind::NotFound,
            Self::AmountNotPositive { .. } | Self::Missing { .. } => RejectionKind::Invalid,
            Self::PaymentDiffers { .. }
            | Self::OtherOperation { .. }
            | Self::ContradictoryOutcome { .. }
            | Self::OutcomeUnknown { .. }
            | Self::NothingToCapture { .. }
            | Self::BeyondRequested { .. }
            | Self::AuthorizedBeyondAmount { .. }
            | Self::BeyondAuthorized { .. }
            | Self::RefundedBeyondCaptured { .. }
            | Self::RefundDiffers { .. }
            | Self::RefundIdTaken { .. } => RejectionKind::Conflict,
        }
    }
}

/// An amount that moves money.
pub(super) fn check_positive(amount_minor: i64) -> Result<(), PaymentRejection> {
    if amount_minor > 0 {
        Ok(())
    } else {
        Err(PaymentRejection::AmountNotPositive { field: "amount_minor", given: amount_minor })
    }
}

pub(super) fn check_present(field: &'static str, text: &str) -> Result<(), PaymentRejection> {
    if text.trim().is_empty() { Err(PaymentRejection::Missing { field }) } else { Ok(()) }
}
