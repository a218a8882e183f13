//! A cart as its shopper gets it.

use commands::carts::{CartEdit, CartOnOffer, LineOnOffer};
use domain::pricing::PriceRule;
use domain::{CartId, Currency, Money, OrderId, ProductId, SkuId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An amount: 1999 GBP is 19.99 pounds, 1999 JPY is 1,999 yen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Money)]
pub(crate) struct MoneyBody {
    /// Minor units of the currency.
    minor: i64,
    /// ISO 4217 code.
    #[schema(value_type = String, example = "GBP")]
    currency: Currency,
}

impl From<Money> for MoneyBody {
    fn from(money: Money) -> Self {
        Self { minor: money.minor, currency: money.currency }
    }
}

impl MoneyBody {
    pub(crate) fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }
}

/// A line at the price of now.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct CartLineBody {
    #[schema(value_type = Uuid)]
    sku_id: SkuId,
    #[schema(value_type = Uuid)]
    product_id: ProductId,
    name: String,
    quantity: u32,
    unit_price: MoneyBody,
    line_total: MoneyBody,
    #[schema(value_type = crate::openapi::shapes::PriceRule)]
    price_rule: PriceRule,
    /// Units this shopper could have now.
    available: u32,
}

/// What one change left behind.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct CartChange {
    #[schema(value_type = Uuid)]
    pub(crate) cart_id: CartId,
    /// As in the `ETag`.
    pub(crate) version: u64,
    #[schema(value_type = String)]
    currency: Currency,
    /// The line as it is now; null if it is gone.
    line: Option<CartLineBody>,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// Of a guest's cart: what finds it again, in `Tillroll-Session`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) session_token: Option<String>,
}

/// A whole cart.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct CartBody {
    #[schema(value_type = Uuid)]
    cart_id: CartId,
    /// As in the `ETag`.
    pub(crate) version: u64,
    #[schema(value_type = String)]
    currency: Currency,
    lines: Vec<CartLineBody>,
    subtotal: MoneyBody,
    /// The order that the cart's earlier lines are locked to.
    #[schema(value_type = Option<Uuid>)]
    pending_order_id: Option<OrderId>,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

impl CartLineBody {
    fn new(line: LineOnOffer, currency: Currency) -> Self {
        let LineOnOffer { item, name, available } = line;
        let quantity = item.quantity.get();
        Self {
            sku_id: item.sku_id,
            product_id: item.product_id,
            name,
            quantity,
            unit_price: MoneyBody::new(item.unit_minor, currency),
            line_total: MoneyBody::new(
                item.unit_minor.saturating_mul(i64::from(quantity)),
                currency,
            ),
            price_rule: item.price_rule,
            available,
        }
    }
}

impl CartChange {
    pub(crate) fn new(edit: CartEdit, session_token: Option<String>) -> Self {
        let CartEdit { cart_id, version, currency, line, expires_at } = edit;
        let line = line.map(|line| CartLineBody::new(line, currency));
        Self { cart_id, version, currency, line, expires_at, session_token }
    }
}

impl From<CartOnOffer> for CartBody {
    fn from(cart: CartOnOffer) -> Self {
        let CartOnOffer { cart_id, version, currency, lines, pending_order, expires_at } = cart;
        let lines: Vec<CartLineBody> =
            lines.into_iter().map(|line| CartLineBody::new(line, currency)).collect();
        let subtotal =
            lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.line_total.minor));
        let subtotal = MoneyBody::new(subtotal, currency);
        let pending_order_id = pending_order;
        Self { cart_id, version, currency, lines, subtotal, pending_order_id, expires_at }
    }
}
