//! Intent to void what is authorized and not captured.

use super::{Operation, PaymentEvent, PaymentOnRecord, PaymentRejection};

/// Asks to void what is held: nothing while a void is unknown or where nothing is held. Refused
/// while an authorization or a capture is unknown, since what is held is unknown too.
pub(super) fn request_void(
    payment: &PaymentOnRecord,
) -> Result<Vec<PaymentEvent>, PaymentRejection> {
    payment.check_known(Operation::Authorize)?;
    payment.check_known(Operation::Capture)?;
    if payment.held_minor() == 0 || payment.check_known(Operation::Void).is_err() {
        return Ok(vec![]);
    }
    let (key, attempt) = payment.next_attempt(Operation::Void);
    Ok(vec![PaymentEvent::VoidRequested { key, attempt }])
}

#[cfg(test)]
mod tests {
    use super::super::PaymentCommand::RequestVoid;
    use super::super::PaymentStatus;
    use super::super::fixtures::{
        authorized, capture_requested, captured, declined, initiated, key, on_record, success,
    };
    use super::*;

    fn void_requested(attempt: u32) -> PaymentEvent {
        PaymentEvent::VoidRequested { key: key("void", attempt), attempt }
    }

    #[test]
    fn what_is_held_is_voided_once() {
        let voided = authorized()
            .when(RequestVoid)
            .then_once([void_requested(1)])
            .when(success(Operation::Void, key("void", 1), 1_000, ""))
            .then_once([PaymentEvent::Voided { key: key("void", 1), amount_minor: 1_000 }])
            .when(RequestVoid)
            .then_nothing();
        assert_eq!(on_record(&voided).status(), PaymentStatus::Voided);
    }

    #[test]
    fn nothing_to_void_is_nothing() {
        captured().when(RequestVoid).then_nothing();
        declined().when(RequestVoid).then_nothing();
    }

    #[test]
    fn after_a_failure_there_is_another_attempt() {
        authorized()
            .and([
                void_requested(1),
                PaymentEvent::VoidFailed {
                    key: key("void", 1),
                    failure_code: "try_later".to_owned(),
                },
            ])
            .when(RequestVoid)
            .then_once([void_requested(2)]);
    }

    #[test]
    fn what_is_unknown_cannot_be_voided() {
        initiated().when(RequestVoid).then_rejected(PaymentRejection::OutcomeUnknown {
            operation: Operation::Authorize,
            key: key("authorize", 1),
        });
        authorized().and([capture_requested(1)]).when(RequestVoid).then_rejected(
            PaymentRejection::OutcomeUnknown {
                operation: Operation::Capture,
                key: key("capture", 1),
            },
        );
    }

    #[test]
    fn only_what_was_not_captured_is_voided() {
        let partly = authorized().and([
            capture_requested(1),
            PaymentEvent::Captured {
                key: key("capture", 1),
                amount_minor: 400,
                provider_reference: "cap_1".to_owned(),
            },
        ]);
        assert_eq!(on_record(&partly).held_minor(), 600);
        partly
            .when(RequestVoid)
            .then_once([void_requested(1)])
            .when(success(Operation::Void, key("void", 1), 601, ""))
            .then_rejected(PaymentRejection::BeyondRequested {
                key: key("void", 1),
                requested: 600,
                given: 601,
            });
    }
}
