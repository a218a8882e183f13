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
    Ok(vec![PaymentEvent::CaptureRequested {
        key,
        attempt,
        amount_minor,
    }])
}
