//! The rows of an orders file.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use chrono::DateTime;
use domain::{Currency, OrderId, Quantity, SkuId, Timestamp};
use sagas::checkout::AgreedLine;

use crate::import::catalogue::{id_of, read_amount};
use crate::import::csv_file::{CsvFile, Fields};
use crate::import::error::{ImportError, RowError};
use crate::import::named_id;
use crate::import::past::{Buyer, PastOrder, Step, What};

const COLUMNS: [&str; 7] =
    ["order_ref", "placed_at", "customer_ref", "currency", "sku_ref", "quantity", "unit_price"];

pub(super) struct PastLine {
    /// Line of the file.
    pub(super) row: u64,
    pub(super) sku_ref: Box<str>,
    pub(super) sku_id: SkuId,
    pub(super) quantity: Quantity,
    unit_minor: i64,
}

pub(super) struct OrderRows {
    pub(super) reference: Box<str>,
    pub(super) order_id: OrderId,
    pub(super) at: Timestamp,
    customer: Option<Box<str>>,
    pub(super) currency: Currency,
    /// Indexes into [`OrdersFile::lines`].
    lines: Vec<usize>,
}

#[derive(Default)]
pub(super) struct OrdersFile {
    pub(super) rows: u64,
    pub(super) lines: Vec<PastLine>,
    /// In time order; orders of one moment in file order.
    pub(super) orders: Vec<OrderRows>,
    pub(super) customers: u64,
    /// Sum of all orders, in minor units, whatever their currency.
    pub(super) value_minor: i64,
    by_reference: HashMap<Box<str>, usize>,
}

impl OrdersFile {
    pub(super) fn read(path: &Path) -> Result<Self, ImportError> {
        let mut file = Self::default();
        CsvFile::open(path, &COLUMNS)?.each(|fields| file.take(fields))?;
        file.by_reference = HashMap::new();
        file.orders.sort_by_key(|order| order.at);
        let customers: HashSet<&str> =
            file.orders.iter().filter_map(|order| order.customer.as_deref()).collect();
        file.customers = customers.len() as u64;
        Ok(file)
    }

    fn take(&mut self, fields: &Fields<'_>) -> Result<(), RowError> {
        self.rows += 1;
        let text =
            |text: &str| (1..=100).contains(&text.chars().count()).then(|| Box::<str>::from(text));
        let rule = "1 to 100 characters";
        let reference = fields.value(0, rule, text)?;
        let at = fields.value(1, "a time such as 2026-01-31T12:00:00Z", |text| {
            DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
        })?;
        let customer = fields.optional(2, rule, text)?;
        let currency: Currency =
            fields.value(3, "an ISO 4217 code such as GBP", |code| code.parse().ok())?;
        let sku_ref = fields.value(4, rule, text)?;
        let quantity = fields.value(5, "a whole number from 1 to 1,000,000,000", |text| {
            text.parse().ok().and_then(|units| Quantity::new(units).ok())
        })?;
        let rule = "an amount of the currency, 0 or more, such as 2.55";
        let unit_minor = fields.value(6, rule, |text| read_amount(text, currency))?;
        let value = unit_minor
            .checked_mul(i64::from(quantity.get()))
            .and_then(|value| self.value_minor.checked_add(value));
        self.value_minor = value.ok_or_else(|| fields.wrong(6, "within what can be summed"))?;

        let index = match self.by_reference.get(&*reference) {
            Some(index) => *index,
            None => {
                self.by_reference.insert(reference.clone(), self.orders.len());
                self.orders.push(OrderRows {
                    order_id: named_id("order", &reference, at),
                    reference,
                    at,
                    customer: customer.clone(),
                    currency,
                    lines: Vec::new(),
                });
                self.orders.len() - 1
            }
        };
        let Some(order) = self.orders.get_mut(index) else { return Ok(()) };
        if order.at != at {
            return Err(fields.wrong(1, "the same on all rows of an order"));
        }
        if order.customer != customer {
            return Err(fields.wrong(2, "the same on all rows of an order"));
        }
        if order.currency != currency {
            return Err(fields.wrong(3, "the same on all rows of an order"));
        }
        order.lines.push(self.lines.len());
        let sku_id = id_of("sku", &sku_ref);
        self.lines.push(PastLine { row: fields.line, sku_ref, sku_id, quantity, unit_minor });
        Ok(())
    }

    pub(super) fn lines_of<'a>(
        &'a self,
        order: &'a OrderRows,
    ) -> impl Iterator<Item = &'a PastLine> {
        order.lines.iter().filter_map(|index| self.lines.get(*index))
    }

    /// The value in thousandths of the major unit, as reports have it.
    pub(super) fn thousandths(&self) -> i64 {
        let of_order = |order: &OrderRows| -> i64 {
            let minor = |line: &PastLine| line.unit_minor * i64::from(line.quantity.get());
            let minor: i64 = self.lines_of(order).map(minor).sum();
            minor.saturating_mul(10_i64.pow(3 - order.currency.decimals().min(3)))
        };
        self.orders.iter().map(of_order).sum()
    }

    pub(super) fn steps(&self) -> impl Iterator<Item = Step> + Send {
        self.orders.iter().map(|order| {
            let (at, reference) = (order.at, &order.reference);
            let buyer = match &order.customer {
                Some(name) => Buyer::Customer {
                    customer_id: id_of("customer", name),
                    reference: name.clone(),
                    address_id: id_of("address", name),
                    method_id: id_of("payment method", name),
                },
                None => Buyer::Guest {
                    cart_id: named_id("cart", reference, at),
                    address_id: named_id("address", reference, at),
                },
            };
            let chain = match &buyer {
                Buyer::Customer { customer_id, .. } => Some(customer_id.uuid()),
                Buyer::Guest { .. } => None,
            };
            let agreed = |line: &PastLine| AgreedLine {
                sku_id: line.sku_id,
                quantity: line.quantity,
                unit_minor: line.unit_minor,
            };
            let what = What::Order(PastOrder {
                reference: reference.clone(),
                order_id: order.order_id,
                payment_id: named_id("payment", reference, at),
                shipment_id: named_id("shipment", reference, at),
                buyer,
                country: None,
                currency: order.currency,
                lines: self.lines_of(order).map(agreed).collect(),
            });
            Step { at, reference: format!("orders {reference}").into(), chain, what }
        })
    }
}
