//! Pages of parties, in the order of their ids, which is the order in which they came.

use crate::sql::{Connection, params};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::Record;
use crate::StoreError;

/// Most rows on a page.
pub const LIMIT_MAX: usize = 100;

/// Some rows, and the id to go on behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<Row, Id> {
    pub rows: Vec<Row>,
    /// `None` on the last page.
    pub next: Option<Id>,
}

/// Reads ids and records with a statement that takes the id to start behind (or null) and a
/// limit; rows for which `view` has nothing are not there.
pub(super) fn page<S, Row, Id>(
    connection: &Connection,
    sql: &str,
    after: Option<Uuid>,
    limit: usize,
    view: impl Fn(Id, Record<S>) -> Option<Row>,
) -> Result<Page<Row, Id>, StoreError>
where
    S: DeserializeOwned,
    Id: From<Uuid> + Copy,
{
    let limit = limit.clamp(1, LIMIT_MAX);
    let mut statement = connection.prepare_cached(sql)?;
    // One more than asked for tells whether there is a next page.
    let rows_max = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let mut found = statement.query(params![after.map(Uuid::into_bytes), rows_max])?;
    let mut rows = Vec::with_capacity(limit);
    let mut last = None;
    let mut seen = 0;
    while let Some(row) = found.next()? {
        if seen == limit {
            return Ok(Page { rows, next: last });
        }
        seen += 1;
        let id: Id = crate::id_column::id(&row, 0)?;
        let text = row.get_ref(1)?.as_str()?;
        rows.extend(view(id, serde_json::from_str(text)?));
        last = Some(id);
    }
    Ok(Page { rows, next: None })
}
