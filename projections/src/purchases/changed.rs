//! Which customers' purchases changed since a reader looked last: marked with the position of the
//! batch's end, as the products of the catalogue are.

use domain::CustomerId;
use journal::{JournalId, Position};

use crate::id_column::id;
use crate::sql::{Connection, params};
use crate::{StoreError, file};

pub(super) const TABLES: &str = "
    CREATE TABLE changed_customer (
        customer_id BLOB PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX changed_customer_by_position ON changed_customer (position, customer_id);";

/// Answer of [`changed_customers`]; all of it of one state of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedCustomers {
    /// The journal these purchases are folded from.
    pub journal: JournalId,
    /// Everything up to here counts.
    pub position: Position,
    /// By id.
    pub customers: Vec<CustomerId>,
    /// Whether customers with higher ids changed as well.
    pub more: bool,
}

/// Customers whose purchases changed after `since`, with ids above `after`, at most `limit`; all
/// who ever bought with `since` 0. Such a customer may have nothing left.
///
/// A reader pages and goes on as with [`catalogue::changes`](crate::catalogue::changes): from the
/// lowest `position` of the pages it read.
pub fn changed_customers(
    connection: &Connection,
    since: Position,
    after: Option<CustomerId>,
    limit: usize,
) -> Result<ChangedCustomers, StoreError> {
    // One state of the file for all statements, unless the caller sees to that.
    let _snapshot = connection.snapshot()?;
    let checkpoint = file::checkpoint(connection)?
        .ok_or_else(|| StoreError::Other("the purchases have no checkpoint".to_owned()))?;
    let limit = limit.max(1);
    let mut statement = connection.prepare_cached(
        "SELECT customer_id FROM changed_customer
         WHERE position > ?1 AND (customer_id > ?2 OR ?2 IS NULL) ORDER BY customer_id LIMIT ?3",
    )?;
    let after = after.map(|id| id.uuid().into_bytes());
    let one_more = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let rows = statement.query_map(params![since.0, after, one_more], |row| id(row, 0))?;
    let mut customers = rows.collect::<Result<Vec<CustomerId>, _>>()?;
    let more = customers.len() > limit;
    customers.truncate(limit);
    let (journal, position) = (checkpoint.journal, checkpoint.position);
    Ok(ChangedCustomers { journal, position, customers, more })
}

pub(super) fn mark(connection: &Connection, customer: CustomerId) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO changed_customer VALUES (?1, (SELECT position FROM checkpoint))
             ON CONFLICT (customer_id) DO UPDATE SET position = excluded.position",
        )?
        .execute([customer.uuid().into_bytes()])
}
