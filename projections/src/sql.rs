//! A database as read models see it: few calls, and the same SQL wherever the rows are kept.
//!
//! Statements are written in what SQLite and PostgreSQL both understand: `ON CONFLICT (…) DO`
//! names its columns, a column of the row that is there is qualified by its table, a condition is
//! not a number. What still differs is put right for PostgreSQL by its dialect.

mod params;
mod rows;
mod statement;

pub use params::Params;
pub use rows::{Mapped, Row, Rows};
pub use rusqlite::params;
pub use rusqlite::types::{FromSqlError, ToSql, Value, ValueRef};
pub use statement::Statement;

use crate::StoreError;

/// A session with a read store, used by one thread at a time.
#[derive(Debug)]
pub struct Connection(pub(crate) Kind);

#[derive(Debug)]
pub(crate) enum Kind {
    Sqlite(rusqlite::Connection),
}

impl From<rusqlite::Connection> for Connection {
    fn from(connection: rusqlite::Connection) -> Self {
        Self(Kind::Sqlite(connection))
    }
}

impl Connection {
    /// A statement that is parsed once for all its uses on this connection.
    ///
    /// # Errors
    /// The store's; PostgreSQL may tell only when the statement is run.
    pub fn prepare_cached(&self, sql: &str) -> Result<Statement<'_>, StoreError> {
        match &self.0 {
            Kind::Sqlite(connection) => Ok(Statement::sqlite(connection.prepare_cached(sql)?)),
        }
    }

    /// A statement for one use.
    ///
    /// # Errors
    /// As [`Self::prepare_cached`].
    pub fn prepare(&self, sql: &str) -> Result<Statement<'_>, StoreError> {
        self.prepare_cached(sql)
    }

    /// Runs a statement and returns how many rows it changed.
    ///
    /// # Errors
    /// The store's.
    pub fn execute(&self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        self.prepare_cached(sql)?.execute_counted(params)
    }

    /// Reads the one row of a statement.
    ///
    /// # Errors
    /// The store's, and `NoRow` where there is none.
    pub fn query_row<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.prepare_cached(sql)?.query_row(params, read)
    }

    /// Runs several statements without parameters.
    ///
    /// # Errors
    /// The store's.
    pub fn execute_batch(&self, sql: &str) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
        }
    }

    /// Whether no transaction is open.
    #[must_use]
    pub fn is_autocommit(&self) -> bool {
        match &self.0 {
            Kind::Sqlite(connection) => connection.is_autocommit(),
        }
    }

    /// Holds one state of the store still for the statements that follow; nothing where a
    /// transaction is open already.
    ///
    /// # Errors
    /// The store's.
    pub fn snapshot(&self) -> Result<Option<Transaction<'_>>, StoreError> {
        if !self.is_autocommit() {
            return Ok(None);
        }
        self.begin_read()?;
        Ok(Some(Transaction(self)))
    }

    /// Begins a transaction that writes; nothing where one is open already.
    ///
    /// # Errors
    /// The store's.
    pub fn transaction(&self) -> Result<Option<Transaction<'_>>, StoreError> {
        if !self.is_autocommit() {
            return Ok(None);
        }
        self.begin()?;
        Ok(Some(Transaction(self)))
    }

    pub(crate) fn begin(&self) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Sqlite(connection) => {
                connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            }
        }
        Ok(())
    }

    /// Begins a transaction that only reads: from its first query on, it sees one state.
    pub(crate) fn begin_read(&self) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Sqlite(connection) => {
                connection.prepare_cached("BEGIN")?.execute([])?;
            }
        }
        Ok(())
    }

    pub(crate) fn commit(&self) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Sqlite(connection) => {
                connection.prepare_cached("COMMIT")?.execute([])?;
            }
        }
        Ok(())
    }

    /// Puts a store that was filled in bulk in order, so that it is whole and quick by itself.
    pub(crate) fn complete(&self) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Sqlite(connection) => {
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            }
        }
        Ok(())
    }

    /// Takes back what is open. A failed statement may have rolled back already.
    pub(crate) fn roll_back(&self) -> Result<(), StoreError> {
        if !self.is_autocommit() {
            self.execute_batch("ROLLBACK")?;
        }
        Ok(())
    }
}

/// A transaction that is taken back when dropped, unless it was committed.
#[derive(Debug)]
pub struct Transaction<'c>(&'c Connection);

impl Transaction<'_> {
    /// # Errors
    /// The store's; nothing was written then.
    pub fn commit(self) -> Result<(), StoreError> {
        self.0.commit()
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        // One that cannot be taken back ends with its connection.
        let _ = self.0.roll_back();
    }
}

/// Turns the absence of a row into nothing.
pub trait OptionalExtension<T> {
    /// # Errors
    /// All but `NoRow`.
    fn optional(self) -> Result<Option<T>, StoreError>;
}

impl<T> OptionalExtension<T> for Result<T, StoreError> {
    fn optional(self) -> Result<Option<T>, StoreError> {
        match self {
            Ok(found) => Ok(Some(found)),
            Err(StoreError::Sqlite(rusqlite::Error::QueryReturnedNoRows)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
