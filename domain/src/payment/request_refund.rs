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

#[cfg(test)]
mod tests {
    use super::super::PaymentStatus;
    use super::super::fixtures::{
        adopted, authorized, capture_requested, captured, failure, key, on_record, refund,
        refund_key, refund_requested, success,
    };
    use super::*;
    use crate::testing::id;

    #[test]
    fn a_refund_is_asked_for_once() {
        let asked = captured().when(refund(31, 400)).then_once([refund_requested(31, 1, 400)]);
        assert_eq!(on_record(&asked).refundable_minor(), 600);
        asked.when(refund(31, 401)).then_rejected(PaymentRejection::RefundDiffers {
            refund_id: id(31),
            recorded: 400,
            given: 401,
        });
    }

    #[test]
    fn refunds_under_way_count() {
        captured()
            .and([refund_requested(31, 1, 600)])
            .when(refund(32, 600))
            .then_rejected(PaymentRejection::RefundedBeyondCaptured {
                captured: 1_000,
                refunded: 0,
                under_way: 600,
                given: 600,
            })
            .when(refund(33, 400))
            .then_once([refund_requested(33, 1, 400)]);
    }

    #[test]
    fn a_failed_refund_frees_its_amount_and_may_be_asked_for_again() {
        let again = captured()
            .when(refund(31, 1_000))
            .then_once([refund_requested(31, 1, 1_000)])
            .when(failure(Operation::Refund, refund_key(31, 1)))
            .then_once([PaymentEvent::RefundFailed {
                refund_id: id(31),
                key: refund_key(31, 1),
                failure_code: "refused".to_owned(),
            }])
            .when(refund(31, 1_000))
            .then_once([refund_requested(31, 2, 1_000)]);
        assert_eq!(on_record(&again).next_refund_key(id(31)), refund_key(31, 3));
        assert_eq!(on_record(&again).next_key(Operation::Refund), None);
    }

    #[test]
    fn parts_add_up_to_refunded() {
        let mut payment = captured();
        for (refund_number, status) in
            [(31, PaymentStatus::PartiallyRefunded), (32, PaymentStatus::Refunded)]
        {
            let reference = format!("re_{refund_number}");
            payment = payment
                .when(refund(refund_number, 500))
                .then_once([refund_requested(refund_number, 1, 500)])
                .when(success(Operation::Refund, refund_key(refund_number, 1), 500, &reference))
                .then_once([PaymentEvent::Refunded {
                    refund_id: id(refund_number),
                    key: refund_key(refund_number, 1),
                    amount_minor: 500,
                    provider_reference: reference,
                }]);
            assert_eq!(on_record(&payment).status(), status);
        }
        payment.when(refund(31, 500)).then_nothing();
    }

    #[test]
    fn only_captured_money_is_given_back() {
        authorized().when(refund(31, 1)).then_rejected(PaymentRejection::RefundedBeyondCaptured {
            captured: 0,
            refunded: 0,
            under_way: 0,
            given: 1,
        });
        authorized().and([capture_requested(1)]).when(refund(31, 1)).then_rejected(
            PaymentRejection::OutcomeUnknown {
                operation: Operation::Capture,
                key: key("capture", 1),
            },
        );
    }

    #[test]
    fn a_refund_gives_something() {
        for given in [0, -1] {
            captured().when(refund(31, given)).then_rejected(PaymentRejection::AmountNotPositive {
                field: "amount_minor",
                given,
            });
        }
    }

    #[test]
    fn an_adopted_refund_is_not_asked_for() {
        captured().and([adopted(31, 400, "re_1")]).when(refund(31, 400)).then_nothing();
    }
}
