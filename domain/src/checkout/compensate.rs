//! A checkout turns back: what was taken is given back, step by step.

use super::{CheckoutEvent, CheckoutOnRecord, CheckoutOutcome, CheckoutRejection};
use crate::order::OrderEndReason;

/// Turns back once; the first reason and outcome stay. Refused after the end.
pub(super) fn compensate(
    checkout: &CheckoutOnRecord,
    reason: &OrderEndReason,
    outcome: CheckoutOutcome,
) -> Result<Vec<CheckoutEvent>, CheckoutRejection> {
    match outcome {
        CheckoutOutcome::Confirmed => {
            return Err(CheckoutRejection::NotCompensable {
                field: "outcome",
                given: outcome,
            });
        }
        CheckoutOutcome::Failed | CheckoutOutcome::Cancelled => {}
    }
    if let Some(current) = checkout.outcome {
        return Err(CheckoutRejection::CompensatedAfterEnd {
            current,
            requested: outcome,
        });
    }
    if checkout.compensating.is_some() {
        return Ok(vec![]);
    }
    Ok(vec![CheckoutEvent::Compensating {
        reason: reason.clone(),
        outcome,
    }])
}
