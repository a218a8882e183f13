//! What becomes of the locked lines when their order is decided.

use super::{CartEvent, CartRejection, CartState};
use crate::{OrderId, Timestamp};

fn is_pending(state: &CartState, order_id: OrderId) -> bool {
    state
        .open
        .as_ref()
        .and_then(|cart| cart.pending.as_ref())
        .is_some_and(|pending| pending.order_id == order_id)
}

/// The order is confirmed: the locked lines are gone.
pub(super) fn complete(
    state: &CartState,
    order_id: OrderId,
) -> Result<Vec<CartEvent>, CartRejection> {
    if is_pending(state, order_id) {
        Ok(vec![CartEvent::CheckoutCompleted { order_id }])
    } else if state.last_order == Some(order_id) {
        Ok(vec![])
    } else if state.last_released == Some(order_id) {
        Err(CartRejection::CheckoutReleased { order_id })
    } else {
        Err(CartRejection::CheckoutNotPending { order_id })
    }
}

/// The order ended without goods: the locked lines come back. An order that locked nothing here
/// has nothing to give back, so a compensation may always ask.
pub(super) fn release(
    state: &CartState,
    order_id: OrderId,
    expires_at: Timestamp,
) -> Result<Vec<CartEvent>, CartRejection> {
    if is_pending(state, order_id) {
        Ok(vec![CartEvent::CheckoutReleased { order_id, expires_at }])
    } else if state.last_order == Some(order_id) {
        Err(CartRejection::CheckoutCompleted { order_id })
    } else {
        Ok(vec![])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::CartCommand;
    use crate::cart::samples::*;
    use crate::testing::{at, id};

    fn complete(order: u128) -> CartCommand {
        CartCommand::CompleteCheckout { order_id: id(order) }
    }

    fn release(order: u128) -> CartCommand {
        CartCommand::ReleaseCheckout { order_id: id(order), expires_at: at(300) }
    }

    fn completed(order: u128) -> CartEvent {
        CartEvent::CheckoutCompleted { order_id: id(order) }
    }

    fn released(order: u128) -> CartEvent {
        CartEvent::CheckoutReleased { order_id: id(order), expires_at: at(300) }
    }

    #[test]
    fn a_confirmed_order_takes_the_locked_lines_and_no_others() {
        let after = cart(&[item(5, 2)])
            .and([started(70), added(item(6, 1))])
            .when(complete(70))
            .then_once([completed(70)]);
        assert_eq!(lines(&after), [item(6, 1)]);
        after
            .when(release(70))
            .then_rejected(CartRejection::CheckoutCompleted { order_id: id(70) });
    }

    #[test]
    fn an_order_that_failed_gives_its_lines_back_the_larger_quantity_counting() {
        let meanwhile = [added(at_price(item(5, 1), 90)), added(item(6, 4)), added(item(8, 1))];
        let after = cart(&[item(5, 2), item(6, 3), item(7, 1)])
            .and([started(70)])
            .and(meanwhile)
            .when(release(70))
            .then_once([released(70)]);
        assert_eq!(lines(&after), [at_price(item(5, 2), 90), item(6, 4), item(7, 1), item(8, 1)]);
        after
            .when(complete(70))
            .then_rejected(CartRejection::CheckoutReleased { order_id: id(70) });
    }

    #[test]
    fn an_order_that_locked_nothing_gives_nothing_back_and_completes_nothing() {
        cart(&[item(5, 2)])
            .and([started(70)])
            .when(release(71))
            .then_nothing()
            .when(complete(71))
            .then_rejected(CartRejection::CheckoutNotPending { order_id: id(71) });
    }
}
