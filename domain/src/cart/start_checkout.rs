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
        Some(pending) => Err(CartRejection::CheckoutPending {
            order_id: pending.order_id,
        }),
        None if cart.lines.is_empty() => Err(CartRejection::CartEmpty),
        None => Ok(vec![CartEvent::CheckoutStarted { order_id }]),
    }
}
