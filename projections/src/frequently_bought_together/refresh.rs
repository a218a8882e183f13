//! Works out the best partners of products that changed.
//!
//! A product is stale when one of its orders changed, or when a partner's orders did, because
//! scores depend on both. The second is marked when the partner itself is refreshed, even if it
//! is in as many orders as the last time: in between it may have been in more, and been seen so.
//! When nothing is stale any more, the stored partners are a function of the baskets alone,
//! whenever and in whatever portions the refreshing was done.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::sql::Connection;
use domain::ProductId;

use crate::StoreError;
use crate::frequently_bought_together::counting::Counter;
use crate::frequently_bought_together::{Partner, changes, top};
use crate::id_column::id;

/// What counts as bought together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Orders two products must share, at least 1; fewer say nothing.
    pub support_min: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { support_min: 2 }
    }
}

/// When a refresh stops although products are left. At least one product is always done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    pub products_max: usize,
    /// Looked at after each product: one with very many orders may take longer by itself.
    pub time_max: Duration,
}

impl Budget {
    /// Everything, for the end of a rebuild.
    pub const UNBOUNDED: Self = Self { products_max: usize::MAX, time_max: Duration::MAX };
}

/// What one call of [`refresh`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refreshed {
    pub products: usize,
    /// Stale products left.
    pub left: usize,
}

/// Works out partners of stale products, those with orders of their own that changed first,
/// in one transaction, or in the caller's if it has one.
///
/// Harmless to repeat or to leave out; a refresh with nothing stale writes nothing. Settings
/// other than those last used make everything stale.
pub fn refresh(
    connection: &Connection,
    settings: &Settings,
    budget: Budget,
) -> Result<Refreshed, StoreError> {
    let own = connection.transaction()?;
    let refreshed = refresh_within(connection, settings, budget)?;
    if let Some(transaction) = own {
        transaction.commit()?;
    }
    Ok(refreshed)
}

/// Products whose stored partners may be out of date: the lag of this model's ranking.
pub fn stale_products(connection: &Connection) -> Result<usize, StoreError> {
    let marked: usize = connection
        .prepare_cached("SELECT count(*) FROM product WHERE stale > 0")?
        .query_row([], |row| row.get(0))?;
    let mut is_marked =
        connection.prepare_cached("SELECT 1 FROM product WHERE product_id = ?1 AND stale > 0")?;
    let mut stale = marked;
    for product in changes::pending(connection)?.keys() {
        stale += usize::from(!is_marked.exists([product.uuid().into_bytes()])?);
    }
    Ok(stale)
}

fn refresh_within(
    connection: &Connection,
    settings: &Settings,
    budget: Budget,
) -> Result<Refreshed, StoreError> {
    let started = Instant::now();
    changes::apply(connection)?;
    let support_min = settings.support_min.max(1);
    if support_min != top::support_min(connection)? {
        connection.execute("UPDATE settings SET support_min = ?1", [support_min])?;
        connection.execute("UPDATE product SET stale = 2 WHERE stale < 2", [])?;
    }
    let mut counter = Counter::new(connection);
    let mut done = BTreeSet::new();
    let mut partners = BTreeSet::new();
    let mut mark = connection
        .prepare_cached("UPDATE product SET stale = 1 WHERE product_id = ?1 AND stale = 0")?;
    let within = |done: usize| done == 0 || started.elapsed() < budget.time_max;
    // A second round does the partners of those whose orders changed.
    loop {
        let round = stale(connection, budget.products_max.max(1) - done.len())?;
        if round.is_empty() || !within(done.len()) {
            break;
        }
        for (product, is_changed) in round {
            if !within(done.len()) {
                break;
            }
            let found = refresh_one(&mut counter, product, support_min)?;
            if is_changed {
                partners.extend(found.iter().map(|partner| partner.product_id));
            }
            done.insert(product);
        }
        // What was done in this transaction saw the same orders: it need not be done again.
        for product in std::mem::take(&mut partners).difference(&done) {
            mark.execute([product.uuid().into_bytes()])?;
        }
    }
    Ok(Refreshed { products: done.len(), left: stale_products(connection)? })
}

/// Stale products, at most `count_max`, and whether their own orders changed. Those come first;
/// else the order is random, so that none waits for ever where the budget never suffices.
fn stale(connection: &Connection, count_max: usize) -> Result<Vec<(ProductId, bool)>, StoreError> {
    let count_max = i64::try_from(count_max).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(
        "SELECT product_id, CASE stale WHEN 2 THEN 1 ELSE 0 END FROM product WHERE stale > 0
         ORDER BY stale DESC, random() LIMIT ?1",
    )?;
    let found = statement.query_map([count_max], |row| Ok((id(row, 0)?, row.get(1)?)))?;
    found.collect::<Result<_, _>>()
}

/// Works out and stores one product's partners.
fn refresh_one(
    counter: &mut Counter<'_>,
    product: ProductId,
    support_min: u32,
) -> Result<Vec<Partner>, StoreError> {
    let connection = counter.connection();
    let bytes = product.uuid().into_bytes();
    let (orders, partners) = counter.partners(product, support_min)?;
    if orders == 0 {
        for sql in
            ["DELETE FROM top WHERE product_id = ?1", "DELETE FROM product WHERE product_id = ?1"]
        {
            connection.prepare_cached(sql)?.execute([bytes])?;
        }
        return Ok(partners);
    }
    top::store(connection, product, orders, &partners)?;
    connection
        .prepare_cached("UPDATE product SET stale = 0 WHERE product_id = ?1")?
        .execute([bytes])?;
    Ok(partners)
}
