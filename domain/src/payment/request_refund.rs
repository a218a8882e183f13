//! Intent to give money back.

use super::rejection::check_positive;
use super::{Operation, PaymentEvent, PaymentOnRecord, PaymentRejection, ProviderOutcome};
use crate::RefundId;

/// Asks for a refund once: nothing while it is unknown or after it succeeded, a new attempt after
/// it failed. Refunds under way count as if they were made.
pub(super) fn request_refund(
    payment: &PaymentOnRecord,
    refund_id: RefundId,
    amount_minor: i64,
    reason: &str,
) -> Result<Vec<PaymentEvent>, PaymentRejection> {
    if let Some(recorded) = recorded_amount(payment, refund_id) {
        if recorded != amount_minor {
            return Err(PaymentRejection::RefundDiffers {
                refund_id,
                recorded,
                given: amount_minor,
            });
        }
        if !has_only_failed(payment, refund_id) {
            return Ok(vec![]);
        }
    }
    check_positive(amount_minor)?;
    check_refundable(payment, amount_minor)?;
    let (key, attempt) = payment.next_refund_attempt(refund_id);
    Ok(vec![PaymentEvent::RefundRequested {
        refund_id,
        key,
        attempt,
        amount_minor,
        reason: reason.to_owned(),
    }])
}

/// Refuses what is beyond captured − refunded − refunds under way.
pub(super) fn check_refundable(
    payment: &PaymentOnRecord,
    amount_minor: i64,
) -> Result<(), PaymentRejection> {
    if amount_minor <= payment.refundable_minor() {
        return Ok(());
    }
    payment.check_known(Operation::Capture)?;
    Err(PaymentRejection::RefundedBeyondCaptured {
        captured: payment.captured_minor,
        refunded: payment.refunded_minor,
        under_way: payment.refunds_under_way_minor(),
        given: amount_minor,
    })
}

/// What a refund was asked or adopted for.
pub(super) fn recorded_amount(payment: &PaymentOnRecord, refund_id: RefundId) -> Option<i64> {
    let asked = payment
        .attempts_at(Operation::Refund)
        .find(|attempt| attempt.refund_id == Some(refund_id))
        .map(|attempt| attempt.amount_minor);
    asked.or_else(|| payment.adopted_refunds.get(&refund_id).copied())
}

fn has_only_failed(payment: &PaymentOnRecord, refund_id: RefundId) -> bool {
    !payment.adopted_refunds.contains_key(&refund_id)
        && payment
            .attempts_at(Operation::Refund)
            .filter(|attempt| attempt.refund_id == Some(refund_id))
            .all(|attempt| matches!(attempt.outcome, Some(ProviderOutcome::Failed { .. })))
}
