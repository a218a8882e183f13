//! Intent to capture what is authorized.

use super::{
    Operation, PaymentEvent, PaymentOnRecord, PaymentRejection, PaymentStatus, ProviderOutcome,
};

/// Asks to capture once: nothing while a capture is unknown or after one succeeded, a new attempt
/// after one failed. Refused while an authorization or a void is unknown, and where nothing is
/// held.
pub(super) fn request_capture(
    payment: &PaymentOnRecord,
) -> Result<Vec<PaymentEvent>, PaymentRejection> {
    let done_or_unknown = payment
        .attempts_at(Operation::Capture)
        .any(|attempt| !matches!(attempt.outcome, Some(ProviderOutcome::Failed { .. })));
    if done_or_unknown {
        return Ok(vec![]);
    }
    payment.check_known(Operation::Authorize)?;
    payment.check_known(Operation::Void)?;
    let amount_minor = payment.held_minor();
    if amount_minor == 0 {
        return Err(PaymentRejection::NothingToCapture {
            current: payment.status(),
            requested: PaymentStatus::Captured,
        });
    }
    let (key, attempt) = payment.next_attempt(Operation::Capture);
    Ok(vec![PaymentEvent::CaptureRequested { key, attempt, amount_minor }])
}

#[cfg(test)]
mod tests {
    use super::super::PaymentCommand::RequestCapture;
    use super::super::fixtures::{
        authorized, capture_requested, captured, declined, initiated, key, on_record,
    };
    use super::*;

    #[test]
    fn all_that_is_held_is_captured_once() {
        let asked = authorized().when(RequestCapture).then_once([capture_requested(1)]);
        assert!(on_record(&asked).is_unknown());
        captured().when(RequestCapture).then_nothing();
    }

    #[test]
    fn after_a_failure_the_next_attempt_has_its_own_key() {
        let failed = authorized().and([
            capture_requested(1),
            PaymentEvent::CaptureFailed {
                key: key("capture", 1),
                failure_code: "try_later".to_owned(),
            },
        ]);
        assert_eq!(on_record(&failed).status(), PaymentStatus::Authorized);
        assert_eq!(on_record(&failed).next_key(Operation::Capture), Some(key("capture", 2)));
        failed.when(RequestCapture).then_once([capture_requested(2)]);
    }

    #[test]
    fn an_unknown_authorization_cannot_be_captured() {
        initiated().when(RequestCapture).then_rejected(PaymentRejection::OutcomeUnknown {
            operation: Operation::Authorize,
            key: key("authorize", 1),
        });
    }

    #[test]
    fn an_unknown_void_may_have_freed_the_money() {
        authorized()
            .and([PaymentEvent::VoidRequested { key: key("void", 1), attempt: 1 }])
            .when(RequestCapture)
            .then_rejected(PaymentRejection::OutcomeUnknown {
                operation: Operation::Void,
                key: key("void", 1),
            });
    }

    #[test]
    fn what_is_not_held_cannot_be_captured() {
        let lapsed = authorized().and([PaymentEvent::AuthorizationExpired {}]);
        for (payment, current) in
            [(declined(), PaymentStatus::Failed), (lapsed, PaymentStatus::Voided)]
        {
            payment.when(RequestCapture).then_rejected(PaymentRejection::NothingToCapture {
                current,
                requested: PaymentStatus::Captured,
            });
        }
    }
}
