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
