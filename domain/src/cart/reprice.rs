//! Shows the shopper the prices of now.

use std::collections::BTreeMap;

use super::{CartEvent, CartItem, CartRejection, CartState};
use crate::{Timestamp, rule};

/// Only lines whose price differs change; items the cart does not have are left out.
pub(super) fn decide(
    state: &CartState,
    items: &[CartItem],
    expires_at: Timestamp,
) -> Result<Vec<CartEvent>, CartRejection> {
    let cart = state.opened()?;
    let mut changed = BTreeMap::new();
    for item in items {
        rule::price("items.unit_minor", item.unit_minor)?;
        let Some(line) = cart.lines.get(&item.sku_id) else {
            continue;
        };
        let mut shown = *line;
        shown.unit_minor = item.unit_minor;
        shown.price_rule = item.price_rule;
        if shown == *line {
            changed.remove(&item.sku_id);
        } else {
            changed.insert(item.sku_id, shown.item(item.sku_id));
        }
    }
    if changed.is_empty() {
        return Ok(vec![]);
    }
    let items = changed.into_values().collect();
    Ok(vec![CartEvent::Repriced { items, expires_at }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::CartCommand;
    use crate::cart::samples::*;
    use crate::testing::at;

    #[test]
    fn only_lines_whose_price_differs_change_and_quantities_stay() {
        cart(&[item(5, 2), item(6, 3)])
            .when(CartCommand::Reprice {
                items: vec![at_price(item(5, 9), 90), item(6, 9), item(7, 1)],
                expires_at: at(100),
            })
            .then_once([CartEvent::Repriced {
                items: vec![at_price(item(5, 2), 90)],
                expires_at: at(100),
            }]);
    }
}
