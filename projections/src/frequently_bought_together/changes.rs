//! What changed since the last refresh: appended by the fold, taken up by the refresh.
//!
//! Counts of a product's orders are wanted for every partner, but kept up line by line they would
//! cost the fold as much again as the postings. So an order's change is one row appended here,
//! and many of them are added up before they reach the products.

use std::collections::BTreeMap;

use crate::sql::FromSqlError;
use crate::sql::{Connection, params};
use domain::ProductId;
use uuid::Uuid;

use crate::StoreError;

pub(super) const TABLES: &str = "
    CREATE TABLE change (
        number INTEGER PRIMARY KEY /* counted */, products BLOB /* bytes */ NOT NULL);
    CREATE TABLE product (
        product_id BLOB PRIMARY KEY, orders INTEGER NOT NULL,
        stale INTEGER NOT NULL) WITHOUT ROWID;";

/// Orders gained or lost by each product. 0 is a change too: of what it was bought together with.
type Changes = BTreeMap<ProductId, i64>;

/// Changes added up at a time, each of one order.
const APPLIED_TOGETHER: usize = 10_000;

/// An order's change, before it is appended.
#[derive(Debug, Default)]
pub(super) struct Change(Vec<u8>);

impl Change {
    pub(super) fn push(&mut self, product: ProductId, orders: i8) {
        self.0.extend_from_slice(product.uuid().as_bytes());
        self.0.push(orders.cast_unsigned());
    }

    pub(super) fn append(&self, connection: &Connection) -> Result<(), StoreError> {
        connection
            .prepare_cached("INSERT INTO change (products) VALUES (?1)")?
            .execute([&self.0])?;
        Ok(())
    }
}

/// Whether anything changed since the last refresh.
pub(super) fn any(connection: &Connection) -> Result<bool, StoreError> {
    connection.prepare_cached("SELECT 1 FROM change LIMIT 1")?.exists([])
}

/// All that changed since the last refresh, added up.
pub(super) fn pending(connection: &Connection) -> Result<Changes, StoreError> {
    let mut changes = Changes::new();
    read(connection, usize::MAX, &mut changes)?;
    Ok(changes)
}

/// Brings products up to date and marks them stale; nothing is pending then.
pub(super) fn apply(connection: &Connection) -> Result<(), StoreError> {
    loop {
        let mut changes = Changes::new();
        let Some(last) = read(connection, APPLIED_TOGETHER, &mut changes)? else {
            return Ok(());
        };
        let mut count = connection.prepare_cached(
            "INSERT INTO product VALUES (?1, ?2, 2)
             ON CONFLICT (product_id) DO UPDATE SET orders = product.orders + ?2, stale = 2",
        )?;
        for (product, orders) in changes {
            count.execute(params![product.uuid().into_bytes(), orders])?;
        }
        connection.prepare_cached("DELETE FROM change WHERE number <= ?1")?.execute([last])?;
    }
}

/// Adds up the first changes; the number of the last of them, `None` if there are none.
fn read(
    connection: &Connection,
    count_max: usize,
    changes: &mut Changes,
) -> Result<Option<i64>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT number, products FROM change ORDER BY number LIMIT ?1")?;
    let mut rows = statement.query([i64::try_from(count_max).unwrap_or(i64::MAX)])?;
    let mut last = None;
    while let Some(row) = rows.next()? {
        last = Some(row.get(0)?);
        let blob = row.get_ref(1)?.as_blob()?;
        let (products, rest) = blob.as_chunks::<17>();
        if !rest.is_empty() {
            return Err(FromSqlError::InvalidType.into());
        }
        for [id @ .., orders] in products {
            let product = ProductId::new(Uuid::from_bytes(*id));
            *changes.entry(product).or_default() += i64::from(orders.cast_signed());
        }
    }
    Ok(last)
}
