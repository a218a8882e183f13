//! A database as read models see it: few calls, and the same SQL wherever the rows are kept.
//!
//! Statements are written in what SQLite and PostgreSQL both understand: `ON CONFLICT (…) DO`
//! names its columns, a column of the row that is there is qualified by its table, a condition is
//! not a number. What still differs is put right for PostgreSQL by its dialect.

mod params;
mod rows;
mod statement;
mod tables;

pub use params::Params;
pub use rows::{Mapped, Row, Rows};
pub use rusqlite::params;
pub use rusqlite::types::{FromSqlError, ToSql, Value, ValueRef};
pub use statement::Statement;
pub(crate) use tables::Table;

use journal::Position;

use crate::StoreError;
#[cfg(feature = "postgres")]
use crate::postgres::Session;

/// A session with a read store, used by one thread at a time.
#[derive(Debug)]
pub struct Connection(pub(crate) Kind);

#[derive(Debug)]
pub(crate) enum Kind {
    Sqlite(rusqlite::Connection),
    #[cfg(feature = "postgres")]
    Postgres(Box<Session>),
}

impl From<rusqlite::Connection> for Connection {
    fn from(connection: rusqlite::Connection) -> Self {
        Self(Kind::Sqlite(connection))
    }
}

impl Connection {
    /// Whether the store is a file of SQLite, or SQLite in memory.
    #[must_use]
    pub fn is_file(&self) -> bool {
        matches!(&self.0, Kind::Sqlite(_))
    }

    /// A statement that is parsed once for all its uses on this connection.
    ///
    /// # Errors
    /// The store's; PostgreSQL may tell only when the statement is run.
    pub fn prepare_cached(&self, sql: &str) -> Result<Statement<'_>, StoreError> {
        match &self.0 {
            Kind::Sqlite(connection) => Ok(Statement::sqlite(connection.prepare_cached(sql)?)),
            #[cfg(feature = "postgres")]
            Kind::Postgres(session) => Ok(Statement::postgres(session, sql)),
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
            #[cfg(feature = "postgres")]
            Kind::Postgres(session) => session.execute_batch(sql),
        }
    }

    /// Whether no transaction is open.
    #[must_use]
    pub fn is_autocommit(&self) -> bool {
        match &self.0 {
            Kind::Sqlite(connection) => connection.is_autocommit(),
            #[cfg(feature = "postgres")]
            Kind::Postgres(session) => !session.is_in_transaction(),
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
            #[cfg(feature = "postgres")]
            Kind::Postgres(session) => session.begin(None)?,
        }
        Ok(())
    }

    /// As [`Self::begin`], for rows that are at `from`: if they turn out to be elsewhere, because
    /// another wrote them, nothing is committed. A file's lock sees to that by itself.
    pub(crate) fn begin_at(&self, from: Position) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Sqlite(_) => {
                let _ = from;
                self.begin()
            }
            #[cfg(feature = "postgres")]
            Kind::Postgres(session) => session.begin(Some(from)),
        }
    }

    /// Whether an answer takes a journey, so that it pays to ask ahead.
    pub(crate) fn is_remote(&self) -> bool {
        match &self.0 {
            Kind::Sqlite(_) => false,
            #[cfg(feature = "postgres")]
            Kind::Postgres(_) => true,
        }
    }

    /// Where the store is remote: sends the first question of `ask` without waiting for its
    /// answer, which is there when it is asked again. `ask` is called for nothing else.
    pub(crate) fn ahead<T>(
        &self,
        ask: impl FnOnce(&Self) -> Result<T, StoreError>,
    ) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Sqlite(_) => {
                let _ = ask;
                Ok(())
            }
            #[cfg(feature = "postgres")]
            Kind::Postgres(session) => {
                session.set_asking(true);
                let asked = ask(self);
                session.set_asking(false);
                match asked {
                    Ok(_) | Err(StoreError::Ahead) => Ok(()),
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// Forgets answers that were asked for ahead: what follows writes.
    pub(crate) fn forget_ahead(&self) {
        match &self.0 {
            Kind::Sqlite(_) => {}
            #[cfg(feature = "postgres")]
            Kind::Postgres(session) => session.forget_ahead(),
        }
    }

    /// Waits until it is known what became of all statements so far.
    pub(crate) fn settle(&self) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Kind::Postgres(session) => session.settle(),
        }
    }

    /// Begins a transaction that only reads: from its first query on, it sees one state.
    pub(crate) fn begin_read(&self) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Sqlite(connection) => {
                connection.prepare_cached("BEGIN")?.execute([])?;
            }
            #[cfg(feature = "postgres")]
            Kind::Postgres(session) => session.begin(None)?,
        }
        Ok(())
    }

    pub(crate) fn commit(&self) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Sqlite(connection) => {
                connection.prepare_cached("COMMIT")?.execute([])?;
            }
            #[cfg(feature = "postgres")]
            Kind::Postgres(session) => session.commit()?,
        }
        Ok(())
    }

    /// Puts a store that was filled in bulk in order, so that it is whole and quick by itself.
    pub(crate) fn complete(&self) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Sqlite(connection) => {
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            }
            #[cfg(feature = "postgres")]
            Kind::Postgres(_) => {
                let tables = self.tables(&[])?;
                let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
                self.execute_batch(&format!("ANALYZE {}", names.join(", ")))?;
            }
        }
        Ok(())
    }

    /// Takes back what is open. A failed statement may have rolled back already.
    pub(crate) fn roll_back(&self) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Sqlite(connection) if connection.is_autocommit() => Ok(()),
            Kind::Sqlite(connection) => Ok(connection.execute_batch("ROLLBACK")?),
            #[cfg(feature = "postgres")]
            Kind::Postgres(session) => session.roll_back(),
        }
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
