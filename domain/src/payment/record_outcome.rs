//! Records what the provider said about one call, whether by reply or by webhook.

use super::rejection::{check_positive, check_present};
use super::{
    Attempt, Operation, OutcomeKind, PaymentEvent, PaymentOnRecord, PaymentRejection,
    ProviderOutcome,
};
use crate::Timestamp;

/// The first answer counts: the same kind of answer again yields nothing, the other kind is
/// refused as contradictory. A success that would break a bound is refused too, since the books
/// would then say what cannot be.
pub(super) fn record_outcome(
    payment: &PaymentOnRecord,
    operation: Operation,
    key: &str,
    outcome: &ProviderOutcome,
) -> Result<Vec<PaymentEvent>, PaymentRejection> {
    let attempt = payment
        .attempts
        .get(key)
        .ok_or_else(|| PaymentRejection::UnknownKey {
            key: key.to_owned(),
        })?;
    if attempt.operation != operation {
        return Err(PaymentRejection::OtherOperation {
            key: key.to_owned(),
            recorded: attempt.operation,
            given: operation,
        });
    }
    let given = OutcomeKind::from(outcome);
    if let Some(recorded) = attempt.outcome.as_ref().map(OutcomeKind::from) {
        return if recorded == given {
            Ok(vec![])
        } else {
            Err(PaymentRejection::ContradictoryOutcome {
                key: key.to_owned(),
                recorded,
                given,
            })
        };
    }
    let event = match outcome {
        ProviderOutcome::Succeeded {
            amount_minor,
            provider_reference,
            expires_at,
        } => {
            let success = Success {
                key,
                amount_minor: *amount_minor,
                provider_reference,
                expires_at: *expires_at,
            };
            succeeded(payment, attempt, &success)?
        }
        ProviderOutcome::Failed { code } => failed(attempt, key, code)?,
    };
    Ok(vec![event])
}

struct Success<'a> {
    key: &'a str,
    amount_minor: i64,
    provider_reference: &'a str,
    expires_at: Option<Timestamp>,
}

fn succeeded(
    payment: &PaymentOnRecord,
    attempt: &Attempt,
    success: &Success<'_>,
) -> Result<PaymentEvent, PaymentRejection> {
    let key = success.key.to_owned();
    let amount_minor = success.amount_minor;
    let provider_reference = success.provider_reference.to_owned();
    check_positive(amount_minor)?;
    if amount_minor > attempt.amount_minor {
        return Err(PaymentRejection::BeyondRequested {
            key,
            requested: attempt.amount_minor,
            given: amount_minor,
        });
    }
    match (attempt.operation, attempt.refund_id) {
        (Operation::Authorize, _) => {
            check_amount(payment, amount_minor)?;
            Ok(PaymentEvent::Authorized {
                key,
                amount_minor,
                provider_reference,
                expires_at: success.expires_at,
            })
        }
        (Operation::Capture, _) => {
            check_held(payment, amount_minor)?;
            Ok(PaymentEvent::Captured {
                key,
                amount_minor,
                provider_reference,
            })
        }
        (Operation::Void, _) => {
            check_held(payment, amount_minor)?;
            Ok(PaymentEvent::Voided { key, amount_minor })
        }
        (Operation::Refund, None) => Err(PaymentRejection::UnknownKey { key }),
        (Operation::Refund, Some(refund_id)) => {
            check_present("provider_reference", &provider_reference)?;
            // Adopted before its answer came: that refund is in the books, so no more is added.
            let adopted = payment.refund_references.contains(&provider_reference);
            let amount_minor = if adopted { 0 } else { amount_minor };
            check_captured(payment, amount_minor)?;
            Ok(PaymentEvent::Refunded {
                refund_id,
                key,
                amount_minor,
                provider_reference,
            })
        }
    }
}

fn failed(attempt: &Attempt, key: &str, code: &str) -> Result<PaymentEvent, PaymentRejection> {
    let (key, code) = (key.to_owned(), code.to_owned());
    match (attempt.operation, attempt.refund_id) {
        (Operation::Authorize, _) => Ok(PaymentEvent::AuthorizationDeclined {
            key,
            decline_code: code,
        }),
        (Operation::Capture, _) => Ok(PaymentEvent::CaptureFailed {
            key,
            failure_code: code,
        }),
        (Operation::Void, _) => Ok(PaymentEvent::VoidFailed {
            key,
            failure_code: code,
        }),
        (Operation::Refund, Some(refund_id)) => Ok(PaymentEvent::RefundFailed {
            refund_id,
            key,
            failure_code: code,
        }),
        (Operation::Refund, None) => Err(PaymentRejection::UnknownKey { key }),
    }
}

/// Authorized stays within the payment's amount.
fn check_amount(payment: &PaymentOnRecord, given: i64) -> Result<(), PaymentRejection> {
    let free = payment
        .amount_minor
        .saturating_sub(payment.authorized_minor);
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
fn check_held(payment: &PaymentOnRecord, given: i64) -> Result<(), PaymentRejection> {
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
fn check_captured(payment: &PaymentOnRecord, given: i64) -> Result<(), PaymentRejection> {
    let left = payment
        .captured_minor
        .saturating_sub(payment.refunded_minor);
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
