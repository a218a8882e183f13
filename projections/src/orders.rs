//! Orders as they are now: one row for each, for look-ups by id, customer, seller, status, date
//! and reference. Money comes from the payment's own row, which is small and changes often.
//!
//! What was fixed when the order was placed (lines, addresses) is written once and never again,
//! so that an event costs the same for 1,000 lines as for one.

mod list;
mod money;
mod row;
mod tables;
mod view;

use crate::sql::{Connection, OptionalExtension, params};
use domain::order::OrderEvent;
use domain::product_return::ReturnEvent;
use domain::shipment::ShipmentEvent;
use domain::{OrderId, PaymentId};
use schemas::AnyEvent;

use crate::id_column::stream_id;
use crate::{Envelope, Projector, ReadModels, StoreError};

pub use list::{Cursor, CursorError, Filter, LIMIT_MAX, Page, list};
pub use money::PaymentView;
pub use row::{ReturnView, ShipmentView, Units};
pub use view::{LineView, OrderSummary, OrderView};

use row::OrderRow;

/// The order with this id, as far as the model is.
///
/// # Errors
/// The store's.
pub fn by_id(models: &ReadModels, id: OrderId) -> Result<Option<OrderView>, StoreError> {
    models.read(Orders::NAME, |connection| view::load(connection, id))
}

/// Orders and their payments.
#[derive(Debug)]
pub struct Orders;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrdersKey {
    Order(OrderId),
    Payment(PaymentId),
}

/// A row of one of the two tables.
#[derive(Debug, Clone)]
pub struct OrdersRow(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Order(Box<OrderRow>),
    Payment(Box<PaymentView>),
}

impl OrdersRow {
    fn order(self) -> Option<Box<OrderRow>> {
        match self.0 {
            Kind::Order(row) => Some(row),
            Kind::Payment(_) => None,
        }
    }

    fn payment(self) -> Option<Box<PaymentView>> {
        match self.0 {
            Kind::Payment(row) => Some(row),
            Kind::Order(_) => None,
        }
    }
}

impl Projector for Orders {
    type Key = OrdersKey;
    type Row = OrdersRow;

    const NAME: &'static str = "orders";
    const VERSION: u32 = 1;
    // A row holds its lines and may be large; orders change for seconds, then rest for days.
    const CACHED_ROWS: usize = 4_000;

    fn follows(category: &str) -> bool {
        matches!(category, "order" | "payment" | "shipment" | "return")
    }

    /// Dates are microseconds since 1970. Sellers are filed without the status, which would cost
    /// two entries for each seller at every move; only orders that wait for a seller, the lists
    /// sellers ask for again and again, are filed by status too. An order's number is the position of its first event:
    /// it grows, so rows are appended, and it is the same in every rebuild.
    fn create_tables(connection: &Connection) -> Result<(), StoreError> {
        connection.execute_batch(
            "CREATE TABLE orders (
                 number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,
                 status INTEGER NOT NULL, placed_us INTEGER NOT NULL,
                 customer BLOB, reference TEXT, state TEXT NOT NULL);
             CREATE INDEX orders_by_status ON orders (status, placed_us, id);
             CREATE INDEX orders_by_customer ON orders (customer, placed_us, id)
                 WHERE customer IS NOT NULL;
             CREATE INDEX orders_by_reference ON orders (reference, placed_us, id)
                 WHERE reference IS NOT NULL;
             CREATE TABLE placed (number INTEGER PRIMARY KEY, facts TEXT NOT NULL);
             CREATE TABLE order_sellers (
                 seller BLOB NOT NULL, placed_us INTEGER NOT NULL, id BLOB NOT NULL,
                 PRIMARY KEY (seller, placed_us, id)) WITHOUT ROWID;
             CREATE TABLE seller_work (
                 seller BLOB NOT NULL, status INTEGER NOT NULL, placed_us INTEGER NOT NULL,
                 id BLOB NOT NULL, PRIMARY KEY (seller, status, placed_us, id)) WITHOUT ROWID;
             CREATE TABLE payments (id BLOB PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;",
        )?;
        Ok(())
    }

    fn keys(event: &Envelope, keys: &mut Vec<OrdersKey>) {
        let key = match &event.event {
            AnyEvent::Order(_) => stream_id(event).map(OrdersKey::Order),
            AnyEvent::Payment(_) => stream_id(event).map(OrdersKey::Payment),
            AnyEvent::Shipment(
                ShipmentEvent::Dispatched { order_id, .. }
                | ShipmentEvent::Delivered { order_id, .. },
            )
            | AnyEvent::Return(
                ReturnEvent::Requested { order_id, .. }
                | ReturnEvent::Received { order_id, .. }
                | ReturnEvent::Rejected { order_id, .. },
            ) => Some(OrdersKey::Order(*order_id)),
            _ => None,
        };
        keys.extend(key);
    }

    fn fold(_: &OrdersKey, row: Option<OrdersRow>, event: &Envelope) -> Option<OrdersRow> {
        if let AnyEvent::Payment(payment) = &event.event {
            let row = row.and_then(OrdersRow::payment);
            return PaymentView::fold(row, payment, event.position)
                .map(|row| OrdersRow(Kind::Payment(row)));
        }
        let row = row.and_then(OrdersRow::order);
        let row = match &event.event {
            AnyEvent::Order(OrderEvent::Placed(placed)) => {
                Some(Box::new(OrderRow::placed(placed, event)))
            }
            // Nothing happens to an order before it is placed.
            _ => row.map(|mut row| {
                row.apply(event);
                row
            }),
        };
        row.map(|row| OrdersRow(Kind::Order(row)))
    }

    fn load(connection: &Connection, key: &OrdersKey) -> Result<Option<OrdersRow>, StoreError> {
        let (sql, id) = match key {
            OrdersKey::Order(id) => ("SELECT state FROM orders WHERE id = ?1", id.uuid()),
            OrdersKey::Payment(id) => ("SELECT state FROM payments WHERE id = ?1", id.uuid()),
        };
        let state: Option<String> = connection
            .prepare_cached(sql)?
            .query_row([id.as_bytes()], |row| row.get(0))
            .optional()?;
        let Some(state) = state else { return Ok(None) };
        Ok(Some(OrdersRow(match key {
            OrdersKey::Order(_) => Kind::Order(serde_json::from_str(&state)?),
            OrdersKey::Payment(_) => Kind::Payment(serde_json::from_str(&state)?),
        })))
    }

    fn save(
        connection: &Connection,
        key: &OrdersKey,
        before: Option<&OrdersRow>,
        after: Option<&OrdersRow>,
    ) -> Result<(), StoreError> {
        let before = before.map(|row| &row.0);
        match (key, after.map(|row| &row.0)) {
            (OrdersKey::Payment(id), Some(Kind::Payment(payment))) => {
                connection
                    .prepare_cached(
                        "INSERT INTO payments VALUES (?1, ?2)
                         ON CONFLICT (id) DO UPDATE SET state = excluded.state",
                    )?
                    .execute(params![id.uuid().as_bytes(), serde_json::to_string(payment)?])?;
            }
            (OrdersKey::Order(_), Some(Kind::Order(order))) => match before {
                Some(Kind::Order(before)) => order.update(connection, before)?,
                _ => order.insert(connection)?,
            },
            // Orders and payments are never deleted.
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
