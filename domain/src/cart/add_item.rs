//! Puts units of a SKU into the cart, opening it if need be.

use super::{CartCommand, CartEvent, CartItem, CartLimits, CartRejection, CartState, OpenCart};
use crate::{Quantity, SkuId, rule};

/// The line takes the price shown now. The same command again adds again: each means once more.
pub(super) fn decide(
    state: &CartState,
    command: &CartCommand,
) -> Result<Vec<CartEvent>, CartRejection> {
    let CartCommand::AddItem {
        cart_id,
        owner,
        currency,
        sku_id,
        product_id,
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
    let mut events = Vec::with_capacity(2);
    match state.open.as_deref() {
        Some(cart) if cart.currency != currency => {
            return Err(CartRejection::CurrencyMismatch { cart: cart.currency, given: currency });
        }
        Some(_) => {}
        None => {
            state.may_open(owner)?;
            events.push(CartEvent::Opened { cart_id, owner, currency, expires_at });
        }
    }
    let quantity = raised(state.open.as_deref(), sku_id, quantity, limits)?;
    events.push(CartEvent::ItemAdded {
        item: CartItem { sku_id, product_id, quantity, unit_minor, price_rule },
        expires_at,
    });
    Ok(events)
}

/// The line's quantity with `more` on top.
fn raised(
    cart: Option<&OpenCart>,
    sku_id: SkuId,
    more: Quantity,
    limits: CartLimits,
) -> Result<Quantity, CartRejection> {
    let line = cart.and_then(|cart| cart.lines.get(&sku_id));
    let lines = cart.map_or(0, |cart| cart.lines.len());
    if line.is_none() && lines >= limits.lines_max {
        return Err(CartRejection::TooManyLines { max: limits.lines_max });
    }
    let before = line.map_or(0, |line| line.quantity.get());
    within(sku_id, u64::from(before) + u64::from(more.get()), limits)
}

/// Refuses more units in a line than the limits allow.
pub(super) fn within(
    sku_id: SkuId,
    wanted: u64,
    limits: CartLimits,
) -> Result<Quantity, CartRejection> {
    u32::try_from(wanted)
        .ok()
        .filter(|units| *units <= limits.line_quantity_max)
        .and_then(|units| Quantity::new(units).ok())
        .ok_or(CartRejection::LineQuantityExceeded {
            field: "quantity",
            sku_id,
            max: limits.line_quantity_max,
            wanted,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Currency;
    use crate::cart::samples::*;
    use crate::cart::{Cart, CartOwner};
    use crate::testing::{at, given, id};

    #[test]
    fn the_first_item_opens_the_cart() {
        given::<Cart>([]).when(add(item(5, 2))).then([opened(), added(item(5, 2))]);
    }

    #[test]
    fn an_item_already_there_is_raised_at_the_price_shown_now() {
        cart(&[item(5, 2)])
            .when(add(at_price(item(5, 3), 90)))
            .then([added(at_price(item(5, 5), 90))]);
    }

    #[test]
    fn a_line_and_a_cart_hold_no_more_than_the_limits() {
        cart(&[item(5, 8)])
            .when(add(item(5, 2)))
            .then([added(item(5, 10))])
            .when(add(item(5, 1)))
            .then_rejected(CartRejection::LineQuantityExceeded {
                field: "quantity",
                sku_id: id(5),
                max: 10,
                wanted: 11,
            })
            .and([added(item(6, 1)), added(item(7, 1))])
            .when(add(item(8, 1)))
            .then_rejected(CartRejection::TooManyLines { max: 3 })
            .when(add(item(7, 1)))
            .then([added(item(7, 2))]);
    }

    #[test]
    fn the_largest_quantities_do_not_wrap() {
        given::<Cart>([])
            .when(add(item(5, Quantity::MAX)))
            .then_refused(|r| matches!(r, CartRejection::LineQuantityExceeded { .. }));
        let all = CartLimits { lines_max: 3, line_quantity_max: u32::MAX };
        assert!(within(id(5), u64::from(u32::MAX) + 1, all).is_err());
        assert!(within(id(5), u64::from(u32::MAX), all).is_err());
        assert!(within(id(5), u64::from(Quantity::MAX), all).is_ok());
    }

    #[test]
    fn a_cart_has_one_currency() {
        let mut command = add(item(5, 1));
        if let CartCommand::AddItem { currency, .. } = &mut command {
            *currency = Currency::EUR;
        }
        cart(&[item(5, 1)]).when(command).then_rejected(CartRejection::CurrencyMismatch {
            cart: Currency::GBP,
            given: Currency::EUR,
        });
    }

    #[test]
    fn a_price_is_never_negative() {
        cart(&[])
            .when(add(at_price(item(5, 1), -1)))
            .then_refused(|r| matches!(r, CartRejection::InvalidValue(_)));
    }

    #[test]
    fn a_guest_cart_that_was_merged_away_stays_away() {
        given::<Cart>([opened_by(GUEST, CartOwner::Guest), merged_into(CART)])
            .when(add_as(GUEST, CartOwner::Guest, item(5, 1)))
            .then_rejected(CartRejection::CartMergedAway { into: id(CART) });
    }

    #[test]
    fn a_customers_cart_opens_again_after_it_expired_or_was_merged_away() {
        let expired = CartEvent::Expired { expired_at: at(100) };
        for ended in [expired, merged_into(9)] {
            let again = cart(&[item(5, 2)])
                .and([ended])
                .when(add(item(6, 1)))
                .then([opened(), added(item(6, 1))]);
            assert_eq!(lines(&again), [item(6, 1)]);
            assert_eq!(again.state().merged_into, None);
        }
    }
}
