//! Sets how many units of a SKU the cart has.

use super::add_item::within;
use super::{CartCommand, CartEvent, CartItem, CartRejection, CartState};
use crate::rule;

pub(super) fn decide(
    state: &CartState,
    command: &CartCommand,
) -> Result<Vec<CartEvent>, CartRejection> {
    let CartCommand::SetQuantity { sku_id, quantity, unit_minor, price_rule, limits, expires_at } =
        *command
    else {
        // No other command is dispatched here.
        return Ok(vec![]);
    };
    rule::price("unit_minor", unit_minor)?;
    let cart = state.opened()?;
    let line = cart.lines.get(&sku_id).ok_or(CartRejection::NoSuchLine { sku_id })?;
    let item = CartItem {
        sku_id,
        product_id: line.product_id,
        quantity: within(sku_id, u64::from(quantity.get()), limits)?,
        unit_minor,
        price_rule,
    };
    if item.line() == *line {
        return Ok(vec![]);
    }
    Ok(vec![CartEvent::QuantitySet { item, expires_at }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::CartItem;
    use crate::cart::samples::*;
    use crate::testing::{at, given, id};

    fn set(item: CartItem) -> CartCommand {
        CartCommand::SetQuantity {
            sku_id: item.sku_id,
            quantity: item.quantity,
            unit_minor: item.unit_minor,
            price_rule: item.price_rule,
            limits: LIMITS,
            expires_at: at(200),
        }
    }

    #[test]
    fn a_quantity_is_set_once_and_renews_the_carts_time() {
        let event = CartEvent::QuantitySet { item: item(5, 3), expires_at: at(200) };
        let after = cart(&[item(5, 2)]).when(set(item(5, 3))).then_once([event]);
        assert_eq!(after.state().open.as_ref().unwrap().expires_at, at(200));
    }

    #[test]
    fn a_line_that_is_not_there_cannot_be_set() {
        cart(&[item(5, 2)])
            .when(set(item(6, 1)))
            .then_rejected(CartRejection::NoSuchLine { sku_id: id(6) });
        given::<crate::cart::Cart>([])
            .when(set(item(6, 1)))
            .then_rejected(CartRejection::CartNotOpen);
    }

    #[test]
    fn a_line_holds_no_more_than_the_limit() {
        cart(&[item(5, 2)])
            .when(set(item(5, 11)))
            .then_refused(|r| matches!(r, CartRejection::LineQuantityExceeded { .. }));
    }
}
