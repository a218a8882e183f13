//! Takes a guest's cart into the customer's at login. Shop systems differ here; this takes the
//! larger quantity of each SKU, so nothing is lost and nothing is doubled.

use std::collections::BTreeMap;

use super::{CartCommand, CartEvent, CartItem, CartLimits, CartRejection, CartState, OpenCart};
use crate::{BrokenRule, Quantity, SkuId, rule};

/// Never fails for want of room: quantities are cut to the limit, and new lines are taken in the
/// order of their SKU ids until the cart is full. Lines that do not change are not in the event.
///
/// Amounts of another currency cannot be mixed in. An empty cart takes the guest's currency; for
/// any other, the guest's lines must be priced in the cart's currency first.
pub(super) fn decide(
    state: &CartState,
    command: &CartCommand,
) -> Result<Vec<CartEvent>, CartRejection> {
    let CartCommand::Merge {
        cart_id,
        owner,
        currency,
        from,
        items,
        limits,
        expires_at,
    } = command
    else {
        // No other command is dispatched here.
        return Ok(vec![]);
    };
    if from == cart_id {
        return Err(BrokenRule::new("from", "another cart", from.to_string()).into());
    }
    if state.merged_from == Some(*from) {
        return Ok(vec![]);
    }
    let mut events = Vec::with_capacity(2);
    match state.open.as_deref() {
        None => {
            state.may_open(*owner)?;
            if items.is_empty() {
                return Ok(vec![]);
            }
            events.push(CartEvent::Opened {
                cart_id: *cart_id,
                owner: *owner,
                currency: *currency,
                expires_at: *expires_at,
            });
        }
        Some(cart) if cart.currency == *currency || items.is_empty() => {}
        Some(cart) if cart.lines.is_empty() && cart.pending.is_none() => {
            events.push(CartEvent::CurrencyChanged {
                currency: *currency,
                items: vec![],
                expires_at: *expires_at,
            });
        }
        Some(cart) => {
            return Err(CartRejection::CurrencyMismatch {
                cart: cart.currency,
                given: *currency,
            });
        }
    }
    events.push(CartEvent::Merged {
        from: *from,
        items: changed_lines(state.open.as_deref(), items, *limits)?,
        expires_at: *expires_at,
    });
    Ok(events)
}

fn changed_lines(
    cart: Option<&OpenCart>,
    items: &[CartItem],
    limits: CartLimits,
) -> Result<Vec<CartItem>, BrokenRule> {
    let mut coming: BTreeMap<SkuId, CartItem> = BTreeMap::new();
    for item in items {
        rule::price("items.unit_minor", item.unit_minor)?;
        let known = coming.entry(item.sku_id).or_insert(*item);
        if item.quantity > known.quantity {
            *known = *item;
        }
    }
    let mut room = limits
        .lines_max
        .saturating_sub(cart.map_or(0, |cart| cart.lines.len()));
    let mut changed = Vec::new();
    for item in coming.into_values() {
        let Ok(quantity) = Quantity::new(item.quantity.get().min(limits.line_quantity_max)) else {
            continue;
        };
        match cart.and_then(|cart| cart.lines.get(&item.sku_id)) {
            Some(line) if line.quantity >= quantity => continue,
            Some(_) => {}
            None if room == 0 => continue,
            None => room -= 1,
        }
        changed.push(CartItem { quantity, ..item });
    }
    Ok(changed)
}
