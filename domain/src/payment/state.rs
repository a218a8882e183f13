//! The folded state of a payment, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    IdempotencyKey, Operation, PaymentEvent, PaymentRejection, PaymentStatus, ProviderOutcome,
};
use crate::{Currency, OrderId, PaymentId, RefundId, Sealed, Timestamp};

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
    /// Authorized and free again, because it was voided or lapsed.
    pub voided_minor: i64,
    pub refunded_minor: i64,
    pub authorization_expires_at: Option<Timestamp>,
    pub attempts: BTreeMap<IdempotencyKey, Attempt>,
    /// Provider references of refunds on record.
    pub refund_references: BTreeSet<String>,
    /// Refunds taken over from the provider, and their amounts.
    pub adopted_refunds: BTreeMap<RefundId, i64>,
    pub failed: bool,
}

/// `None` until initiated.
pub type PaymentState = Option<Box<PaymentOnRecord>>;

impl PaymentOnRecord {
    /// The money's state in one word.
    #[must_use]
    pub const fn status(&self) -> PaymentStatus {
        if self.refunded_minor > 0 {
            if self.refunded_minor >= self.captured_minor {
                PaymentStatus::Refunded
            } else {
                PaymentStatus::PartiallyRefunded
            }
        } else if self.captured_minor > 0 {
            PaymentStatus::Captured
        } else if self.failed {
            PaymentStatus::Failed
        } else if self.authorized_minor == 0 {
            PaymentStatus::Initiated
        } else if self.voided_minor >= self.authorized_minor {
            PaymentStatus::Voided
        } else {
            PaymentStatus::Authorized
        }
    }

    /// Whether the provider still owes an answer to some call.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.pending().next().is_some()
    }

    /// Calls without an answer, with the key each must be (re)tried with.
    pub fn pending(&self) -> impl Iterator<Item = (&IdempotencyKey, &Attempt)> {
        self.attempts
            .iter()
            .filter(|(_, attempt)| attempt.outcome.is_none())
    }

    /// What may still be given back: captured − refunded − refunds under way.
    #[must_use]
    pub fn refundable_minor(&self) -> i64 {
        self.captured_minor
            .saturating_sub(self.refunded_minor)
            .saturating_sub(self.refunds_under_way_minor())
            .max(0)
    }

    /// What refunds without an answer ask for.
    #[must_use]
    pub fn refunds_under_way_minor(&self) -> i64 {
        self.pending()
            .filter(|(_, attempt)| attempt.operation == Operation::Refund)
            .fold(0, |sum, (_, attempt)| {
                sum.saturating_add(attempt.amount_minor)
            })
    }

    /// What is authorized and neither captured nor free again.
    #[must_use]
    pub fn held_minor(&self) -> i64 {
        self.authorized_minor
            .saturating_sub(self.captured_minor)
            .saturating_sub(self.voided_minor)
            .max(0)
    }

    /// The key of the next attempt at `operation`; `None` for refunds, which have a key each, see
    /// [`Self::next_refund_key`].
    #[must_use]
    pub fn next_key(&self, operation: Operation) -> Option<IdempotencyKey> {
        match operation {
            Operation::Authorize | Operation::Capture | Operation::Void => {
                Some(self.next_attempt(operation).0)
            }
            Operation::Refund => None,
        }
    }

    /// The key of the next attempt at one refund.
    #[must_use]
    pub fn next_refund_key(&self, refund_id: RefundId) -> IdempotencyKey {
        self.next_refund_attempt(refund_id).0
    }

    pub(super) fn next_attempt(&self, operation: Operation) -> (IdempotencyKey, u32) {
        let number = self.attempt_number(operation, None);
        (key(self.order_id, operation, number), number)
    }

    pub(super) fn next_refund_attempt(&self, refund_id: RefundId) -> (IdempotencyKey, u32) {
        let number = self.attempt_number(Operation::Refund, Some(refund_id));
        let order = self.order_id;
        (format!("{order}:refund:{refund_id}:{number}"), number)
    }

    fn attempt_number(&self, operation: Operation, refund_id: Option<RefundId>) -> u32 {
        self.attempts_at(operation)
            .filter(|attempt| attempt.refund_id == refund_id)
            .fold(1, |number, _| number.saturating_add(1))
    }

    pub(super) fn attempts_at(&self, operation: Operation) -> impl Iterator<Item = &Attempt> {
        self.attempts
            .values()
            .filter(move |attempt| attempt.operation == operation)
    }

    /// Refuses while the outcome of an operation is unknown.
    pub(super) fn check_known(&self, operation: Operation) -> Result<(), PaymentRejection> {
        let unknown = self
            .pending()
            .find(|(_, attempt)| attempt.operation == operation);
        match unknown {
            None => Ok(()),
            Some((key, _)) => Err(PaymentRejection::OutcomeUnknown {
                operation,
                key: key.clone(),
            }),
        }
    }

    fn requested(
        &mut self,
        key: &str,
        operation: Operation,
        amount_minor: i64,
        refund_id: Option<RefundId>,
    ) {
        let attempt = Attempt {
            operation,
            amount_minor,
            refund_id,
            outcome: None,
        };
        self.attempts.insert(key.to_owned(), attempt);
    }

    fn succeeded(
        &mut self,
        key: &str,
        amount_minor: i64,
        provider_reference: &str,
        expires_at: Option<Timestamp>,
    ) {
        if let Some(attempt) = self.attempts.get_mut(key) {
            attempt.outcome = Some(ProviderOutcome::Succeeded {
                amount_minor,
                provider_reference: provider_reference.to_owned(),
                expires_at,
            });
        }
    }

    fn failed(&mut self, key: &str, code: &str) {
        if let Some(attempt) = self.attempts.get_mut(key) {
            attempt.outcome = Some(ProviderOutcome::Failed {
                code: code.to_owned(),
            });
        }
    }
}

/// The key of an attempt that is no refund.
pub(super) fn key(order_id: OrderId, operation: Operation, attempt: u32) -> IdempotencyKey {
    format!("{order_id}:{operation}:{attempt}")
}

pub(super) fn evolve(state: &mut PaymentState, event: &PaymentEvent) {
    if let PaymentEvent::Initiated {
        payment_id,
        order_id,
        provider,
        amount_minor,
        currency,
        payment_method_id: _,
        token,
    } = event
    {
        *state = Some(Box::new(PaymentOnRecord {
            payment_id: *payment_id,
            order_id: *order_id,
            provider: provider.clone(),
            currency: *currency,
            amount_minor: *amount_minor,
            token: token.clone(),
            authorized_minor: 0,
            captured_minor: 0,
            voided_minor: 0,
            refunded_minor: 0,
            authorization_expires_at: None,
            attempts: BTreeMap::new(),
            refund_references: BTreeSet::new(),
            adopted_refunds: BTreeMap::new(),
            failed: false,
        }));
    } else if let Some(payment) = state {
        apply(payment, event);
    }
}

fn apply(payment: &mut PaymentOnRecord, event: &PaymentEvent) {
    let add = |sum: &mut i64, amount: i64| *sum = sum.saturating_add(amount);
    match event {
        PaymentEvent::Initiated { .. } => {}
        PaymentEvent::AuthorizationRequested {
            key, amount_minor, ..
        } => payment.requested(key, Operation::Authorize, *amount_minor, None),
        PaymentEvent::Authorized {
            key,
            amount_minor,
            provider_reference,
            expires_at,
        } => {
            payment.succeeded(key, *amount_minor, provider_reference, *expires_at);
            add(&mut payment.authorized_minor, *amount_minor);
            payment.authorization_expires_at = *expires_at;
        }
        PaymentEvent::AuthorizationDeclined { key, decline_code } => {
            payment.failed(key, decline_code);
            payment.failed = true;
        }
        PaymentEvent::AuthorizationExpired {} => {
            let held = payment.held_minor();
            add(&mut payment.voided_minor, held);
        }
        PaymentEvent::CaptureRequested {
            key, amount_minor, ..
        } => payment.requested(key, Operation::Capture, *amount_minor, None),
        PaymentEvent::Captured {
            key,
            amount_minor,
            provider_reference,
        } => {
            payment.succeeded(key, *amount_minor, provider_reference, None);
            add(&mut payment.captured_minor, *amount_minor);
        }
        PaymentEvent::CaptureFailed { key, failure_code }
        | PaymentEvent::VoidFailed { key, failure_code }
        | PaymentEvent::RefundFailed {
            key, failure_code, ..
        } => payment.failed(key, failure_code),
        PaymentEvent::VoidRequested { key, .. } => {
            let held = payment.held_minor();
            payment.requested(key, Operation::Void, held, None);
        }
        PaymentEvent::Voided { key, amount_minor } => {
            payment.succeeded(key, *amount_minor, "", None);
            add(&mut payment.voided_minor, *amount_minor);
        }
        PaymentEvent::RefundRequested {
            refund_id,
            key,
            amount_minor,
            ..
        } => payment.requested(key, Operation::Refund, *amount_minor, Some(*refund_id)),
        PaymentEvent::Refunded {
            key,
            amount_minor,
            provider_reference,
            ..
        } => {
            payment.succeeded(key, *amount_minor, provider_reference, None);
            add(&mut payment.refunded_minor, *amount_minor);
            payment.refund_references.insert(provider_reference.clone());
        }
        PaymentEvent::RefundAdopted {
            refund_id,
            amount_minor,
            provider_reference,
        } => {
            add(&mut payment.refunded_minor, *amount_minor);
            payment.refund_references.insert(provider_reference.clone());
            payment.adopted_refunds.insert(*refund_id, *amount_minor);
        }
    }
}
