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
        Some(pending) => Err(CartRejection::CheckoutPending {
            order_id: pending.order_id,
        }),
        None => Ok(vec![CartEvent::MergedInto { cart_id: into }]),
    }
}
