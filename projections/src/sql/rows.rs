//! What comes back.

use rusqlite::types::{FromSql, ValueRef};

use crate::StoreError;
#[cfg(feature = "postgres")]
use crate::postgres::cell;

/// One row of an answer; columns are counted from 0.
#[derive(Debug)]
pub struct Row<'r>(pub(super) OneRow<'r>);

#[derive(Debug)]
pub(super) enum OneRow<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    #[cfg(feature = "postgres")]
    Postgres(&'r tokio_postgres::Row),
}

impl Row<'_> {
    /// # Errors
    /// When there is no such column, or it holds something else.
    pub fn get<T: FromSql>(&self, column: usize) -> Result<T, StoreError> {
        match &self.0 {
            OneRow::Sqlite(row) => Ok(row.get(column)?),
            #[cfg(feature = "postgres")]
            OneRow::Postgres(row) => Ok(T::column_result(cell(row, column)?)?),
        }
    }

    /// The column as it is.
    ///
    /// # Errors
    /// When there is no such column.
    pub fn get_ref(&self, column: usize) -> Result<ValueRef<'_>, StoreError> {
        match &self.0 {
            OneRow::Sqlite(row) => Ok(row.get_ref(column)?),
            #[cfg(feature = "postgres")]
            OneRow::Postgres(row) => cell(row, column),
        }
    }
}

/// An answer, read row by row.
pub struct Rows<'s>(pub(super) Answer<'s>);

pub(super) enum Answer<'s> {
    Sqlite(rusqlite::Rows<'s>),
    #[cfg(feature = "postgres")]
    Whole {
        rows: std::sync::Arc<Vec<tokio_postgres::Row>>,
        next: usize,
    },
    #[cfg(feature = "postgres")]
    Streamed {
        rows: crate::postgres::Answer,
        at: Option<tokio_postgres::Row>,
    },
}

impl Rows<'_> {
    /// # Errors
    /// The store's.
    #[expect(clippy::should_implement_trait, reason = "a row lives only until the next one")]
    pub fn next(&mut self) -> Result<Option<Row<'_>>, StoreError> {
        match &mut self.0 {
            Answer::Sqlite(rows) => Ok(rows.next()?.map(|row| Row(OneRow::Sqlite(row)))),
            #[cfg(feature = "postgres")]
            Answer::Whole { rows, next } => {
                *next += 1;
                Ok(rows.get(*next - 1).map(|row| Row(OneRow::Postgres(row))))
            }
            #[cfg(feature = "postgres")]
            Answer::Streamed { rows, at } => {
                *at = rows.next()?;
                Ok(at.as_ref().map(|row| Row(OneRow::Postgres(row))))
            }
        }
    }
}

/// Iterator over an answer whose rows were read as something.
pub struct Mapped<'s, F> {
    pub(super) rows: Rows<'s>,
    pub(super) read: F,
}

impl<T, F: FnMut(&Row<'_>) -> Result<T, StoreError>> Iterator for Mapped<'_, F> {
    type Item = Result<T, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.rows.next() {
            Ok(Some(row)) => Some((self.read)(&row)),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        }
    }
}
