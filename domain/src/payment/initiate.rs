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
            Err(PaymentRejection::PaymentDiffers {
                payment_id: payment.payment_id,
            })
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
