//! Words for what happens to goods and carts on the way to an order.

use domain::SkuId;
use domain::cart::{CartEvent, CartItem};
use domain::checkout::CheckoutEvent;
use domain::inventory::{Allocation, InventoryEvent};
use journal::Recorded;
use schemas::AnyEvent;

use super::find::sku_of;
use super::words::{Glossary, listed, why};

/// What an event says of some goods, where a command says it of many, an event for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OfGoods {
    pub(super) what: &'static str,
    pub(super) units: u64,
}

pub(super) fn of_goods(event: &AnyEvent) -> Option<OfGoods> {
    let (what, units) = match event {
        AnyEvent::Cart(CartEvent::ItemAdded { item, .. }) => {
            (INTO_CART, u64::from(item.quantity.get()))
        }
        AnyEvent::Inventory(InventoryEvent::Held { allocations, .. }) => (HELD, sum(allocations)),
        AnyEvent::Inventory(InventoryEvent::Released { allocations, .. }) => {
            (RELEASED, sum(allocations))
        }
        AnyEvent::Inventory(InventoryEvent::Shipped { allocations, .. }) => {
            (SHIPPED, sum(allocations))
        }
        AnyEvent::Inventory(InventoryEvent::Returned { resellable, scrapped, .. }) => {
            (RETURNED, u64::from(*resellable) + u64::from(*scrapped))
        }
        _ => return None,
    };
    Some(OfGoods { what, units })
}

const INTO_CART: &str = "into the cart";
const HELD: &str = "stock held";
const RELEASED: &str = "stock back for sale";
const SHIPPED: &str = "stock left the house";
const RETURNED: &str = "back in the house";

fn sum(parts: &[Allocation]) -> u64 {
    parts.iter().map(|part| u64::from(part.quantity.get())).sum()
}

pub(super) fn checkout(event: &CheckoutEvent) -> String {
    match event {
        CheckoutEvent::Started { hold_expires_at, .. } => {
            format!("checkout begun; stock is held until {}", hold_expires_at.format("%H:%M:%S"))
        }
        CheckoutEvent::Compensating { reason, outcome } => {
            format!("checkout turns back to {outcome}: {}", why(reason))
        }
        CheckoutEvent::Ended { outcome } => format!("checkout ended: {outcome}"),
    }
}

pub(super) fn cart(event: &CartEvent, words: &Glossary) -> String {
    let item = |item: &CartItem| {
        let (name, price) = (words.goods(item.sku_id), words.money(item.unit_minor));
        format!("{} × {name} at {price}", item.quantity)
    };
    match event {
        CartEvent::Opened { .. } => "cart opened".to_owned(),
        CartEvent::ItemAdded { item: added, .. } => format!("{INTO_CART}: {}", item(added)),
        CartEvent::QuantitySet { item: set, .. } => format!("changed in the cart: {}", item(set)),
        CartEvent::ItemRemoved { sku_id, .. } => {
            format!("out of the cart: {}", words.goods(*sku_id))
        }
        CartEvent::CurrencyChanged { currency, .. } => {
            format!("the cart is priced in {currency} from now on")
        }
        CartEvent::Repriced { items, .. } => {
            format!("prices in the cart changed: {}", listed(items.iter().map(item)))
        }
        CartEvent::Merged { items, .. } => {
            format!("a guest's cart came in: {}", listed(items.iter().map(item)))
        }
        CartEvent::MergedInto { cart_id } => format!("the cart went into cart {cart_id}"),
        CartEvent::CheckoutStarted { .. } => "the cart is locked for the order".to_owned(),
        CartEvent::CheckoutCompleted { .. } => "the ordered lines left the cart".to_owned(),
        CartEvent::CheckoutReleased { .. } => "the lines are back in the cart".to_owned(),
        CartEvent::Expired { .. } => "the cart expired".to_owned(),
    }
}

pub(super) fn inventory(recorded: &Recorded, event: &InventoryEvent, words: &Glossary) -> String {
    use InventoryEvent as E;
    let goods = sku_of(recorded).map_or_else(|| "goods".to_owned(), |sku: SkuId| words.goods(sku));
    let units = |parts: &[Allocation]| format!("{} × {goods}", sum(parts));
    match event {
        E::Held { allocations, .. } => {
            let from = match allocations.len() {
                1 => String::new(),
                warehouses => format!(" from {warehouses} warehouses"),
            };
            format!("{HELD}: {}{from}", units(allocations))
        }
        E::Released { allocations, .. } => format!("{RELEASED}: {}", units(allocations)),
        E::Shipped { allocations, .. } => format!("{SHIPPED}: {}", units(allocations)),
        E::Returned { resellable, scrapped, .. } => {
            format!("{RETURNED}: {goods}, {resellable} for sale, {scrapped} scrapped")
        }
        E::SoftHeld { quantity, .. } => format!("set aside for the cart: {quantity} × {goods}"),
        E::SoftReleased { .. } => format!("no longer set aside for the cart: {goods}"),
        E::Opened { .. }
        | E::PolicyChanged { .. }
        | E::Received { .. }
        | E::Counted { .. }
        | E::WrittenOff { .. }
        | E::UnavailableSet { .. } => format!("{}: {goods}", recorded.event_type),
    }
}
