//! Refunded ≤ captured ≤ authorized ≤ amount, and captured + voided ≤ authorized.

use super::{PaymentOnRecord, PaymentRejection};

/// Authorized stays within the payment's amount.
pub(super) fn check_amount(payment: &PaymentOnRecord, given: i64) -> Result<(), PaymentRejection> {
    let free = payment.amount_minor.saturating_sub(payment.authorized_minor);
    if given <= free {
        Ok(())
    } else {
        Err(PaymentRejection::AuthorizedBeyondAmount {
            amount: payment.amount_minor,
            authorized: payment.authorized_minor,
            given,
        })
    }
}

/// Captured and voided together stay within what is authorized.
pub(super) fn check_held(payment: &PaymentOnRecord, given: i64) -> Result<(), PaymentRejection> {
    if given <= payment.held_minor() {
        Ok(())
    } else {
        Err(PaymentRejection::BeyondAuthorized {
            authorized: payment.authorized_minor,
            captured: payment.captured_minor,
            voided: payment.voided_minor,
            given,
        })
    }
}

/// Refunded stays within what is captured. Refunds under way hold their share already.
pub(super) fn check_captured(
    payment: &PaymentOnRecord,
    given: i64,
) -> Result<(), PaymentRejection> {
    let left = payment.captured_minor.saturating_sub(payment.refunded_minor);
    if given <= left {
        Ok(())
    } else {
        Err(PaymentRejection::RefundedBeyondCaptured {
            captured: payment.captured_minor,
            refunded: payment.refunded_minor,
            under_way: payment.refunds_under_way_minor(),
            given,
        })
    }
}
