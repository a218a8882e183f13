//! Prices the whole cart anew in another currency. Amounts are never converted nor relabelled.

use std::collections::BTreeMap;

use super::{CartEvent, CartItem, CartRejection, CartState};
use crate::{Currency, Timestamp, rule};

/// `items` give the prices; quantities are the cart's own. Items the cart does not have are left
/// out, a line without a new price is refused. Lines locked to an order keep their currency, so
/// there may be none.
pub(super) fn decide(
    state: &CartState,
    currency: Currency,
    items: &[CartItem],
    expires_at: Timestamp,
) -> Result<Vec<CartEvent>, CartRejection> {
    let cart = state.opened()?;
    if cart.currency == currency {
        return Ok(vec![]);
    }
    if let Some(pending) = &cart.pending {
        return Err(CartRejection::CheckoutPending {
            order_id: pending.order_id,
        });
    }
    let priced: BTreeMap<_, _> = items.iter().map(|item| (item.sku_id, item)).collect();
    let items = cart
        .lines
        .iter()
        .map(|(sku_id, line)| {
            let price = priced
                .get(sku_id)
                .ok_or(CartRejection::CartChanged { sku_id: *sku_id })?;
            rule::price("items.unit_minor", price.unit_minor)?;
            Ok(CartItem {
                quantity: line.quantity,
                product_id: line.product_id,
                ..**price
            })
        })
        .collect::<Result<_, CartRejection>>()?;
    Ok(vec![CartEvent::CurrencyChanged {
        currency,
        items,
        expires_at,
    }])
}
