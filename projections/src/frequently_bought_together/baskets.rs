//! Whole baskets, for whoever learns from which products are bought together.

use domain::ProductId;

use crate::StoreError;
use crate::id_column::ids;
use crate::sql::{Connection, params};

/// Orders that count, in the order they were placed, numbered above `after_ordinal`; at most
/// `limit`. Each has its number, at least 1, and its products, sorted and distinct.
///
/// Orders are changed and taken back, so whoever wants to be right about old ones reads again
/// from 0.
pub fn baskets(
    connection: &Connection,
    after_ordinal: i64,
    limit: usize,
) -> Result<Vec<(i64, Vec<ProductId>)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT ordinal, products FROM basket WHERE ordinal > ?1 AND confirmed = 1
         ORDER BY ordinal LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![after_ordinal, limit], |row| {
        let products = ids(row.get_ref(1)?.as_blob()?)?;
        Ok((row.get(0)?, products.map(ProductId::new).collect()))
    })?;
    rows.collect()
}
