//! An order as a reader gets it: what was fixed, what has changed, and its money.

use std::collections::BTreeMap;

use crate::sql::{Connection, OptionalExtension};
use domain::customer::Address;
use domain::order::{OrderEndReason, OrderStatus, OrderTotals, PlacedOrder};
use domain::pricing::PriceRule;
use domain::{
    CartId, Currency, CustomerId, LineNumber, OrderId, PaymentMethodId, ProductId, ReturnId,
    Sealed, SellerId, ShipmentId, SkuId, Timestamp,
};
use serde::Serialize;

use super::money::PaymentView;
use super::row::{OrderRow, ReturnView, ShipmentView};
use crate::StoreError;

/// Everything a reader needs about one order. Amounts in minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OrderView {
    pub order_id: OrderId,
    /// Version of the order's stream; the payment moves without it.
    pub version: u64,
    /// Position of the last event of order, shipments, returns or payment in this.
    pub revision: u64,
    pub status: OrderStatus,
    pub customer_id: Option<CustomerId>,
    pub cart_id: CartId,
    pub currency: Currency,
    pub lines: Vec<LineView>,
    pub totals: OrderTotals,
    /// `None` where nothing was to be paid, or before it was initiated.
    pub payment: Option<PaymentView>,
    pub payment_method_id: Option<PaymentMethodId>,
    pub shipping_address: Option<Address>,
    pub guest_contact: Option<Sealed>,
    pub shipments: BTreeMap<ShipmentId, ShipmentView>,
    pub returns: BTreeMap<ReturnId, ReturnView>,
    pub reference: Option<String>,
    pub end_reason: Option<OrderEndReason>,
    pub placed_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A line as ordered, and how far its units are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LineView {
    pub line: LineNumber,
    pub sku_id: SkuId,
    pub product_id: ProductId,
    pub seller_id: SellerId,
    pub name: String,
    pub unit_minor: i64,
    pub price_rule: PriceRule,
    pub ordered: u32,
    pub shipped: u32,
    pub delivered: u32,
    pub returned: u32,
}

/// What a list shows of an order. Amounts in minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OrderSummary {
    pub order_id: OrderId,
    pub version: u64,
    pub status: OrderStatus,
    pub customer_id: Option<CustomerId>,
    pub currency: Currency,
    pub totals: OrderTotals,
    pub line_count: u32,
    pub reference: Option<String>,
    pub placed_at: Timestamp,
    pub updated_at: Timestamp,
}

impl From<OrderRow> for OrderSummary {
    fn from(row: OrderRow) -> Self {
        Self {
            order_id: row.order_id,
            version: row.version,
            status: row.status,
            customer_id: row.customer_id,
            currency: row.currency,
            totals: row.totals,
            line_count: row.line_count,
            reference: row.reference,
            placed_at: row.placed_at,
            updated_at: row.updated_at,
        }
    }
}

pub(super) fn load(connection: &Connection, id: OrderId) -> Result<Option<OrderView>, StoreError> {
    let found = connection
        .prepare_cached("SELECT state, facts FROM orders JOIN placed USING (number) WHERE id = ?1")?
        .query_row([id.uuid().as_bytes()], |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)))
        .optional()?;
    let Some((state, facts)) = found else {
        return Ok(None);
    };
    let row: OrderRow = serde_json::from_str(&state)?;
    let placed: PlacedOrder = serde_json::from_str(&facts)?;
    let payment = match row.payment_id {
        Some(payment_id) => connection
            .prepare_cached("SELECT state FROM payments WHERE id = ?1")?
            .query_row([payment_id.uuid().as_bytes()], |row| row.get::<String>(0))
            .optional()?
            .map(|state| serde_json::from_str::<PaymentView>(&state))
            .transpose()?,
        None => None,
    };
    Ok(Some(view(row, placed, payment)))
}

fn view(row: OrderRow, placed: PlacedOrder, payment: Option<PaymentView>) -> OrderView {
    let lines = placed.lines.into_iter().map(|line| {
        let units = row.units.get(&line.line).copied().unwrap_or_default();
        LineView {
            line: line.line,
            sku_id: line.sku_id,
            product_id: line.product_id,
            seller_id: line.seller_id,
            name: line.name,
            unit_minor: line.unit_minor,
            price_rule: line.price_rule,
            ordered: line.quantity.get(),
            shipped: units.shipped,
            delivered: units.delivered,
            returned: units.returned,
        }
    });
    let money_revision = payment.as_ref().map_or(0, |payment| payment.revision);
    OrderView {
        order_id: row.order_id,
        version: row.version,
        revision: row.revision.max(money_revision),
        status: row.status,
        customer_id: row.customer_id,
        cart_id: placed.cart_id,
        currency: row.currency,
        lines: lines.collect(),
        totals: row.totals,
        payment,
        payment_method_id: placed.payment_method_id,
        shipping_address: placed.shipping_address,
        guest_contact: placed.guest_contact,
        shipments: row.shipments,
        returns: row.returns,
        reference: row.reference,
        end_reason: row.end_reason,
        placed_at: row.placed_at,
        updated_at: row.updated_at,
    }
}
