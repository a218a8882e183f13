//! A checkout is over.

use super::{CheckoutEvent, CheckoutOnRecord, CheckoutOutcome, CheckoutRejection};

/// Ends once: confirmed on the way there, otherwise as the compensation said.
pub(super) fn end(
    checkout: &CheckoutOnRecord,
    outcome: CheckoutOutcome,
) -> Result<Vec<CheckoutEvent>, CheckoutRejection> {
    if let Some(current) = checkout.outcome {
        return if current == outcome {
            Ok(vec![])
        } else {
            Err(CheckoutRejection::AlreadyEnded {
                current,
                requested: outcome,
            })
        };
    }
    match (&checkout.compensating, outcome) {
        (None, CheckoutOutcome::Confirmed) => {}
        (None, CheckoutOutcome::Failed | CheckoutOutcome::Cancelled) => {
            return Err(CheckoutRejection::NotCompensating { requested: outcome });
        }
        (Some((_, compensating)), _) if *compensating == outcome => {}
        (Some((_, compensating)), _) => {
            return Err(CheckoutRejection::Compensating {
                compensating: *compensating,
                requested: outcome,
            });
        }
    }
    Ok(vec![CheckoutEvent::Ended { outcome }])
}
