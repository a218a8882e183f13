//! Initiates a payment and asks for the authorization of its full amount.

use super::queries::key;
use super::rejection::{check_positive, check_present};
use super::{Operation, PaymentEvent, PaymentOnRecord, PaymentRejection};
use crate::{Currency, OrderId, PaymentId, PaymentMethodId, Sealed};

pub(super) struct NewPayment<'a> {
    pub(super) payment_id: PaymentId,
    pub(super) order_id: OrderId,
    pub(super) provider: &'a str,
    pub(super) amount_minor: i64,
    pub(super) currency: Currency,
    pub(super) payment_method_id: Option<PaymentMethodId>,
    pub(super) token: &'a Sealed,
}

/// Initiates once. The token is not compared: sealing it again gives another ciphertext.
pub(super) fn initiate(
    state: Option<&PaymentOnRecord>,
    new: &NewPayment<'_>,
) -> Result<Vec<PaymentEvent>, PaymentRejection> {
    if let Some(payment) = state {
        let same = payment.payment_id == new.payment_id
            && payment.order_id == new.order_id
            && payment.provider == new.provider
            && payment.amount_minor == new.amount_minor
            && payment.currency == new.currency;
        return if same {
            Ok(vec![])
        } else {
            Err(PaymentRejection::PaymentDiffers { payment_id: payment.payment_id })
        };
    }
    check_positive(new.amount_minor)?;
    check_present("provider", new.provider)?;
    Ok(vec![
        PaymentEvent::Initiated {
            payment_id: new.payment_id,
            order_id: new.order_id,
            provider: new.provider.to_owned(),
            amount_minor: new.amount_minor,
            currency: new.currency,
            payment_method_id: new.payment_method_id,
            token: new.token.clone(),
        },
        PaymentEvent::AuthorizationRequested {
            key: key(new.order_id, Operation::Authorize, 1),
            attempt: 1,
            amount_minor: new.amount_minor,
        },
    ])
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{initiate, initiated, initiated_events, on_record};
    use super::super::{Payment, PaymentCommand, PaymentStatus};
    use super::*;
    use crate::testing::{given, id};

    fn changed(amount: i64, name: &str, ciphertext: &str) -> PaymentCommand {
        PaymentCommand::Initiate {
            payment_id: id(5),
            order_id: id(1),
            provider: name.to_owned(),
            amount_minor: amount,
            currency: Currency::GBP,
            payment_method_id: Some(id(4)),
            token: Sealed::from_ciphertext(ciphertext.to_owned()),
        }
    }

    #[test]
    fn the_intent_to_authorize_is_on_record_from_the_start() {
        let payment = given::<Payment>([]).when(initiate()).then_once(initiated_events());
        let payment = on_record(&payment);
        assert_eq!(payment.status(), PaymentStatus::Initiated);
        assert!(payment.is_unknown());
        let pending: Vec<_> = payment.pending().map(|(key, _)| key.as_str()).collect();
        assert_eq!(pending, ["00000000-0000-0000-0000-000000000001:authorize:1"]);
    }

    #[test]
    fn a_repeat_may_be_sealed_anew_but_not_changed() {
        initiated()
            .when(changed(1_000, "sandbox", "sealed again"))
            .then_nothing()
            .when(changed(1_001, "sandbox", "sealed"))
            .then_rejected(PaymentRejection::PaymentDiffers { payment_id: id(5) })
            .when(changed(1_000, "stripe", "sealed"))
            .then_rejected(PaymentRejection::PaymentDiffers { payment_id: id(5) });
    }

    #[test]
    fn there_is_something_to_pay_and_someone_to_pay_through() {
        given::<Payment>([])
            .when(changed(0, "sandbox", "sealed"))
            .then_rejected(PaymentRejection::AmountNotPositive { field: "amount_minor", given: 0 })
            .when(changed(1, " ", "sealed"))
            .then_rejected(PaymentRejection::Missing { field: "provider" });
    }

    #[test]
    fn nothing_happens_to_a_payment_that_is_not_there() {
        given::<Payment>([])
            .when(PaymentCommand::RequestCapture)
            .then_rejected(PaymentRejection::NotFound);
    }
}
