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
        Ok(vec![CartEvent::CheckoutReleased {
            order_id,
            expires_at,
        }])
    } else if state.last_order == Some(order_id) {
        Err(CartRejection::CheckoutCompleted { order_id })
    } else {
        Ok(vec![])
    }
}
