//! Words for what happens to goods and carts on the way to an order.

use domain::SkuId;
use domain::cart::{CartEvent, CartItem};
use domain::checkout::CheckoutEvent;
use domain::inventory::{Allocation, InventoryEvent};
use journal::Recorded;

use super::find::sku_of;
use super::words::{Glossary, listed, why};

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
        CartEvent::ItemAdded { item: added, .. } => format!("into the cart: {}", item(added)),
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
    let units = |parts: &[Allocation]| {
        let units: u64 = parts.iter().map(|part| u64::from(part.quantity.get())).sum();
        format!("{units} × {goods}")
    };
    match event {
        E::Held { allocations, .. } => {
            let from = match allocations.len() {
                1 => String::new(),
                warehouses => format!(" from {warehouses} warehouses"),
            };
            format!("stock held: {}{from}", units(allocations))
        }
        E::Released { allocations, .. } => format!("stock back for sale: {}", units(allocations)),
        E::Shipped { allocations, .. } => format!("stock left the house: {}", units(allocations)),
        E::Returned { resellable, scrapped, .. } => {
            format!("back in the house: {goods}, {resellable} for sale, {scrapped} scrapped")
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
