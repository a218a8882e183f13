//! Which tables a model has.

use super::{Connection, Kind};
use crate::StoreError;

/// A table of rows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    /// Indices of the columns that identify a row: its key, or else all.
    pub(crate) key: Vec<usize>,
}

/// Name of the table, name of a column, its place in the key or 0; in order of names, then of
/// columns.
const OF_SQLITE: &str = "
    SELECT tables.name, columns.name, columns.pk
    FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns
    WHERE tables.type = 'table' AND tables.name NOT IN ('checkpoint', 'parked')
        AND tables.name NOT LIKE 'sqlite_%'
    ORDER BY tables.name, columns.cid";

#[cfg(feature = "postgres")]
const OF_POSTGRES: &str = "
    SELECT tables.relname::text, columns.attname::text, coalesce((
        SELECT key.place FROM pg_index, unnest(indkey) WITH ORDINALITY AS key (number, place)
        WHERE indrelid = tables.oid AND indisprimary AND key.number = columns.attnum), 0)
    FROM pg_class AS tables JOIN pg_attribute AS columns ON attrelid = tables.oid
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
        AND relname NOT IN ('checkpoint', 'parked') AND attnum > 0 AND NOT attisdropped
    ORDER BY relname::text COLLATE \"C\", attnum";

impl Connection {
    /// The tables of a model's rows but for `derived`, in order.
    pub(crate) fn tables(&self, derived: &[&str]) -> Result<Vec<Table>, StoreError> {
        let sql = match &self.0 {
            Kind::Sqlite(_) => OF_SQLITE,
            #[cfg(feature = "postgres")]
            Kind::Postgres(_) => OF_POSTGRES,
        };
        let mut tables: Vec<Table> = Vec::new();
        let mut places: Vec<Vec<(usize, usize)>> = Vec::new();
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (name, column, place): (String, String, usize) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            if derived.contains(&name.as_str()) {
                continue;
            }
            if tables.last().is_none_or(|last| last.name != name) {
                tables.push(Table { name, columns: Vec::new(), key: Vec::new() });
                places.push(Vec::new());
            }
            if let (Some(table), Some(places)) = (tables.last_mut(), places.last_mut()) {
                if place > 0 {
                    places.push((place, table.columns.len()));
                }
                table.columns.push(column);
            }
        }
        for (table, mut places) in tables.iter_mut().zip(places) {
            places.sort_unstable();
            table.key = match places.is_empty() {
                true => (0..table.columns.len()).collect(),
                false => places.into_iter().map(|(_, column)| column).collect(),
            };
        }
        Ok(tables)
    }

    /// Whether the store has this table.
    pub(crate) fn has_table(&self, name: &str) -> Result<bool, StoreError> {
        let sql = match &self.0 {
            Kind::Sqlite(_) => "SELECT 1 FROM sqlite_master WHERE name = ?1",
            #[cfg(feature = "postgres")]
            Kind::Postgres(_) => {
                "SELECT 1 FROM pg_class
                 WHERE relname = ?1 AND relnamespace = current_schema()::regnamespace"
            }
        };
        self.prepare_cached(sql)?.exists([name])
    }
}
