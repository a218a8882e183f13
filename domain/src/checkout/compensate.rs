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
            return Err(CheckoutRejection::NotCompensable { field: "outcome", given: outcome });
        }
        CheckoutOutcome::Failed | CheckoutOutcome::Cancelled => {}
    }
    if let Some(current) = checkout.outcome {
        return Err(CheckoutRejection::CompensatedAfterEnd { current, requested: outcome });
    }
    if checkout.compensating.is_some() {
        return Ok(vec![]);
    }
    Ok(vec![CheckoutEvent::Compensating { reason: reason.clone(), outcome }])
}

#[cfg(test)]
mod tests {
    use super::super::Checkout;
    use super::super::fixtures::{compensate, compensating_event, ended_event, started};
    use super::CheckoutOutcome::{Cancelled, Confirmed, Failed};
    use super::*;
    use crate::testing::given;

    #[test]
    fn the_first_reason_wins() {
        let turned = started()
            .when(compensate(OrderEndReason::OutOfStock, Failed))
            .then_once([compensating_event(Failed)])
            .when(compensate(OrderEndReason::PaymentExpired, Cancelled))
            .then_nothing();
        assert_eq!(
            turned.state().as_ref().unwrap().compensating,
            Some((OrderEndReason::OutOfStock, Failed))
        );
    }

    #[test]
    fn an_ended_checkout_does_not_turn_back() {
        started()
            .and([ended_event(Confirmed)])
            .when(compensate(OrderEndReason::OutOfStock, Failed))
            .then_rejected(CheckoutRejection::CompensatedAfterEnd {
                current: Confirmed,
                requested: Failed,
            });
        started()
            .and([compensating_event(Failed), ended_event(Failed)])
            .when(compensate(OrderEndReason::OutOfStock, Failed))
            .then_rejected(CheckoutRejection::CompensatedAfterEnd {
                current: Failed,
                requested: Failed,
            });
    }

    #[test]
    fn turning_back_does_not_lead_to_confirmed() {
        started().when(compensate(OrderEndReason::OutOfStock, Confirmed)).then_rejected(
            CheckoutRejection::NotCompensable { field: "outcome", given: Confirmed },
        );
    }

    #[test]
    fn nothing_happens_to_a_checkout_that_is_not_there() {
        given::<Checkout>([])
            .when(compensate(OrderEndReason::OutOfStock, Failed))
            .then_rejected(CheckoutRejection::NotFound);
    }
}
