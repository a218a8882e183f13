//! The orders that count, for whoever learns from them.

use crate::sql::{Connection, params};
use chrono::DateTime;
use domain::{CustomerId, ProductId, Timestamp};
use journal::Position;

use crate::StoreError;
use crate::id_column::{ids, optional_id};

/// An order that counts: confirmed, and not come to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedOrder {
    /// Of its `order.placed`.
    pub position: Position,
    pub placed_at: Timestamp,
    /// `None` for a guest.
    pub customer_id: Option<CustomerId>,
    /// Products with units that are not back; sorted, each once.
    pub products: Vec<ProductId>,
}

/// Orders placed after a position that count by now, in the order they were placed; at most `limit`.
pub fn orders_after(
    connection: &Connection,
    after: Position,
    limit: usize,
) -> Result<Vec<CountedOrder>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT ordinal, placed_us, customer_id, products FROM purchase
         WHERE ordinal > ?1 AND confirmed = 1 ORDER BY ordinal LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![after.0.cast_signed(), limit], |row| {
        let position = Position(row.get::<i64>(0)?.cast_unsigned());
        let placed_at = DateTime::from_timestamp_micros(row.get(1)?).unwrap_or_default();
        let products = ids(row.get_ref(3)?.as_blob()?)?.map(ProductId::new).collect();
        Ok(CountedOrder { position, placed_at, customer_id: optional_id(row, 2)?, products })
    })?;
    rows.collect::<Result<_, _>>()
}
