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
        return Err(CartRejection::CheckoutPending { order_id: pending.order_id });
    }
    let priced: BTreeMap<_, _> = items.iter().map(|item| (item.sku_id, item)).collect();
    let items = cart
        .lines
        .iter()
        .map(|(sku_id, line)| {
            let price = priced.get(sku_id).ok_or(CartRejection::CartChanged { sku_id: *sku_id })?;
            rule::price("items.unit_minor", price.unit_minor)?;
            Ok(CartItem { quantity: line.quantity, product_id: line.product_id, ..**price })
        })
        .collect::<Result<_, CartRejection>>()?;
    Ok(vec![CartEvent::CurrencyChanged { currency, items, expires_at }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::CartCommand;
    use crate::cart::samples::*;
    use crate::testing::{at, id};

    fn to_euros(items: &[CartItem]) -> CartCommand {
        CartCommand::ChangeCurrency {
            currency: Currency::EUR,
            items: items.to_vec(),
            expires_at: at(100),
        }
    }

    #[test]
    fn every_line_is_priced_anew_and_quantities_stay() {
        let priced = [at_price(item(5, 1), 120), at_price(item(6, 1), 240)];
        let after = cart(&[item(5, 2), item(6, 3)]).when(to_euros(&priced)).then_once([
            CartEvent::CurrencyChanged {
                currency: Currency::EUR,
                items: vec![at_price(item(5, 2), 120), at_price(item(6, 3), 240)],
                expires_at: at(100),
            },
        ]);
        assert_eq!(after.state().open.as_ref().unwrap().currency, Currency::EUR);
    }

    #[test]
    fn a_line_without_a_new_price_is_refused() {
        cart(&[item(5, 2), item(6, 3)])
            .when(to_euros(&[at_price(item(5, 2), 120)]))
            .then_rejected(CartRejection::CartChanged { sku_id: id(6) });
    }

    #[test]
    fn lines_locked_to_an_order_keep_their_currency() {
        cart(&[item(5, 2)])
            .and([started(70)])
            .when(to_euros(&[]))
            .then_rejected(CartRejection::CheckoutPending { order_id: id(70) });
    }
}
