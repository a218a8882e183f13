//! Ends a cart nobody wrote to for its time.

use super::{CartEvent, CartRejection, CartState};
use crate::Timestamp;

/// Asking too early, or while an order is pending, changes nothing: whoever keeps the timers asks
/// again.
pub(super) fn decide(state: &CartState, now: Timestamp) -> Result<Vec<CartEvent>, CartRejection> {
    match &state.open {
        Some(cart) if cart.pending.is_none() && now >= cart.expires_at => {
            Ok(vec![CartEvent::Expired {
                expired_at: cart.expires_at,
            }])
        }
        Some(_) | None => Ok(vec![]),
    }
}
