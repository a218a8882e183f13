//! A statement, ready to be run.

use super::rows::{Answer, Mapped, Row, Rows};
use super::{Params, ToSql};
use crate::StoreError;
#[cfg(feature = "postgres")]
use crate::postgres::Session;

/// Made by [`Connection::prepare_cached`](super::Connection::prepare_cached).
pub struct Statement<'c>(Kind<'c>);

enum Kind<'c> {
    Sqlite(rusqlite::CachedStatement<'c>),
    #[cfg(feature = "postgres")]
    Postgres {
        session: &'c Session,
        sql: String,
    },
}

impl<'c> Statement<'c> {
    pub(super) fn sqlite(statement: rusqlite::CachedStatement<'c>) -> Self {
        Self(Kind::Sqlite(statement))
    }

    #[cfg(feature = "postgres")]
    pub(super) fn postgres(session: &'c Session, sql: &str) -> Self {
        Self(Kind::Postgres { session, sql: sql.to_owned() })
    }

    /// Runs it. A remote store may tell of an error only at the next statement that reads, or at
    /// the commit.
    ///
    /// # Errors
    /// The store's.
    pub fn execute(&mut self, params: impl Params) -> Result<(), StoreError> {
        match &mut self.0 {
            Kind::Sqlite(statement) => {
                bind(statement, &params)?;
                statement.raw_execute()?;
                Ok(())
            }
            #[cfg(feature = "postgres")]
            Kind::Postgres { session, sql } => session.execute(sql, &params),
        }
    }

    /// Runs it, and waits for how many rows it changed.
    ///
    /// # Errors
    /// The store's.
    pub fn execute_counted(&mut self, params: impl Params) -> Result<usize, StoreError> {
        match &mut self.0 {
            Kind::Sqlite(statement) => {
                bind(statement, &params)?;
                Ok(statement.raw_execute()?)
            }
            #[cfg(feature = "postgres")]
            Kind::Postgres { session, sql } => session.execute_counted(sql, &params),
        }
    }

    /// # Errors
    /// The store's.
    pub fn query(&mut self, params: impl Params) -> Result<Rows<'_>, StoreError> {
        match &mut self.0 {
            Kind::Sqlite(statement) => {
                bind(statement, &params)?;
                Ok(Rows(Answer::Sqlite(statement.raw_query())))
            }
            #[cfg(feature = "postgres")]
            Kind::Postgres { session, sql } => {
                let rows = session.query(sql, &params)?;
                Ok(Rows(Answer::Whole { rows, next: 0 }))
            }
        }
    }

    /// As [`Self::query`] for answers of any length: nothing else can be asked on the connection
    /// before the end of this one.
    pub(crate) fn walk(&mut self, params: impl Params) -> Result<Rows<'_>, StoreError> {
        match &mut self.0 {
            Kind::Sqlite(_) => self.query(params),
            #[cfg(feature = "postgres")]
            Kind::Postgres { session, sql } => {
                let rows = session.stream(sql, &params)?;
                Ok(Rows(Answer::Streamed { rows, at: None }))
            }
        }
    }

    /// # Errors
    /// The store's.
    pub fn query_map<T, F: FnMut(&Row<'_>) -> Result<T, StoreError>>(
        &mut self,
        params: impl Params,
        read: F,
    ) -> Result<Mapped<'_, F>, StoreError> {
        Ok(Mapped { rows: self.query(params)?, read })
    }

    /// Reads the first row.
    ///
    /// # Errors
    /// The store's, and `Sqlite(QueryReturnedNoRows)` where there is none.
    pub fn query_row<T>(
        &mut self,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self.query(params)?.next()? {
            Some(row) => read(&row),
            None => Err(rusqlite::Error::QueryReturnedNoRows.into()),
        }
    }

    /// How many columns the answer has.
    ///
    /// # Errors
    /// The store's.
    pub fn column_count(&self) -> Result<usize, StoreError> {
        match &self.0 {
            Kind::Sqlite(statement) => Ok(statement.column_count()),
            #[cfg(feature = "postgres")]
            Kind::Postgres { session, sql } => session.column_count(sql),
        }
    }

    /// Whether there is a row.
    ///
    /// # Errors
    /// The store's.
    pub fn exists(&mut self, params: impl Params) -> Result<bool, StoreError> {
        Ok(self.query(params)?.next()?.is_some())
    }
}

fn bind(statement: &mut rusqlite::Statement<'_>, params: &impl Params) -> Result<(), StoreError> {
    let mut index = 0;
    params.each(&mut |param: &dyn ToSql| {
        index += 1;
        Ok(statement.raw_bind_parameter(index, param)?)
    })?;
    match statement.parameter_count() {
        count if count == index => Ok(()),
        count => Err(rusqlite::Error::InvalidParameterCount(index, count).into()),
    }
}
