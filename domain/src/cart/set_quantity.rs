//! Sets how many units of a SKU the cart has.

use super::add_item::within;
use super::{CartCommand, CartEvent, CartItem, CartRejection, CartState};
use crate::rule;

pub(super) fn decide(
    state: &CartState,
    command: &CartCommand,
) -> Result<Vec<CartEvent>, CartRejection> {
    let CartCommand::SetQuantity {
        sku_id,
        quantity,
        unit_minor,
        price_rule,
        limits,
        expires_at,
    } = *command
    else {
        // No other command is dispatched here.
        return Ok(vec![]);
    };
    rule::price("unit_minor", unit_minor)?;
    let cart = state.opened()?;
    let line = cart
        .lines
        .get(&sku_id)
        .ok_or(CartRejection::NoSuchLine { sku_id })?;
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
