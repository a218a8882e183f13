//! Takes over a refund the provider made without being asked from here.

use super::rejection::{check_positive, check_present};
use super::request_refund::{check_refundable, recorded_amount};
use super::{PaymentEvent, PaymentOnRecord, PaymentRejection};
use crate::RefundId;

/// Adopts a refund once: nothing where its provider reference is already on record.
///
/// While refunds of our own are under way it may be one of them whose answer is late, so it is
/// bounded as a request is.
pub(super) fn adopt_refund(
    payment: &PaymentOnRecord,
    refund_id: RefundId,
    amount_minor: i64,
    provider_reference: &str,
) -> Result<Vec<PaymentEvent>, PaymentRejection> {
    check_present("provider_reference", provider_reference)?;
    if payment.refund_references.contains(provider_reference) {
        return Ok(vec![]);
    }
    if recorded_amount(payment, refund_id).is_some() {
        return Err(PaymentRejection::RefundIdTaken { refund_id });
    }
    check_positive(amount_minor)?;
    check_refundable(payment, amount_minor)?;
    Ok(vec![PaymentEvent::RefundAdopted {
        refund_id,
        amount_minor,
        provider_reference: provider_reference.to_owned(),
    }])
}

#[cfg(test)]
mod tests {
    use super::super::Operation;
    use super::super::fixtures::{
        adopt, adopted, captured, on_record, refund, refund_key, refund_requested, success,
    };
    use super::*;
    use crate::testing::id;

    #[test]
    fn a_refund_made_at_the_provider_is_taken_over_once() {
        let payment = captured()
            .when(adopt(41, 400, "re_1"))
            .then_once([adopted(41, 400, "re_1")])
            .when(adopt(42, 400, "re_1"))
            .then_nothing();
        assert_eq!(on_record(&payment).refundable_minor(), 600);
    }

    #[test]
    fn our_own_refund_is_not_adopted() {
        captured()
            .when(refund(31, 400))
            .then([refund_requested(31, 1, 400)])
            .when(success(Operation::Refund, refund_key(31, 1), 400, "re_1"))
            .then([PaymentEvent::Refunded {
                refund_id: id(31),
                key: refund_key(31, 1),
                amount_minor: 400,
                provider_reference: "re_1".to_owned(),
            }])
            .when(adopt(41, 400, "re_1"))
            .then_nothing();
    }

    /// The webhook of our own refund beat the answer, and did not say that it was ours.
    #[test]
    fn a_refund_adopted_before_its_answer_counts_once() {
        let payment = captured()
            .and([refund_requested(31, 1, 400)])
            .when(adopt(41, 400, "re_1"))
            .then_once([adopted(41, 400, "re_1")])
            .when(success(Operation::Refund, refund_key(31, 1), 400, "re_1"))
            .then_once([PaymentEvent::Refunded {
                refund_id: id(31),
                key: refund_key(31, 1),
                amount_minor: 0,
                provider_reference: "re_1".to_owned(),
            }]);
        assert_eq!(on_record(&payment).refunded_minor, 400);
        assert_eq!(on_record(&payment).refundable_minor(), 600);
    }

    #[test]
    fn an_adopted_refund_stays_within_what_was_captured() {
        captured()
            .and([refund_requested(31, 1, 700)])
            .when(adopt(41, 301, "re_9"))
            .then_rejected(PaymentRejection::RefundedBeyondCaptured {
                captured: 1_000,
                refunded: 0,
                under_way: 700,
                given: 301,
            })
            .when(adopt(31, 300, "re_9"))
            .then_rejected(PaymentRejection::RefundIdTaken { refund_id: id(31) })
            .when(adopt(41, 0, "re_9"))
            .then_rejected(PaymentRejection::AmountNotPositive { field: "amount_minor", given: 0 })
            .when(adopt(41, 300, ""))
            .then_rejected(PaymentRejection::Missing { field: "provider_reference" });
    }
}
