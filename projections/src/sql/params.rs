//! What a statement is run with.

use rusqlite::types::{ToSql, Value};

use crate::StoreError;

/// Parameters in order: an array of one type, [`params!`](super::params), or values.
pub trait Params {
    /// Calls `take` with each.
    ///
    /// # Errors
    /// The first of `take`.
    fn each(
        &self,
        take: &mut dyn FnMut(&dyn ToSql) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

impl Params for &[&dyn ToSql] {
    fn each(
        &self,
        take: &mut dyn FnMut(&dyn ToSql) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.iter().try_for_each(|param| take(*param))
    }
}

impl Params for &[Value] {
    fn each(
        &self,
        take: &mut dyn FnMut(&dyn ToSql) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.iter().try_for_each(|param| take(param))
    }
}

/// No parameters. A type of its own, since `[]` alone would not say of which type there are none.
impl Params for [&dyn ToSql; 0] {
    fn each(
        &self,
        _: &mut dyn FnMut(&dyn ToSql) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        Ok(())
    }
}

macro_rules! arrays_of {
    ($($length:literal)*) => {$(
        impl<T: ToSql> Params for [T; $length] {
            fn each(
                &self,
                take: &mut dyn FnMut(&dyn ToSql) -> Result<(), StoreError>,
            ) -> Result<(), StoreError> {
                self.iter().try_for_each(|param| take(param))
            }
        }
    )*};
}

arrays_of!(1 2 3 4);
