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
    let CartCommand::Merge { cart_id, owner, currency, from, items, limits, expires_at } = command
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
            return Err(CartRejection::CurrencyMismatch { cart: cart.currency, given: *currency });
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
    let mut room = limits.lines_max.saturating_sub(cart.map_or(0, |cart| cart.lines.len()));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Currency;
    use crate::cart::Cart;
    use crate::cart::samples::*;
    use crate::testing::{at, given, id};

    fn merge(items: &[CartItem]) -> CartCommand {
        CartCommand::Merge {
            cart_id: cart_id(CART),
            owner: owner(),
            currency: Currency::GBP,
            from: cart_id(GUEST),
            items: items.to_vec(),
            limits: LIMITS,
            expires_at: at(100),
        }
    }

    fn merged(items: &[CartItem]) -> CartEvent {
        CartEvent::Merged { from: cart_id(GUEST), items: items.to_vec(), expires_at: at(100) }
    }

    #[test]
    fn the_larger_quantity_counts_and_other_lines_carry_over() {
        let after = cart(&[item(5, 2), item(6, 4)])
            .when(merge(&[item(5, 3), item(6, 1), item(7, 1)]))
            .then_once([merged(&[item(5, 3), item(7, 1)])]);
        assert_eq!(lines(&after), [item(5, 3), item(6, 4), item(7, 1)]);
    }

    #[test]
    fn a_repeat_is_harmless_even_after_the_cart_changed() {
        cart(&[])
            .and([merged(&[item(5, 3)])])
            .and([CartEvent::ItemRemoved { sku_id: id(5), expires_at: at(100) }])
            .when(merge(&[item(5, 3)]))
            .then_nothing();
    }

    #[test]
    fn a_customer_without_a_cart_gets_one() {
        given::<Cart>([]).when(merge(&[item(5, 3)])).then_once([opened(), merged(&[item(5, 3)])]);
        given::<Cart>([]).when(merge(&[])).then_nothing();
    }

    #[test]
    fn limits_cut_the_merge_but_never_fail_it() {
        cart(&[item(5, 2), item(6, 1)])
            .when(merge(&[item(9, 1), item(8, 99), item(7, 99), item(5, 99)]))
            .then_once([merged(&[item(5, 10), item(7, 10)])]);
        // A limit lowered since does not take from what is there.
        cart(&[item(5, 50)]).when(merge(&[item(5, 60)])).then_once([merged(&[])]);
    }

    #[test]
    fn lines_of_the_same_sku_count_with_the_larger_quantity() {
        cart(&[])
            .when(merge(&[item(5, 1), item(5, 4), item(5, 2)]))
            .then_once([merged(&[item(5, 4)])]);
    }

    #[test]
    fn lines_locked_to_an_order_stay_out_of_it() {
        let after = cart(&[item(5, 4)])
            .and([started(70)])
            .when(merge(&[item(5, 2)]))
            .then_once([merged(&[item(5, 2)])]);
        assert_eq!(lines(&after), [item(5, 2)]);
    }

    #[test]
    fn amounts_of_another_currency_are_not_mixed_in() {
        let mut in_euros = merge(&[item(5, 1)]);
        if let CartCommand::Merge { currency, .. } = &mut in_euros {
            *currency = Currency::EUR;
        }
        cart(&[item(6, 1)]).when(in_euros.clone()).then_rejected(CartRejection::CurrencyMismatch {
            cart: Currency::GBP,
            given: Currency::EUR,
        });
        cart(&[]).when(in_euros).then_once([
            CartEvent::CurrencyChanged {
                currency: Currency::EUR,
                items: vec![],
                expires_at: at(100),
            },
            merged(&[item(5, 1)]),
        ]);
    }

    #[test]
    fn a_cart_is_not_merged_with_itself() {
        let mut into_itself = merge(&[item(5, 1)]);
        if let CartCommand::Merge { from, .. } = &mut into_itself {
            *from = cart_id(CART);
        }
        cart(&[item(5, 1)])
            .when(into_itself)
            .then_refused(|r| matches!(r, CartRejection::InvalidValue(_)));
    }
}
