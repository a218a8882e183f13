//! Frequently bought together: which products are in the same orders as a product.
//!
//! Kept as baskets (an order and its products) and postings (a product and its orders): linear
//! in order lines. Pairs are never stored, because they grow with the square of an order's
//! lines; they are counted from baskets and postings when asked for, and the best partners of
//! each product are worked out ahead of time, see [`refresh`].
//!
//! An order counts from its confirmation until it is cancelled or comes back whole; a product of
//! it stops counting when its last unit came back. An order is numbered by the position of its
//! `order.placed`, so the numbers are the same after every rebuild.

mod all_pairs;
mod basket;
mod baskets;
mod changes;
mod counting;
mod refresh;
mod score;
mod top;

#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
pub(crate) mod weighing;

use crate::sql::{Connection, OptionalExtension, params};
use domain::OrderId;
use schemas::AnyEvent;

pub use all_pairs::{AllPairs, Pair, all_pairs};
pub use basket::Basket;
pub use baskets::baskets;
pub use refresh::{Budget, Refreshed, Settings, refresh, stale_products};
pub use score::{Partner, Score, UnknownScore};
pub use top::{Freshness, Recommendation, TOP_MAX, Top, top};

use crate::{Envelope, Projector, StoreError};
use changes::Change;

/// Tables that hold what was worked out and what is still to be: they depend on when [`refresh`]
/// was called last, until nothing is stale; all others follow from the events alone.
pub const DERIVED_TABLES: &[&str] = &["change", "product", "top", "settings"];

/// The read model; see the module.
#[derive(Debug)]
pub struct FrequentlyBoughtTogether;

impl Projector for FrequentlyBoughtTogether {
    type Key = OrderId;
    type Row = Basket;

    const NAME: &'static str = "frequently_bought_together";
    const VERSION: u32 = 1;

    fn follows(category: &str) -> bool {
        category == "order"
    }

    fn create_tables(connection: &Connection) -> Result<(), StoreError> {
        connection.execute_batch(
            "CREATE TABLE basket (
                 ordinal INTEGER PRIMARY KEY, order_id BLOB NOT NULL UNIQUE,
                 confirmed INTEGER NOT NULL, products BLOB /* bytes */ NOT NULL,
                 lines BLOB /* bytes */ NOT NULL);
             CREATE TABLE posting (
                 product_id BLOB NOT NULL, ordinal INTEGER NOT NULL,
                 PRIMARY KEY (product_id, ordinal)) WITHOUT ROWID;
             CREATE TABLE total (one INTEGER PRIMARY KEY CHECK (one = 1), orders INTEGER NOT NULL);
             INSERT INTO total VALUES (1, 0);
             CREATE TABLE top (
                 product_id BLOB PRIMARY KEY, orders INTEGER NOT NULL,
                 partners BLOB /* bytes */ NOT NULL) WITHOUT ROWID;
             CREATE TABLE settings (
                 one INTEGER PRIMARY KEY CHECK (one = 1), support_min INTEGER NOT NULL);",
        )?;
        connection.execute_batch(changes::TABLES)?;
        let Settings { support_min } = Settings::default();
        connection.execute("INSERT INTO settings VALUES (1, ?1)", [support_min])?;
        Ok(())
    }

    fn keys(event: &Envelope, keys: &mut Vec<OrderId>) {
        keys.extend(Basket::changed_by(event));
    }

    fn fold(_: &OrderId, row: Option<Basket>, event: &Envelope) -> Option<Basket> {
        match &event.event {
            AnyEvent::Order(order) => Basket::fold(row, order, event.position),
            _ => row,
        }
    }

    fn load(connection: &Connection, key: &OrderId) -> Result<Option<Basket>, StoreError> {
        connection
            .prepare_cached(
                "SELECT ordinal, confirmed, products, lines FROM basket WHERE order_id = ?1",
            )?
            .query_row([key.uuid().into_bytes()], |row| {
                let (products, lines) = (row.get_ref(2)?.as_blob()?, row.get_ref(3)?.as_blob()?);
                Ok(Basket::read(row.get(0)?, row.get(1)?, products, lines)?)
            })
            .optional()
    }

    fn save(
        connection: &Connection,
        key: &OrderId,
        before: Option<&Basket>,
        after: Option<&Basket>,
    ) -> Result<(), StoreError> {
        if let (Some(old), Some(new)) = (before, after)
            && old.ordinal() != new.ordinal()
        {
            // Ended and placed anew in one batch.
            Self::save(connection, key, before, None)?;
            return Self::save(connection, key, None, after);
        }
        match (before, after) {
            (_, Some(basket)) => {
                connection
                    .prepare_cached(
                        "INSERT INTO basket VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (ordinal)
                         DO UPDATE SET confirmed = ?3, products = ?4, lines = ?5",
                    )?
                    .execute(params![
                        basket.ordinal(),
                        key.uuid().into_bytes(),
                        basket.is_confirmed(),
                        basket.products_blob(),
                        basket.lines_blob()
                    ])?;
            }
            (Some(basket), None) => {
                connection
                    .prepare_cached("DELETE FROM basket WHERE ordinal = ?1")?
                    .execute([basket.ordinal()])?;
            }
            (None, None) => {}
        }
        count_change(connection, before, after)
    }
}

/// Puts the difference between two states of an order into postings and changes.
fn count_change(
    connection: &Connection,
    before: Option<&Basket>,
    after: Option<&Basket>,
) -> Result<(), StoreError> {
    let old = before.map_or(&[][..], Basket::counted);
    let new = after.map_or(&[][..], Basket::counted);
    let Some(ordinal) = after.or(before).map(Basket::ordinal) else {
        return Ok(());
    };
    if old == new {
        return Ok(());
    }
    let mut insert = connection.prepare_cached("INSERT INTO posting VALUES (?1, ?2)")?;
    let mut delete =
        connection.prepare_cached("DELETE FROM posting WHERE product_id = ?1 AND ordinal = ?2")?;
    let mut change = Change::default();
    for id in new {
        let is_new = old.binary_search(id).is_err();
        if is_new {
            insert.execute(params![id.uuid().into_bytes(), ordinal])?;
        }
        // Those that stay have changed as well: in what they were bought together with.
        change.push(*id, i8::from(is_new));
    }
    for id in old.iter().filter(|id| new.binary_search(id).is_err()) {
        delete.execute(params![id.uuid().into_bytes(), ordinal])?;
        change.push(*id, -1);
    }
    change.append(connection)?;
    let orders = i64::from(!new.is_empty()) - i64::from(!old.is_empty());
    if orders != 0 {
        connection.prepare_cached("UPDATE total SET orders = orders + ?1")?.execute([orders])?;
    }
    Ok(())
}
