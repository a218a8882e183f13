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
            return Err(CartRejection::CurrencyMismatch {
                cart: cart.currency,
                given: currency,
            });
        }
        Some(_) => {}
        None => {
            state.may_open(owner)?;
            events.push(CartEvent::Opened {
                cart_id,
                owner,
                currency,
                expires_at,
            });
        }
    }
    let quantity = raised(state.open.as_deref(), sku_id, quantity, limits)?;
    events.push(CartEvent::ItemAdded {
        item: CartItem {
            sku_id,
            product_id,
            quantity,
            unit_minor,
            price_rule,
        },
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
        return Err(CartRejection::TooManyLines {
            max: limits.lines_max,
        });
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
