//! What sells, where a sale counts half as much for each half-life that has passed since.
//!
//! This is forward decay (Cormode, Shkapenyuk, Srivastava, Xu: Forward decay: a practical time
//! decay model for streaming systems, 2009): an order weighs 2^(t/h), and weights are compared, or
//! divided by that of an instant, when asked for. So nothing has to be written again because time
//! passed. Weights are kept as whole numbers, added up for each period of one half-life; within
//! a period an order weighs 2^0 to 2^1, in 2^30ths. So sums never overflow, an order takes back
//! exactly what it added, and the same orders give the same rows in any order. A product's score
//! is the logarithm of its weight, worked out again when its rows changed.

use std::collections::BTreeMap;

use domain::ProductId;

use super::Change;
use crate::StoreError;
use crate::id_column::id;
use crate::sql::{Connection, OptionalExtension, params};

pub(super) const TABLES: &str = "
    CREATE TABLE sold (
        product_id BLOB NOT NULL, period INTEGER NOT NULL, orders INTEGER NOT NULL,
        weight INTEGER NOT NULL, PRIMARY KEY (product_id, period)) WITHOUT ROWID;
    CREATE TABLE stale (product_id BLOB PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE popular (product_id BLOB PRIMARY KEY, score INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX popular_by_score ON popular (score DESC, product_id);";

/// After so many days a sale counts half as much.
pub const HALF_LIFE_DAYS: u32 = 30;

/// Microseconds.
const HALF_LIFE_US: i64 = HALF_LIFE_DAYS as i64 * 24 * 60 * 60 * 1_000_000;

/// Weight of an order at the beginning of its period.
const ONE: f64 = (1_u64 << 30) as f64;

/// A score's units in a doubling.
const SCORE_UNITS: f64 = (1_u64 << 32) as f64;

/// A product that sells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Popular {
    pub product_id: ProductId,
    /// Orders with it, each counted as 2^(−age / half-life), where age is how much earlier than
    /// the newest order of the shop it was placed.
    pub weight: f64,
}

/// What sells best, by weight and by id among equals; at most `limit` products.
///
/// In time proportional to `limit`, and to the products that were sold since the last
/// [`refresh_popular`], which the runner calls about once a second.
pub fn popular(connection: &Connection, limit: usize) -> Result<Vec<Popular>, StoreError> {
    // One state of the file for all statements, unless the caller sees to that.
    let _snapshot = connection.snapshot()?;
    let newest: Option<i64> = connection
        .prepare_cached(
            "SELECT placed_us FROM purchase WHERE confirmed = 1 ORDER BY placed_us DESC LIMIT 1",
        )?
        .query_row([], |row| row.get(0))
        .optional()?;
    let Some(newest) = newest else {
        return Ok(Vec::new());
    };
    let mut statement = connection.prepare_cached(
        "SELECT product_id, score FROM popular
         WHERE product_id NOT IN (SELECT product_id FROM stale)
         ORDER BY score DESC, product_id LIMIT ?1",
    )?;
    let stored = statement.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
        Ok((id(row, 0)?, row.get(1)?))
    })?;
    let mut best = stored.collect::<Result<Vec<(ProductId, i64)>, _>>()?;
    best.extend(scores_of_stale(connection, i64::MAX)?);
    best.sort_unstable_by_key(|(product_id, score)| (-score, *product_id));
    best.truncate(limit);
    let (period, share) = split(newest);
    let newest = period as f64 + share;
    let weight = |score: i64| (score as f64 / SCORE_UNITS - newest).exp2();
    let shown =
        best.into_iter().map(|(product_id, score)| Popular { product_id, weight: weight(score) });
    Ok(shown.collect())
}

/// Works out the scores of at most so many products that were sold, or taken back, since the
/// last time, in the caller's transaction; returns how many.
///
/// Answers are the same before and after; they come quicker after.
pub fn refresh_popular(connection: &Connection, products_max: usize) -> Result<usize, StoreError> {
    let products_max = i64::try_from(products_max).unwrap_or(i64::MAX);
    let mut statement =
        connection.prepare_cached("SELECT product_id FROM stale ORDER BY product_id LIMIT ?1")?;
    let stale: Vec<ProductId> =
        statement.query_map([products_max], |row| id(row, 0))?.collect::<Result<_, _>>()?;
    let scores = scores_of_stale(connection, products_max)?;
    let mut set = connection.prepare_cached(
        "INSERT INTO popular VALUES (?1, ?2)
         ON CONFLICT (product_id) DO UPDATE SET score = excluded.score",
    )?;
    let mut gone = connection.prepare_cached("DELETE FROM popular WHERE product_id = ?1")?;
    let mut done = connection.prepare_cached("DELETE FROM stale WHERE product_id = ?1")?;
    for product in &stale {
        let bytes = product.uuid().into_bytes();
        match scores.get(product) {
            Some(score) => set.execute(params![bytes, score])?,
            None => gone.execute([bytes])?,
        }
        done.execute([bytes])?;
    }
    Ok(stale.len())
}

/// Adds the changes of an order placed at `placed_us`.
pub(super) fn count(
    connection: &Connection,
    placed_us: i64,
    changes: &[Change],
) -> Result<(), StoreError> {
    let (period, share) = split(placed_us);
    let weight = (share.exp2() * ONE).round() as i64;
    let mut add = connection.prepare_cached(
        "INSERT INTO sold VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (product_id, period) DO UPDATE SET
             orders = sold.orders + excluded.orders, weight = sold.weight + excluded.weight",
    )?;
    let mut none = connection
        .prepare_cached("DELETE FROM sold WHERE product_id = ?1 AND period = ?2 AND orders = 0")?;
    let mut mark = connection
        .prepare_cached("INSERT INTO stale VALUES (?1) ON CONFLICT (product_id) DO NOTHING")?;
    for Change { product_id, orders, .. } in changes.iter().filter(|change| change.orders != 0) {
        let product = product_id.uuid().into_bytes();
        add.execute(params![product, period, orders, orders * weight])?;
        if *orders < 0 {
            none.execute(params![product, period])?;
        }
        mark.execute([product])?;
    }
    Ok(())
}

/// The period an instant is in, and how much of it has passed then.
fn split(us: i64) -> (i64, f64) {
    let (period, passed) = (us.div_euclid(HALF_LIFE_US), us.rem_euclid(HALF_LIFE_US));
    (period, passed as f64 / HALF_LIFE_US as f64)
}

/// Scores of the first products that are stale; none for those that nobody bought.
fn scores_of_stale(
    connection: &Connection,
    products_max: i64,
) -> Result<BTreeMap<ProductId, i64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT product_id, period, weight FROM sold WHERE product_id IN
             (SELECT product_id FROM stale ORDER BY product_id LIMIT ?1)
         ORDER BY product_id, period DESC",
    )?;
    let mut rows = statement.query([products_max])?;
    let mut scores = BTreeMap::new();
    let mut of: Option<(ProductId, i64, f64)> = None;
    while let Some(row) = rows.next()? {
        let (product, period, weight): (ProductId, i64, i64) =
            (id(&row, 0)?, row.get(1)?, row.get(2)?);
        let weight = weight as f64 / ONE;
        of = match of {
            Some((same, newest, sum)) if same == product => {
                Some((product, newest, sum + weight * ((period - newest) as f64).exp2()))
            }
            before => {
                scores.extend(before.map(score));
                Some((product, period, weight))
            }
        };
    }
    scores.extend(of.map(score));
    Ok(scores)
}

/// The logarithm of a weight as of its newest period.
fn score((product, newest, weight): (ProductId, i64, f64)) -> (ProductId, i64) {
    (product, ((newest as f64 + weight.log2()) * SCORE_UNITS).round() as i64)
}
