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
