//! What is told of orders. Nobody's name, address or own words are in it.

use domain::order::{LineUnits, OrderStatus, OrderTotals};
use domain::pricing::PriceRule;
use domain::{
    Currency, CustomerId, LineNumber, OrderId, PaymentId, ProductId, Quantity, ReturnId, SellerId,
    ShipmentId, SkuId, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Everything about a new order that is nobody's personal data. Amounts are minor units of
/// `currency`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderPlaced {
    pub order_id: OrderId,
    /// Not there for a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    pub currency: Currency,
    pub lines: Vec<PlacedLine>,
    /// total = lines + tax + shipping − discount.
    pub totals: OrderTotals,
    /// Not there where nothing is to be paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<PaymentId>,
    /// The order's number in another system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Where the goods go, as the address has it; an ISO 3166 code as a rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    pub placed_at: Timestamp,
    /// Who placed it, by role: `customer`, `guest`, `system` …
    pub by: String,
}

/// One line as ordered; its price never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlacedLine {
    pub line: LineNumber,
    pub sku_id: SkuId,
    pub product_id: ProductId,
    pub seller_id: SellerId,
    /// The product's.
    pub name: String,
    pub quantity: Quantity,
    pub unit_minor: i64,
    pub price_rule: PriceRule,
}

/// An order went from one state to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderMoved {
    pub order_id: OrderId,
    pub previous_state: OrderStatus,
    pub new_state: OrderStatus,
    pub timestamp: Timestamp,
    /// Who moved it, by role: `system`, `seller`, `admin` …
    pub by: String,
}

/// An order came to an end without goods.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderEnded {
    pub order_id: OrderId,
    pub previous_state: OrderStatus,
    pub new_state: OrderStatus,
    pub timestamp: Timestamp,
    /// Who ended it, by role.
    pub by: String,
    pub reason: EndReason,
}

/// Why an order ended without goods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndReason {
    pub code: EndCode,
    /// The payment provider's own word, where it was about money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_code: Option<String>,
}

/// The kind of reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndCode {
    PaymentDeclined,
    PaymentExpired,
    OutOfStock,
    CaptureFailed,
    Requested,
    Other,
}

/// Units of an order that left the house, or arrived.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderLinesMoved {
    pub order_id: OrderId,
    pub shipment_id: ShipmentId,
    pub lines: Vec<LineUnits>,
}

/// Units of an order that came back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderLinesReturned {
    pub order_id: OrderId,
    pub return_id: ReturnId,
    pub lines: Vec<LineUnits>,
}
