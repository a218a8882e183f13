//! A planned step as the engine is told of it.

use domain::order::LineUnits;
use domain::{CartId, Currency, CustomerId, OrderId, Quantity};
use sagas::checkout::AgreedLine;

use super::ledger::{Invoice, Ledger, Row};
use super::plan::Planned;
use super::shop::Shop;
use crate::import::named_id;
use crate::import::past::{Buyer, PastCredit, PastLoss, PastOrder, PastReturn, Step, What};

/// Names this file's documents among those of other imports.
fn reference(invoice: &Invoice) -> String {
    format!("online-retail {}", invoice.number)
}

/// The order an invoice becomes.
pub(super) fn order_id(invoice: &Invoice) -> OrderId {
    named_id("order", &invoice.number, invoice.at)
}

fn customer_id(ledger: &Ledger, invoice: &Invoice) -> Option<(CustomerId, Box<str>)> {
    let named = ledger.customers.all.get(invoice.customer? as usize)?;
    Some((named_id("customer", &named.name, named.since), named.name.clone()))
}

/// `None` only if the plan is not of this ledger.
pub(super) fn step(ledger: &Ledger, shop: &Shop, planned: &Planned) -> Option<Step> {
    match planned {
        Planned::Order { invoice, rows } => order(ledger, shop, *invoice, rows),
        Planned::Return { invoice, order, lines, refund_minor } => {
            let (invoice, order) =
                (ledger.invoices.get(*invoice as usize)?, bought(ledger, *order)?);
            let mut units = Vec::with_capacity(lines.len());
            let mut skus = Vec::with_capacity(lines.len());
            for (line, quantity) in lines {
                units.push(LineUnits { line: *line, quantity: Quantity::new(*quantity).ok()? });
                skus.push(shop.sku_id(order_line(order, *line)?.code)?);
            }
            let name = format!("{} of {}", invoice.number, order.number);
            let what = What::Return(PastReturn {
                return_id: named_id("return", &name, invoice.at),
                order_id: order_id(order),
                lines: units,
                skus,
                refund_minor: *refund_minor,
            });
            let reference = format!("{} of {}", reference(invoice), order.number);
            let chain = customer_id(ledger, invoice).map(|(id, _)| id.uuid());
            Some(Step { at: invoice.at, reference: reference.into(), chain, what })
        }
        Planned::Credit { invoice, row, order, amount_minor } => {
            let (invoice, order) =
                (ledger.invoices.get(*invoice as usize)?, bought(ledger, *order)?);
            let credited = *invoice.rows.get(*row as usize)?;
            let what = What::Credit(PastCredit {
                order_id: order_id(order),
                amount_minor: *amount_minor,
                reason: format!("{} on {}", ledger.code(credited), invoice.number),
            });
            let reference = format!("{} row {}", reference(invoice), row + 1);
            let chain = customer_id(ledger, invoice).map(|(id, _)| id.uuid());
            Some(Step { at: invoice.at, reference: reference.into(), chain, what })
        }
        Planned::WriteOff { invoice, row } => {
            let invoice = ledger.invoices.get(*invoice as usize)?;
            let lost = *invoice.rows.get(*row as usize)?;
            let said = ledger.description(lost);
            let what = What::Loss(PastLoss {
                sku_id: shop.sku_id(lost.code)?,
                warehouse_id: shop.warehouse_id,
                quantity: Quantity::new(lost.quantity.unsigned_abs()).ok()?,
                reason: if said.is_empty() { "not said".to_owned() } else { said.to_owned() },
            });
            let reference = format!("{} row {}", reference(invoice), row + 1);
            Some(Step { at: invoice.at, reference: reference.into(), chain: None, what })
        }
    }
}

fn bought(ledger: &Ledger, invoice: u32) -> Option<&Invoice> {
    ledger.invoices.get(invoice as usize)
}

/// The row that became this line: lines are numbered from 1 over the rows with a positive
/// quantity.
fn order_line(order: &Invoice, line: u32) -> Option<Row> {
    let sold = order.rows.iter().filter(|row| row.quantity > 0 && row.price >= 0);
    sold.copied().nth(line.checked_sub(1)? as usize)
}

fn order(ledger: &Ledger, shop: &Shop, invoice: u32, rows: &[u32]) -> Option<Step> {
    let invoice = ledger.invoices.get(invoice as usize)?;
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows {
        let row = *invoice.rows.get(*row as usize)?;
        lines.push(AgreedLine {
            sku_id: shop.sku_id(row.code)?,
            quantity: Quantity::new(row.quantity.unsigned_abs()).ok()?,
            unit_minor: row.pence(),
        });
    }
    let (at, number) = (invoice.at, &invoice.number);
    let buyer = match customer_id(ledger, invoice) {
        Some((customer_id, name)) => {
            let since = ledger.customers.all.get(invoice.customer? as usize)?.since;
            let address = format!("{name} {}", invoice.country);
            Buyer::Customer {
                customer_id,
                address_id: named_id("address", &address, since),
                method_id: named_id("payment method", &name, since),
                reference: name,
            }
        }
        None => Buyer::Guest {
            cart_id: named_id::<CartId>("cart", number, at),
            address_id: named_id("address", number, at),
        },
    };
    let chain = match &buyer {
        Buyer::Customer { customer_id, .. } => Some(customer_id.uuid()),
        Buyer::Guest { .. } => None,
    };
    let what = What::Order(PastOrder {
        reference: number.clone(),
        order_id: order_id(invoice),
        payment_id: named_id("payment", number, at),
        shipment_id: named_id("shipment", number, at),
        buyer,
        country: Some(invoice.country),
        currency: Currency::GBP,
        lines,
    });
    Some(Step { at, reference: reference(invoice).into(), chain, what })
}
