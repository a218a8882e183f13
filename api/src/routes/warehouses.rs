//! Warehouses.

pub(crate) mod activate;
pub(crate) mod change;
pub(crate) mod open;
