//! A cart, its lines and events, for tests.

use super::{Cart, CartCommand, CartEvent, CartItem, CartLimits, CartOwner};
use crate::pricing::PriceRule;
use crate::testing::{Given, at, given, id, units};
use crate::{CartId, Currency};

pub(super) const CART: u128 = 1;
pub(super) const GUEST: u128 = 2;
pub(super) const LIMITS: CartLimits = CartLimits { lines_max: 3, line_quantity_max: 10 };

pub(super) fn owner() -> CartOwner {
    CartOwner::Customer(id(CART))
}

/// A line of `quantity` units at 100 each.
pub(super) fn item(sku: u128, quantity: u32) -> CartItem {
    CartItem {
        sku_id: id(sku),
        product_id: id(sku + 1_000),
        quantity: units(quantity),
        unit_minor: 100,
        price_rule: PriceRule::Sku,
    }
}

pub(super) fn at_price(item: CartItem, unit_minor: i64) -> CartItem {
    CartItem { unit_minor, ..item }
}

pub(super) fn opened() -> CartEvent {
    opened_by(CART, owner())
}

pub(super) fn opened_by(cart: u128, owner: CartOwner) -> CartEvent {
    CartEvent::Opened { cart_id: id(cart), owner, currency: Currency::GBP, expires_at: at(100) }
}

pub(super) fn added(item: CartItem) -> CartEvent {
    CartEvent::ItemAdded { item, expires_at: at(100) }
}

pub(super) fn started(order: u128) -> CartEvent {
    CartEvent::CheckoutStarted { order_id: id(order) }
}

pub(super) fn start(order: u128) -> CartCommand {
    CartCommand::StartCheckout { order_id: id(order) }
}

pub(super) fn merged_into(cart: u128) -> CartEvent {
    CartEvent::MergedInto { cart_id: id(cart) }
}

pub(super) fn add_as(cart: u128, owner: CartOwner, item: CartItem) -> CartCommand {
    CartCommand::AddItem {
        cart_id: id(cart),
        owner,
        currency: Currency::GBP,
        sku_id: item.sku_id,
        product_id: item.product_id,
        quantity: item.quantity,
        unit_minor: item.unit_minor,
        price_rule: item.price_rule,
        limits: LIMITS,
        expires_at: at(100),
    }
}

pub(super) fn add(item: CartItem) -> CartCommand {
    add_as(CART, owner(), item)
}

/// An open cart of a customer with these lines.
pub(super) fn cart(items: &[CartItem]) -> Given<Cart> {
    given([opened()]).and(items.iter().copied().map(added))
}

/// An open cart of a guest with these lines.
pub(super) fn guest_cart(items: &[CartItem]) -> Given<Cart> {
    given([opened_by(GUEST, CartOwner::Guest)]).and(items.iter().copied().map(added))
}

/// The lines of an open cart, by SKU.
pub(super) fn lines(cart: &Given<Cart>) -> Vec<CartItem> {
    let open = cart.state().open.as_ref().unwrap();
    open.lines.iter().map(|(sku_id, line)| line.item(*sku_id)).collect()
}

pub(super) fn cart_id(cart: u128) -> CartId {
    id(cart)
}
