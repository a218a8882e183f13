//! Cart: what a shopper means to buy, keyed by SKU. A customer's cart has the customer's id
//! and is used again after each order; a guest's belongs to a session token.
//!
//! A cart ends when `Expire` is decided, not by the clock alone: a write that comes first gives
//! it a new time and its lines live on, so a shopper who returns a moment late loses nothing.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod add_item;
mod change_currency;
mod checkout_end;
mod end_merged;
mod expire;
mod lines;
mod merge;
mod rejection;
mod remove_item;
mod reprice;
mod set_quantity;
mod start_checkout;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod samples;

pub use rejection::CartRejection;

use crate::decider::Decider;
use crate::pricing::PriceRule;
use crate::{CartId, Currency, CustomerId, OrderId, ProductId, Quantity, SkuId, Timestamp};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CartOwner {
    Customer(CustomerId),
    Guest,
}

/// A line of a cart. `unit_minor` is the price last shown, in minor units of the cart's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CartLine {
    pub product_id: ProductId,
    pub quantity: Quantity,
    pub unit_minor: i64,
    pub price_rule: PriceRule,
}

/// A line with the SKU it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CartItem {
    pub sku_id: SkuId,
    pub product_id: ProductId,
    pub quantity: Quantity,
    pub unit_minor: i64,
    pub price_rule: PriceRule,
}

impl CartItem {
    #[must_use]
    pub const fn line(&self) -> CartLine {
        CartLine {
            product_id: self.product_id,
            quantity: self.quantity,
            unit_minor: self.unit_minor,
            price_rule: self.price_rule,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum CartEvent {
    /// A new life of the cart: first use, or first write after it expired or was merged away.
    Opened {
        cart_id: CartId,
        owner: CartOwner,
        currency: Currency,
        expires_at: Timestamp,
    },
    /// A line was added or its quantity raised; `item` is the line as it is now.
    ItemAdded {
        item: CartItem,
        expires_at: Timestamp,
    },
    /// A line's quantity was set; `item` is the line as it is now.
    QuantitySet {
        item: CartItem,
        expires_at: Timestamp,
    },
    ItemRemoved {
        sku_id: SkuId,
        expires_at: Timestamp,
    },
    /// All lines priced anew in another currency.
    CurrencyChanged {
        currency: Currency,
        items: Vec<CartItem>,
        expires_at: Timestamp,
    },
    /// Lines whose price changed, as shown to the shopper now.
    Repriced {
        items: Vec<CartItem>,
        expires_at: Timestamp,
    },
    /// A guest's cart came in at login; `items` are the lines that changed, as they are now.
    Merged {
        from: CartId,
        items: Vec<CartItem>,
        expires_at: Timestamp,
    },
    /// This guest cart went into a customer's and ended.
    MergedInto {
        cart_id: CartId,
    },
    /// All lines went to this order; they are locked until it ends.
    CheckoutStarted {
        order_id: OrderId,
    },
    /// The order is confirmed: the locked lines are gone.
    CheckoutCompleted {
        order_id: OrderId,
    },
    /// The order failed or was cancelled: the locked lines are back (the larger quantity where the
    /// shopper had meanwhile added the same SKU).
    CheckoutReleased {
        order_id: OrderId,
        expires_at: Timestamp,
    },
    Expired {
        expired_at: Timestamp,
    },
}

/// Every write that keeps the cart alive says until when.
#[derive(Debug, Clone, PartialEq)]
pub enum CartCommand {
    /// Opens the cart if need be, then adds `quantity` to the line.
    AddItem {
        cart_id: CartId,
        owner: CartOwner,
        currency: Currency,
        sku_id: SkuId,
        product_id: ProductId,
        quantity: Quantity,
        unit_minor: i64,
        price_rule: PriceRule,
        limits: CartLimits,
        expires_at: Timestamp,
    },
    SetQuantity {
        sku_id: SkuId,
        quantity: Quantity,
        unit_minor: i64,
        price_rule: PriceRule,
        limits: CartLimits,
        expires_at: Timestamp,
    },
    RemoveItem {
        sku_id: SkuId,
        expires_at: Timestamp,
    },
    /// `items` are all current lines in the new currency.
    ChangeCurrency {
        currency: Currency,
        items: Vec<CartItem>,
        expires_at: Timestamp,
    },
    /// `items` are lines with their prices as of now; only those that differ make an event.
    Reprice {
        items: Vec<CartItem>,
        expires_at: Timestamp,
    },
    /// Merges `items` of a guest's cart into this customer's, by the larger quantity of each SKU.
    /// Harmless when repeated for the same `from`.
    Merge {
        cart_id: CartId,
        owner: CartOwner,
        currency: Currency,
        from: CartId,
        items: Vec<CartItem>,
        limits: CartLimits,
        expires_at: Timestamp,
    },
    /// Ends this guest cart, which was merged into `cart_id`.
    EndMerged {
        cart_id: CartId,
    },
    StartCheckout {
        order_id: OrderId,
    },
    CompleteCheckout {
        order_id: OrderId,
    },
    ReleaseCheckout {
        order_id: OrderId,
        expires_at: Timestamp,
    },
    /// Ends the cart if it is past its time and no order is pending; otherwise yields nothing.
    Expire {
        now: Timestamp,
    },
}

/// How much a cart holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CartLimits {
    pub lines_max: usize,
    pub line_quantity_max: u32,
}

impl Default for CartLimits {
    fn default() -> Self {
        Self { lines_max: 2_000, line_quantity_max: 9_999 }
    }
}

/// Lines gone to an order that has not ended yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PendingCheckout {
    pub order_id: OrderId,
    pub lines: BTreeMap<SkuId, CartLine>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenCart {
    pub cart_id: CartId,
    pub owner: CartOwner,
    pub currency: Currency,
    pub lines: BTreeMap<SkuId, CartLine>,
    pub pending: Option<PendingCheckout>,
    pub expires_at: Timestamp,
}

/// What a cart is now. A cart that ended may be opened again, except one merged away.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CartState {
    pub open: Option<Box<OpenCart>>,
    /// The last guest cart that was merged into this one; makes a repeated merge harmless.
    pub merged_from: Option<CartId>,
    /// Where this guest cart went.
    pub merged_into: Option<CartId>,
    /// The last order this cart became; makes a repeated completion harmless.
    pub last_order: Option<OrderId>,
    /// The last order that gave its lines back; a late repeat of its start must not lock them.
    #[serde(default)]
    pub last_released: Option<OrderId>,
}

/// The aggregate.
#[derive(Debug)]
pub struct Cart;

impl Decider for Cart {
    const CATEGORY: &'static str = "cart";

    type Id = CartId;
    type State = CartState;
    type Command = CartCommand;
    type Event = CartEvent;
    type Rejection = CartRejection;

    fn decide(state: &CartState, command: &CartCommand) -> Result<Vec<CartEvent>, CartRejection> {
        use CartCommand as C;
        match command {
            C::AddItem { .. } => add_item::decide(state, command),
            C::SetQuantity { .. } => set_quantity::decide(state, command),
            C::RemoveItem { sku_id, expires_at } => {
                remove_item::decide(state, *sku_id, *expires_at)
            }
            C::ChangeCurrency { currency, items, expires_at } => {
                change_currency::decide(state, *currency, items, *expires_at)
            }
            C::Reprice { items, expires_at } => reprice::decide(state, items, *expires_at),
            C::Merge { .. } => merge::decide(state, command),
            C::EndMerged { cart_id } => end_merged::decide(state, *cart_id),
            C::StartCheckout { order_id } => start_checkout::decide(state, *order_id),
            C::CompleteCheckout { order_id } => checkout_end::complete(state, *order_id),
            C::ReleaseCheckout { order_id, expires_at } => {
                checkout_end::release(state, *order_id, *expires_at)
            }
            C::Expire { now } => expire::decide(state, *now),
        }
    }

    /// An event that only an open cart can have changes nothing without one.
    fn evolve(state: &mut CartState, event: &CartEvent) {
        use CartEvent as E;
        match event {
            E::Opened { cart_id, owner, currency, expires_at } => {
                state.merged_into = None;
                state.open = Some(Box::new(OpenCart {
                    cart_id: *cart_id,
                    owner: *owner,
                    currency: *currency,
                    lines: BTreeMap::new(),
                    pending: None,
                    expires_at: *expires_at,
                }));
            }
            E::ItemAdded { item, expires_at } | E::QuantitySet { item, expires_at } => {
                state.write(*expires_at, |cart| cart.put([item]));
            }
            E::ItemRemoved { sku_id, expires_at } => {
                state.write(*expires_at, |cart| {
                    cart.lines.remove(sku_id);
                });
            }
            E::CurrencyChanged { currency, items, expires_at } => {
                state.write(*expires_at, |cart| {
                    cart.currency = *currency;
                    cart.put(items);
                })
            }
            E::Repriced { items, expires_at } => {
                state.write(*expires_at, |cart| cart.put(items));
            }
            E::Merged { from, items, expires_at } => {
                state.merged_from = Some(*from);
                state.write(*expires_at, |cart| cart.put(items));
            }
            E::MergedInto { cart_id } => {
                state.open = None;
                state.merged_into = Some(*cart_id);
            }
            E::CheckoutStarted { order_id } => {
                if let Some(cart) = &mut state.open {
                    cart.pending = Some(PendingCheckout {
                        order_id: *order_id,
                        lines: std::mem::take(&mut cart.lines),
                    });
                }
            }
            E::CheckoutCompleted { order_id } => {
                state.last_order = Some(*order_id);
                if let Some(cart) = &mut state.open {
                    cart.pending = None;
                }
            }
            E::CheckoutReleased { order_id, expires_at } => {
                state.last_released = Some(*order_id);
                state.write(*expires_at, OpenCart::give_back);
            }
            E::Expired { .. } => state.open = None,
        }
    }
}
