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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::samples::*;
    use crate::cart::{Cart, CartCommand, CartOwner};
    use crate::testing::{at, given, id};

    fn remove(sku: u128) -> CartCommand {
        CartCommand::RemoveItem { sku_id: id(sku), expires_at: at(100) }
    }

    #[test]
    fn a_line_is_removed_once() {
        cart(&[item(5, 2)])
            .when(remove(5))
            .then_once([CartEvent::ItemRemoved { sku_id: id(5), expires_at: at(100) }]);
    }

    #[test]
    fn without_a_cart_there_is_nothing_to_remove() {
        given::<Cart>([]).when(remove(5)).then_nothing();
    }

    #[test]
    fn a_cart_merged_away_refuses_even_this() {
        given::<Cart>([opened_by(GUEST, CartOwner::Guest), merged_into(CART)])
            .when(remove(5))
            .then_rejected(CartRejection::CartMergedAway { into: id(CART) });
    }
}
