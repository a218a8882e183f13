//! Locks all lines to an order. What is added from then on is a cart of its own.

use super::{CartEvent, CartRejection, CartState};
use crate::OrderId;

/// One order at a time. An order that already ended does not lock lines again: nobody would
/// ever give them back.
pub(super) fn decide(
    state: &CartState,
    order_id: OrderId,
) -> Result<Vec<CartEvent>, CartRejection> {
    if state.last_order == Some(order_id) {
        return Ok(vec![]);
    }
    if state.last_released == Some(order_id) {
        return Err(CartRejection::CheckoutReleased { order_id });
    }
    let cart = state.opened()?;
    match &cart.pending {
        Some(pending) if pending.order_id == order_id => Ok(vec![]),
        Some(pending) => Err(CartRejection::CheckoutPending { order_id: pending.order_id }),
        None if cart.lines.is_empty() => Err(CartRejection::CartEmpty),
        None => Ok(vec![CartEvent::CheckoutStarted { order_id }]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::Cart;
    use crate::cart::samples::*;
    use crate::testing::{given, id};

    #[test]
    fn all_lines_go_to_the_order_and_later_ones_stay_apart() {
        let after = cart(&[item(5, 2), item(6, 1)])
            .when(start(70))
            .then_once([started(70)])
            .when(add(item(5, 1)))
            .then([added(item(5, 1))]);
        assert_eq!(lines(&after), [item(5, 1)]);
        let pending = after.state().open.as_ref().unwrap().pending.as_ref();
        assert_eq!(pending.unwrap().lines.len(), 2);
    }

    #[test]
    fn an_empty_cart_cannot_check_out() {
        cart(&[]).when(start(70)).then_rejected(CartRejection::CartEmpty);
        given::<Cart>([]).when(start(70)).then_rejected(CartRejection::CartNotOpen);
    }

    #[test]
    fn one_order_at_a_time() {
        cart(&[item(5, 2)])
            .and([started(70), added(item(6, 1))])
            .when(start(71))
            .then_rejected(CartRejection::CheckoutPending { order_id: id(70) });
    }

    #[test]
    fn an_order_that_ended_does_not_lock_lines_again() {
        let completed = CartEvent::CheckoutCompleted { order_id: id(70) };
        let released =
            CartEvent::CheckoutReleased { order_id: id(70), expires_at: crate::testing::at(100) };
        cart(&[item(5, 2)])
            .and([started(70), completed, added(item(6, 1))])
            .when(start(70))
            .then_nothing();
        cart(&[item(5, 2)])
            .and([started(70), released])
            .when(start(70))
            .then_rejected(CartRejection::CheckoutReleased { order_id: id(70) })
            .when(start(71))
            .then_once([started(71)]);
    }
}
