//! The provider let the authorization lapse.

use super::{Operation, PaymentEvent, PaymentOnRecord, PaymentRejection};

/// Frees what is held; nothing where nothing is held. Refused while an authorization, a capture or
/// a void is unknown: its answer may say that the money moved in time.
pub(super) fn expire_authorization(
    payment: &PaymentOnRecord,
) -> Result<Vec<PaymentEvent>, PaymentRejection> {
    payment.check_known(Operation::Authorize)?;
    if payment.held_minor() == 0 {
        return Ok(vec![]);
    }
    payment.check_known(Operation::Capture)?;
    payment.check_known(Operation::Void)?;
    Ok(vec![PaymentEvent::AuthorizationExpired {}])
}

#[cfg(test)]
mod tests {
    use super::super::PaymentCommand::ExpireAuthorization;
    use super::super::PaymentStatus;
    use super::super::fixtures::{
        authorized, capture_requested, captured, declined, initiated, key, on_record,
    };
    use super::*;

    #[test]
    fn a_lapsed_authorization_holds_nothing() {
        let lapsed = authorized()
            .when(ExpireAuthorization)
            .then_once([PaymentEvent::AuthorizationExpired {}]);
        assert_eq!(on_record(&lapsed).held_minor(), 0);
        assert_eq!(on_record(&lapsed).status(), PaymentStatus::Voided);
    }

    #[test]
    fn captured_or_declined_money_cannot_lapse() {
        captured().when(ExpireAuthorization).then_nothing();
        declined().when(ExpireAuthorization).then_nothing();
    }

    #[test]
    fn what_is_unknown_does_not_lapse() {
        for (payment, operation, name) in [
            (initiated(), Operation::Authorize, "authorize"),
            (authorized().and([capture_requested(1)]), Operation::Capture, "capture"),
        ] {
            payment
                .when(ExpireAuthorization)
                .then_rejected(PaymentRejection::OutcomeUnknown { operation, key: key(name, 1) });
        }
    }
}
