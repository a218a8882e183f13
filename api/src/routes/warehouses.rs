//! Warehouses.

pub(crate) mod activate;
pub(crate) mod body;
pub(crate) mod change;
pub(crate) mod list;
pub(crate) mod open;
pub(crate) mod show;
pub(crate) mod stock;
