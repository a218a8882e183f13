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
            Err(CheckoutRejection::AlreadyEnded { current, requested: outcome })
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

#[cfg(test)]
mod tests {
    use super::super::fixtures::{compensating_event, end, ended_event, started};
    use super::CheckoutOutcome::{Cancelled, Confirmed, Failed};
    use super::*;

    #[test]
    fn a_checkout_ends_once() {
        started()
            .when(end(Confirmed))
            .then_once([ended_event(Confirmed)])
            .when(end(Failed))
            .then_rejected(CheckoutRejection::AlreadyEnded {
                current: Confirmed,
                requested: Failed,
            });
    }

    #[test]
    fn a_checkout_that_turned_back_ends_as_it_said() {
        for outcome in [Failed, Cancelled] {
            started()
                .and([compensating_event(outcome)])
                .when(end(Confirmed))
                .then_rejected(CheckoutRejection::Compensating {
                    compensating: outcome,
                    requested: Confirmed,
                })
                .when(end(outcome))
                .then_once([ended_event(outcome)]);
        }
        started().and([compensating_event(Failed)]).when(end(Cancelled)).then_rejected(
            CheckoutRejection::Compensating { compensating: Failed, requested: Cancelled },
        );
    }

    #[test]
    fn a_checkout_that_did_not_turn_back_can_only_be_confirmed() {
        for requested in [Failed, Cancelled] {
            started()
                .when(end(requested))
                .then_rejected(CheckoutRejection::NotCompensating { requested });
        }
    }
}
