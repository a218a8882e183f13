//! Ends a guest cart after its lines went into a customer's.

use super::{CartEvent, CartRejection, CartState};
use crate::{BrokenRule, CartId};

/// A cart whose lines are locked to an order stays until that order ends, or they could not come
/// back. A cart that is not open has nothing to end.
pub(super) fn decide(state: &CartState, into: CartId) -> Result<Vec<CartEvent>, CartRejection> {
    let Some(cart) = &state.open else {
        return match state.merged_into {
            Some(went) if went != into => Err(CartRejection::CartMergedAway { into: went }),
            Some(_) | None => Ok(vec![]),
        };
    };
    if cart.cart_id == into {
        return Err(BrokenRule::new("cart_id", "another cart", into.to_string()).into());
    }
    match &cart.pending {
        Some(pending) => Err(CartRejection::CheckoutPending { order_id: pending.order_id }),
        None => Ok(vec![CartEvent::MergedInto { cart_id: into }]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::samples::*;
    use crate::cart::{Cart, CartCommand};
    use crate::testing::{given, id};

    fn end(into: u128) -> CartCommand {
        CartCommand::EndMerged { cart_id: cart_id(into) }
    }

    #[test]
    fn a_guest_cart_ends_once_and_says_where_it_went() {
        guest_cart(&[item(5, 1)])
            .when(end(CART))
            .then_once([merged_into(CART)])
            .when(end(9))
            .then_rejected(CartRejection::CartMergedAway { into: id(CART) })
            .when(start(70))
            .then_rejected(CartRejection::CartMergedAway { into: id(CART) });
    }

    #[test]
    fn a_cart_with_lines_locked_to_an_order_stays() {
        guest_cart(&[item(5, 1)])
            .and([started(70)])
            .when(end(CART))
            .then_rejected(CartRejection::CheckoutPending { order_id: id(70) });
    }

    #[test]
    fn a_cart_that_never_was_has_nothing_to_end() {
        given::<Cart>([]).when(end(CART)).then_nothing();
    }
}
