//! What each customer bought, and what sells.
//!
//! An order counts from its confirmation until it is cancelled or comes back whole; a product of
//! it stops counting when its last unit came back. Guests count for what sells only. Customers
//! are ids here, as in all models: nothing personal is kept, so an erasure leaves nothing to erase.

mod changed;
mod customers;
mod orders;
mod popularity;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod weighing;

use domain::order::OrderEvent;
use domain::{CustomerId, OrderId, ProductId};
use schemas::AnyEvent;

pub use changed::{ChangedCustomers, changed_customers};
pub use customers::{Bought, of_customer};
pub use orders::{CountedOrder, orders_after};
pub use popularity::{HALF_LIFE_DAYS, Popular, popular, refresh_popular};

use crate::frequently_bought_together::Basket;
use crate::id_column::optional_id;
use crate::sql::{Connection, OptionalExtension, params};
use crate::{Envelope, Projector, StoreError};

/// Tables that depend on how events were cut into batches, and on when [`refresh_popular`] was
/// called last.
pub const DERIVED_TABLES: &[&str] = &["changed_customer", "popular", "stale"];

/// The read model; see the module.
#[derive(Debug)]
pub struct Purchases;

/// An order, from its placing until it comes to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// Its products, and units that are not back.
    basket: Basket,
    /// `None` for a guest.
    customer_id: Option<CustomerId>,
    /// Microseconds since 1970.
    placed_us: i64,
}

impl Projector for Purchases {
    type Key = OrderId;
    type Row = Purchase;

    const NAME: &'static str = "purchases";
    const VERSION: u32 = 1;

    fn follows(category: &str) -> bool {
        category == "order"
    }

    fn create_tables(connection: &Connection) -> Result<(), StoreError> {
        connection.execute_batch(
            "CREATE TABLE purchase (
                 ordinal INTEGER PRIMARY KEY, order_id BLOB NOT NULL UNIQUE, customer_id BLOB,
                 placed_us INTEGER NOT NULL, confirmed INTEGER NOT NULL,
                 products BLOB /* bytes */ NOT NULL, lines BLOB /* bytes */ NOT NULL);
             CREATE INDEX purchase_of_customer ON purchase (customer_id, placed_us);
             CREATE INDEX purchase_by_time ON purchase (placed_us);",
        )?;
        connection.execute_batch(customers::TABLES)?;
        connection.execute_batch(popularity::TABLES)?;
        connection.execute_batch(changed::TABLES)
    }

    fn keys(event: &Envelope, keys: &mut Vec<OrderId>) {
        keys.extend(Basket::changed_by(event));
    }

    fn fold(_: &OrderId, row: Option<Purchase>, event: &Envelope) -> Option<Purchase> {
        let AnyEvent::Order(order) = &event.event else {
            return row;
        };
        let (mut customer_id, mut placed_us) = match &row {
            Some(purchase) => (purchase.customer_id, purchase.placed_us),
            None => (None, 0),
        };
        if let (None, OrderEvent::Placed(placed)) = (&row, order) {
            customer_id = placed.customer_id;
            placed_us = placed.placed_at.timestamp_micros();
        }
        let basket = Basket::fold(row.map(|purchase| purchase.basket), order, event.position);
        basket.map(|basket| Purchase { basket, customer_id, placed_us })
    }

    fn load(connection: &Connection, key: &OrderId) -> Result<Option<Purchase>, StoreError> {
        connection
            .prepare_cached(
                "SELECT ordinal, confirmed, products, lines, customer_id, placed_us
                 FROM purchase WHERE order_id = ?1",
            )?
            .query_row([key.uuid().into_bytes()], |row| {
                let (products, lines) = (row.get_ref(2)?.as_blob()?, row.get_ref(3)?.as_blob()?);
                Ok(Purchase {
                    basket: Basket::read(row.get(0)?, row.get(1)?, products, lines)?,
                    customer_id: optional_id(row, 4)?,
                    placed_us: row.get(5)?,
                })
            })
            .optional()
    }

    fn save(
        connection: &Connection,
        key: &OrderId,
        before: Option<&Purchase>,
        after: Option<&Purchase>,
    ) -> Result<(), StoreError> {
        if let (Some(old), Some(new)) = (before, after)
            && old.basket.ordinal() != new.basket.ordinal()
        {
            // Ended and placed anew in one batch.
            Self::save(connection, key, before, None)?;
            return Self::save(connection, key, None, after);
        }
        match (before, after) {
            (_, Some(purchase)) => {
                connection
                    .prepare_cached(
                        "INSERT INTO purchase VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                         ON CONFLICT (ordinal) DO UPDATE SET confirmed = excluded.confirmed,
                             products = excluded.products, lines = excluded.lines",
                    )?
                    .execute(params![
                        purchase.basket.ordinal(),
                        key.uuid().into_bytes(),
                        purchase.customer_id.map(|id| id.uuid().into_bytes()),
                        purchase.placed_us,
                        purchase.basket.is_confirmed(),
                        purchase.basket.products_blob(),
                        purchase.basket.lines_blob()
                    ])?;
            }
            (Some(purchase), None) => {
                connection
                    .prepare_cached("DELETE FROM purchase WHERE ordinal = ?1")?
                    .execute([purchase.basket.ordinal()])?;
            }
            (None, None) => {}
        }
        count_change(connection, before, after)
    }
}

/// How one order's counting for a product changed.
#[derive(Debug, Clone, Copy)]
struct Change {
    product_id: ProductId,
    /// 1, 0 or −1.
    orders: i64,
    units: i64,
}

/// Puts the difference between two states of an order where it counts.
fn count_change(
    connection: &Connection,
    before: Option<&Purchase>,
    after: Option<&Purchase>,
) -> Result<(), StoreError> {
    let Some(purchase) = after.or(before) else {
        return Ok(());
    };
    let old = before.map(|purchase| purchase.basket.counted_units()).unwrap_or_default();
    let new = after.map(|purchase| purchase.basket.counted_units()).unwrap_or_default();
    if old == new {
        return Ok(());
    }
    let gone = old.keys().filter(|product| !new.contains_key(product));
    let changes: Vec<Change> = new
        .keys()
        .chain(gone)
        .map(|product_id| {
            let [before, now] = [&old, &new].map(|units| units.get(product_id).copied());
            Change {
                product_id: *product_id,
                orders: i64::from(now.is_some()) - i64::from(before.is_some()),
                units: now.unwrap_or(0) - before.unwrap_or(0),
            }
        })
        .filter(|change| (change.orders, change.units) != (0, 0))
        .collect();
    popularity::count(connection, purchase.placed_us, &changes)?;
    if let Some(customer_id) = purchase.customer_id {
        customers::count(connection, customer_id, purchase.placed_us, &changes)?;
        changed::mark(connection, customer_id)?;
    }
    Ok(())
}
