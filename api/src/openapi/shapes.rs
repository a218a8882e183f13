//! How what is written by the crates below looks, for the description: they know nothing of it.
//! Tests hold every answer to what is described.

#![allow(dead_code, reason = "only described, never made")]

use chrono::{DateTime, Utc};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OrderStatus {
    Pending,
    Confirmed,
    Processing,
    Shipped,
    Delivered,
    Returned,
    Cancelled,
    Failed,
}

#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProductStatus {
    Active,
    Inactive,
    /// For good.
    Deleted,
}

/// Where in the shop products are put before a shopper.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// The front page.
    Home,
    /// A list that was searched for or browsed.
    Search,
    Similar,
    FrequentlyBoughtTogether,
}

/// On which terms a customer buys.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tier {
    Retail,
    Wholesale,
}

/// The rule a price came from.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PriceRule {
    Wholesale,
    Sale,
    Sku,
    Product,
    /// Agreed outside the price list: an import, or support.
    Agreed,
}

#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReturnReason {
    Damaged,
    WrongItem,
    NotAsDescribed,
    TooLate,
    ChangedMind,
    Other,
}

#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReturnStatus {
    Requested,
    Received,
    Rejected,
}

/// The money's state in the field's usual words.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PaymentStatus {
    Initiated,
    Authorized,
    Captured,
    Failed,
    Voided,
    PartiallyRefunded,
    Refunded,
}

#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EndReasonCode {
    PaymentDeclined,
    /// The hold time ran out before the money was certain.
    PaymentExpired,
    OutOfStock,
    CaptureFailed,
    Requested,
    Other,
}

/// Why an order ended without goods.
#[derive(ToSchema)]
pub(crate) struct OrderEndReason {
    code: EndReasonCode,
    /// With `payment_declined`: in the provider's words.
    decline_code: Option<String>,
    /// With `capture_failed`: in the provider's words.
    failure_code: Option<String>,
    /// With `requested` and `other`.
    note: Option<String>,
}

/// Minor units of the order's currency: total = lines + tax + shipping - discount.
#[derive(ToSchema)]
pub(crate) struct OrderTotals {
    lines_minor: i64,
    tax_minor: i64,
    shipping_minor: i64,
    discount_minor: i64,
    total_minor: i64,
}

/// What was bought, at the price when it was.
#[derive(ToSchema)]
pub(crate) struct OrderLine {
    /// Number of the line within its order, from 1.
    line: u32,
    sku_id: Uuid,
    product_id: Uuid,
    seller_id: Uuid,
    name: String,
    /// Price of one unit, in minor units of the order's currency.
    unit_minor: i64,
    price_rule: PriceRule,
    ordered: u32,
    shipped: u32,
    delivered: u32,
    returned: u32,
}

/// Amounts are minor units of `currency`.
#[derive(ToSchema)]
pub(crate) struct Payment {
    payment_id: Uuid,
    order_id: Uuid,
    provider: String,
    #[schema(value_type = String)]
    currency: domain::Currency,
    status: PaymentStatus,
    amount_minor: i64,
    authorized_minor: i64,
    captured_minor: i64,
    /// Authorized and free again.
    voided_minor: i64,
    refunded_minor: i64,
    authorization_expires_at: Option<DateTime<Utc>>,
    /// Why the provider declined, in its own words.
    decline_code: Option<String>,
    /// Place in the journal of the last event in this.
    revision: u64,
}

/// Units of one line.
#[derive(ToSchema)]
pub(crate) struct UnitsOfLine {
    line: u32,
    quantity: u32,
}

/// What came back of one line.
#[derive(ToSchema)]
pub(crate) struct UnitsReceived {
    line: u32,
    quantity: u32,
    /// Of these, how many can be sold again.
    resellable: u32,
}

/// A parcel.
#[derive(ToSchema)]
pub(crate) struct Shipment {
    lines: Vec<UnitsOfLine>,
    carrier: Option<String>,
    tracking_number: Option<String>,
    dispatched_at: DateTime<Utc>,
    delivered_at: Option<DateTime<Utc>>,
}

/// A return.
#[derive(ToSchema)]
pub(crate) struct Return {
    /// To be written on the parcel.
    rma_number: String,
    status: ReturnStatus,
    reason: ReturnReason,
    note: Option<String>,
    lines: Vec<UnitsOfLine>,
    /// What arrived; left out until then.
    received: Option<Vec<UnitsReceived>>,
    /// What is owed for it, in minor units of the order's currency.
    refund_minor: i64,
    refund_id: Option<Uuid>,
    requested_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// A category and its place in the tree: below it is everything whose bounds lie between its own.
#[derive(ToSchema)]
pub(crate) struct Category {
    category_id: Uuid,
    parent_id: Option<Uuid>,
    name: String,
    slug: String,
    lft: u32,
    rgt: u32,
    /// 0 for a root.
    depth: u32,
    /// Slugs from the root down, joined by slashes.
    path: String,
}

/// A checkout that is not over.
#[derive(ToSchema)]
pub(crate) struct Checkout {
    order_id: Uuid,
    cart_id: Uuid,
    payment_id: Uuid,
    started_at: DateTime<Utc>,
    /// When its holds end, unless the money is certain or unknown by then.
    hold_expires_at: DateTime<Utc>,
    /// Keys of calls to the provider of which nobody knows the outcome.
    unknown: Vec<String>,
    /// Why it is being taken back, and how it is to end.
    #[schema(value_type = Option<Vec<Value>>)]
    compensating: Option<()>,
}
