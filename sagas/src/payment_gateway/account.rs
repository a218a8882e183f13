//! What stands in the sandbox's ledger, and the fold of one payment's events into its amounts.

use chrono::{DateTime, Utc};
use domain::payment::Operation;
use domain::{Currency, OrderId, PaymentId};
use serde::{Deserialize, Serialize};

use super::rules::{Behaviour, WebhookManner};
use super::{GatewayReply, code};

/// What one key came to; the only event of its stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Answered {
    pub(super) operation: Operation,
    pub(super) key: String,
    /// Digest of the parameters, to tell a repeat from a misuse.
    pub(super) parameters: String,
    /// The payment's reference; what was asked for, if there is no such payment.
    pub(super) payment_reference: String,
    /// `None` when there is no such payment.
    pub(super) payment: Option<Owner>,
    pub(super) amount_minor: i64,
    pub(super) currency: Option<Currency>,
    pub(super) outcome: Outcome,
    pub(super) at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pending_until: Option<DateTime<Utc>>,
    #[serde(default)]
    pub(super) webhook: WebhookManner,
    /// Made at the provider itself, not by a call of the engine's.
    #[serde(default)]
    pub(super) direct: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    pub(super) order_id: OrderId,
    pub(super) payment_id: PaymentId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Succeeded {
        provider_reference: String,
        amount_minor: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
    },
    Declined {
        code: String,
    },
    Failed {
        code: String,
    },
}

impl Answered {
    pub(super) fn reply(&self, now: DateTime<Utc>) -> GatewayReply {
        if self.pending_until.is_some_and(|until| now < until) {
            return GatewayReply::Pending;
        }
        match self.outcome.clone() {
            Outcome::Succeeded { provider_reference, amount_minor, expires_at } => {
                GatewayReply::Succeeded { provider_reference, amount_minor, expires_at }
            }
            Outcome::Declined { code } => GatewayReply::Declined { code },
            Outcome::Failed { code } => GatewayReply::Failed { code },
        }
    }
}

/// The first event of an account: money is set aside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Opened {
    #[serde(flatten)]
    pub(super) owner: Owner,
    pub(super) key: String,
    pub(super) authorized_minor: i64,
    pub(super) currency: Currency,
    pub(super) expires_at: DateTime<Utc>,
    /// What the token asked for, if anything; the token itself is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) behaviour: Option<Behaviour>,
}

/// Any later event of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Moved {
    pub(super) operation: Operation,
    pub(super) key: String,
    pub(super) amount_minor: i64,
}

/// One payment's amounts, in minor units: the fold of its account stream.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Account {
    pub(super) version: u64,
    pub(super) opened: Opened,
    pub(super) captured_minor: i64,
    pub(super) voided_minor: i64,
    pub(super) refunded_minor: i64,
}

impl Account {
    pub(super) fn new(opened: Opened) -> Self {
        Self { version: 1, opened, captured_minor: 0, voided_minor: 0, refunded_minor: 0 }
    }

    pub(super) fn apply(&mut self, moved: &Moved) {
        self.version += 1;
        let sum = match moved.operation {
            // An account is authorized once, by its first event.
            Operation::Authorize => return,
            Operation::Capture => &mut self.captured_minor,
            Operation::Void => &mut self.voided_minor,
            Operation::Refund => &mut self.refunded_minor,
        };
        *sum = sum.saturating_add(moved.amount_minor);
    }

    pub(super) fn uncaptured_minor(&self) -> i64 {
        self.opened.authorized_minor - self.captured_minor - self.voided_minor
    }

    /// The amount that `operation` may move now, or the code of the rule it breaks.
    pub(super) fn allow(
        &self,
        operation: Operation,
        amount_minor: i64,
        currency: Option<Currency>,
        now: DateTime<Utc>,
    ) -> Result<i64, &'static str> {
        if currency.is_some_and(|currency| currency != self.opened.currency) {
            return Err(code::CURRENCY_MISMATCH);
        }
        let left = match operation {
            Operation::Authorize => 0,
            Operation::Capture if now >= self.opened.expires_at => {
                return Err(code::AUTHORIZATION_EXPIRED);
            }
            Operation::Capture => self.uncaptured_minor(),
            Operation::Void if self.uncaptured_minor() == 0 => return Err(code::NOTHING_TO_VOID),
            Operation::Void => return Ok(self.uncaptured_minor()),
            Operation::Refund => self.captured_minor - self.refunded_minor,
        };
        match amount_minor {
            ..=0 => Err(code::INVALID_AMOUNT),
            amount if amount > left => Err(code::AMOUNT_TOO_LARGE),
            amount => Ok(amount),
        }
    }
}
