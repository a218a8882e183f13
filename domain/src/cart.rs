//! Cart: what a shopper means to buy, keyed by SKU. A customer's cart has the customer's id
//! and is used again after each order; a guest's belongs to a session token.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
        Self {
            lines_max: 2_000,
            line_quantity_max: 9_999,
        }
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
}

/// The aggregate.
#[derive(Debug)]
pub struct Cart;
