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
