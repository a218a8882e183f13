//! Takes a SKU out of the cart.

use super::{CartEvent, CartRejection, CartState};
use crate::{SkuId, Timestamp};

/// A line that is not there, or no cart, is what was asked for already.
pub(super) fn decide(
    state: &CartState,
    sku_id: SkuId,
    expires_at: Timestamp,
) -> Result<Vec<CartEvent>, CartRejection> {
    match state.opened() {
        Ok(cart) if cart.lines.contains_key(&sku_id) => {
            Ok(vec![CartEvent::ItemRemoved { sku_id, expires_at }])
        }
        Ok(_) | Err(CartRejection::CartNotOpen) => Ok(vec![]),
        Err(refused) => Err(refused),
    }
}
