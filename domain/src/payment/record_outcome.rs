//! Records what the provider said about one call, whether by reply or by webhook.

use super::bounds::{check_amount, check_captured, check_held};
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
        .ok_or_else(|| PaymentRejection::UnknownKey { key: key.to_owned() })?;
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
            Err(PaymentRejection::ContradictoryOutcome { key: key.to_owned(), recorded, given })
        };
    }
    let event = match outcome {
        ProviderOutcome::Succeeded { amount_minor, provider_reference, expires_at } => {
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
            Ok(PaymentEvent::Captured { key, amount_minor, provider_reference })
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
            Ok(PaymentEvent::Refunded { refund_id, key, amount_minor, provider_reference })
        }
    }
}

fn failed(attempt: &Attempt, key: &str, code: &str) -> Result<PaymentEvent, PaymentRejection> {
    let (key, code) = (key.to_owned(), code.to_owned());
    match (attempt.operation, attempt.refund_id) {
        (Operation::Authorize, _) => {
            Ok(PaymentEvent::AuthorizationDeclined { key, decline_code: code })
        }
        (Operation::Capture, _) => Ok(PaymentEvent::CaptureFailed { key, failure_code: code }),
        (Operation::Void, _) => Ok(PaymentEvent::VoidFailed { key, failure_code: code }),
        (Operation::Refund, Some(refund_id)) => {
            Ok(PaymentEvent::RefundFailed { refund_id, key, failure_code: code })
        }
        (Operation::Refund, None) => Err(PaymentRejection::UnknownKey { key }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{
        authorized, authorized_event, capture_requested, captured, captured_event, declined,
        failure, initiated, key, on_record, refund_key, refund_requested, success,
    };
    use super::super::{PaymentCommand, PaymentStatus};
    use super::*;

    fn authorize(amount_minor: i64) -> PaymentCommand {
        success(Operation::Authorize, key("authorize", 1), amount_minor, "auth_1")
    }

    fn capture(amount_minor: i64) -> PaymentCommand {
        success(Operation::Capture, key("capture", 1), amount_minor, "cap_1")
    }

    #[test]
    fn reply_and_webhook_are_one_fact() {
        let payment = initiated().when(authorize(1_000)).then_once([authorized_event()]);
        assert_eq!(on_record(&payment).status(), PaymentStatus::Authorized);
        assert!(!on_record(&payment).is_unknown());
        payment.when(authorize(999)).then_nothing();
    }

    #[test]
    fn a_capture_is_recorded_once() {
        let payment = authorized()
            .and([capture_requested(1)])
            .when(capture(1_000))
            .then_once([captured_event()]);
        assert_eq!(on_record(&payment).status(), PaymentStatus::Captured);
    }

    #[test]
    fn a_decline_fails_the_payment() {
        let payment = initiated()
            .when(failure(Operation::Authorize, key("authorize", 1)))
            .then_once([PaymentEvent::AuthorizationDeclined {
                key: key("authorize", 1),
                decline_code: "refused".to_owned(),
            }]);
        assert_eq!(on_record(&payment).status(), PaymentStatus::Failed);
    }

    #[test]
    fn the_other_answer_to_the_same_key_is_contradictory() {
        declined().when(authorize(1_000)).then_rejected(PaymentRejection::ContradictoryOutcome {
            key: key("authorize", 1),
            recorded: OutcomeKind::Failed,
            given: OutcomeKind::Succeeded,
        });
        captured().when(failure(Operation::Capture, key("capture", 1))).then_rejected(
            PaymentRejection::ContradictoryOutcome {
                key: key("capture", 1),
                recorded: OutcomeKind::Succeeded,
                given: OutcomeKind::Failed,
            },
        );
    }

    #[test]
    fn a_key_nobody_used_is_unknown() {
        authorized()
            .when(capture(1_000))
            .then_rejected(PaymentRejection::UnknownKey { key: key("capture", 1) })
            .when(success(Operation::Capture, key("authorize", 1), 1_000, "cap_1"))
            .then_rejected(PaymentRejection::OtherOperation {
                key: key("authorize", 1),
                recorded: Operation::Authorize,
                given: Operation::Capture,
            });
    }

    #[test]
    fn a_success_beyond_what_was_asked_for_is_refused() {
        initiated()
            .when(authorize(1_001))
            .then_rejected(PaymentRejection::BeyondRequested {
                key: key("authorize", 1),
                requested: 1_000,
                given: 1_001,
            })
            .when(authorize(0))
            .then_rejected(PaymentRejection::AmountNotPositive { field: "amount_minor", given: 0 });
    }

    /// Facts cannot be refused: where a stream holds what no decision would have written, later
    /// decisions still keep the bounds.
    #[test]
    fn each_bound_is_checked_against_the_books_too() {
        let twice_authorized =
            initiated().and([authorized_event()]).and([PaymentEvent::AuthorizationRequested {
                key: key("authorize", 2),
                attempt: 2,
                amount_minor: 1_000,
            }]);
        twice_authorized
            .when(success(Operation::Authorize, key("authorize", 2), 1, "auth_2"))
            .then_rejected(PaymentRejection::AuthorizedBeyondAmount {
                amount: 1_000,
                authorized: 1_000,
                given: 1,
            });
        captured()
            .and([capture_requested(2)])
            .when(success(Operation::Capture, key("capture", 2), 1, "cap_2"))
            .then_rejected(PaymentRejection::BeyondAuthorized {
                authorized: 1_000,
                captured: 1_000,
                voided: 0,
                given: 1,
            });
        authorized()
            .and([refund_requested(31, 1, 1)])
            .when(success(Operation::Refund, refund_key(31, 1), 1, "re_1"))
            .then_rejected(PaymentRejection::RefundedBeyondCaptured {
                captured: 0,
                refunded: 0,
                under_way: 1,
                given: 1,
            });
    }

    #[test]
    fn a_refund_without_the_providers_reference_cannot_be_told_from_others() {
        captured()
            .and([refund_requested(31, 1, 1)])
            .when(success(Operation::Refund, refund_key(31, 1), 1, ""))
            .then_rejected(PaymentRejection::Missing { field: "provider_reference" });
    }
}
