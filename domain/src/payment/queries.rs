//! What follows from a payment's amounts and attempts.

use super::{Attempt, IdempotencyKey, Operation, PaymentOnRecord, PaymentRejection, PaymentStatus};
use crate::{OrderId, RefundId};

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
        self.attempts.iter().filter(|(_, attempt)| attempt.outcome.is_none())
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
            .fold(0, |sum, (_, attempt)| sum.saturating_add(attempt.amount_minor))
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
        self.attempts.values().filter(move |attempt| attempt.operation == operation)
    }

    /// Refuses while the outcome of an operation is unknown.
    pub(super) fn check_known(&self, operation: Operation) -> Result<(), PaymentRejection> {
        let unknown = self.pending().find(|(_, attempt)| attempt.operation == operation);
        match unknown {
            None => Ok(()),
            Some((key, _)) => Err(PaymentRejection::OutcomeUnknown { operation, key: key.clone() }),
        }
    }
}

/// The key of an attempt that is no refund.
pub(super) fn key(order_id: OrderId, operation: Operation, attempt: u32) -> IdempotencyKey {
    format!("{order_id}:{operation}:{attempt}")
}
