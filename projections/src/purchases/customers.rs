//! What one customer bought, the latest first.

use std::collections::BTreeSet;

use chrono::DateTime;
use domain::{CustomerId, ProductId, Timestamp};

use super::Change;
use crate::StoreError;
use crate::id_column::{id, ids};
use crate::sql::{Connection, OptionalExtension, params};

pub(super) const TABLES: &str = "
    CREATE TABLE bought (
        customer_id BLOB NOT NULL, product_id BLOB NOT NULL, orders INTEGER NOT NULL,
        units INTEGER NOT NULL, last_us INTEGER NOT NULL,
        PRIMARY KEY (customer_id, product_id)) WITHOUT ROWID;
    CREATE INDEX bought_latest ON bought (customer_id, last_us DESC, product_id);";

/// A product that a customer bought and has not sent back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bought {
    pub product_id: ProductId,
    /// Orders with it.
    pub orders: u32,
    /// Units of it that did not come back.
    pub units: u64,
    /// When the latest of these orders was placed.
    pub last: Timestamp,
}

/// What a customer bought, the latest first and by id among equals; at most `limit` products.
pub fn of_customer(
    connection: &Connection,
    customer: CustomerId,
    limit: usize,
) -> Result<Vec<Bought>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT product_id, orders, units, last_us FROM bought WHERE customer_id = ?1
         ORDER BY last_us DESC, product_id LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![customer.uuid().into_bytes(), limit], |row| {
        Ok(Bought {
            product_id: id(row, 0)?,
            orders: row.get(1)?,
            units: row.get(2)?,
            last: DateTime::from_timestamp_micros(row.get(3)?).unwrap_or_default(),
        })
    })?;
    rows.collect()
}

/// Adds the changes of an order placed at `placed_us`, which is saved as it is now.
pub(super) fn count(
    connection: &Connection,
    customer: CustomerId,
    placed_us: i64,
    changes: &[Change],
) -> Result<(), StoreError> {
    let customer = customer.uuid().into_bytes();
    let mut more = connection.prepare_cached(
        "INSERT INTO bought VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (customer_id, product_id) DO UPDATE SET
             orders = bought.orders + excluded.orders, units = bought.units + excluded.units,
             last_us = CASE WHEN bought.last_us < excluded.last_us
                 THEN excluded.last_us ELSE bought.last_us END",
    )?;
    let mut less = connection.prepare_cached(
        "UPDATE bought SET orders = orders + ?3, units = units + ?4
         WHERE customer_id = ?1 AND product_id = ?2",
    )?;
    let mut none = connection.prepare_cached(
        "DELETE FROM bought WHERE customer_id = ?1 AND product_id = ?2 AND orders = 0",
    )?;
    let mut gone = BTreeSet::new();
    for Change { product_id, orders, units } in changes {
        let product = product_id.uuid().into_bytes();
        if *orders > 0 {
            more.execute(params![customer, product, orders, units, placed_us])?;
            continue;
        }
        less.execute(params![customer, product, orders, units])?;
        if *orders < 0 {
            none.execute(params![customer, product])?;
            gone.insert(*product_id);
        }
    }
    last_of_the_rest(connection, customer, placed_us, gone)
}

/// Looks for the latest order of each product that was in one of this instant and no longer is.
fn last_of_the_rest(
    connection: &Connection,
    customer: [u8; 16],
    placed_us: i64,
    products: BTreeSet<ProductId>,
) -> Result<(), StoreError> {
    let mut last = connection
        .prepare_cached("SELECT last_us FROM bought WHERE customer_id = ?1 AND product_id = ?2")?;
    let mut was_last = BTreeSet::new();
    for product in products {
        let last: Option<i64> = last
            .query_row(params![customer, product.uuid().into_bytes()], |row| row.get(0))
            .optional()?;
        if last == Some(placed_us) {
            was_last.insert(product);
        }
    }
    if was_last.is_empty() {
        return Ok(());
    }
    let mut earlier = connection.prepare_cached(
        "SELECT placed_us, products FROM purchase
         WHERE customer_id = ?1 AND placed_us <= ?2 AND confirmed = 1 ORDER BY placed_us DESC",
    )?;
    let mut set = connection.prepare_cached(
        "UPDATE bought SET last_us = ?3 WHERE customer_id = ?1 AND product_id = ?2",
    )?;
    let mut rows = earlier.query(params![customer, placed_us])?;
    while let Some(row) = rows.next()? {
        let at: i64 = row.get(0)?;
        for product in ids(row.get_ref(1)?.as_blob()?)?.map(ProductId::new) {
            if was_last.remove(&product) && at != placed_us {
                set.execute(params![customer, product.uuid().into_bytes(), at])?;
            }
        }
        if was_last.is_empty() {
            break;
        }
    }
    Ok(())
}
