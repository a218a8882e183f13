//! A statement, ready to be run.

use super::rows::{Answer, Mapped, Row, Rows};
use super::{Params, ToSql};
use crate::StoreError;

/// Made by [`Connection::prepare_cached`](super::Connection::prepare_cached).
pub struct Statement<'c>(Kind<'c>);

enum Kind<'c> {
    Sqlite(rusqlite::CachedStatement<'c>),
}

impl<'c> Statement<'c> {
    pub(super) fn sqlite(statement: rusqlite::CachedStatement<'c>) -> Self {
        Self(Kind::Sqlite(statement))
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
