//! Ends a cart nobody wrote to for its time.

use super::{CartEvent, CartRejection, CartState};
use crate::Timestamp;

/// Asking too early, or while an order is pending, changes nothing: whoever keeps the timers asks
/// again.
pub(super) fn decide(state: &CartState, now: Timestamp) -> Result<Vec<CartEvent>, CartRejection> {
    match &state.open {
        Some(cart) if cart.pending.is_none() && now >= cart.expires_at => {
            Ok(vec![CartEvent::Expired { expired_at: cart.expires_at }])
        }
        Some(_) | None => Ok(vec![]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::CartCommand;
    use crate::cart::samples::*;
    use crate::testing::{at, given};

    fn expire(now: i64) -> CartCommand {
        CartCommand::Expire { now: at(now) }
    }

    #[test]
    fn a_cart_expires_at_its_time_and_not_before() {
        cart(&[item(5, 1)])
            .when(expire(99))
            .then_nothing()
            .when(expire(100))
            .then_once([CartEvent::Expired { expired_at: at(100) }]);
    }

    #[test]
    fn a_cart_does_not_expire_while_an_order_is_pending() {
        cart(&[item(5, 1)]).and([started(70)]).when(expire(1_000)).then_nothing();
    }

    #[test]
    fn a_write_before_the_cart_ended_renews_it() {
        let renewed = CartEvent::QuantitySet { item: item(5, 2), expires_at: at(500) };
        cart(&[item(5, 1)]).and([renewed]).when(expire(100)).then_nothing();
        given::<crate::cart::Cart>([]).when(expire(1)).then_nothing();
    }
}
