//! Sellers.

pub(crate) mod body;
pub(crate) mod change;
pub(crate) mod list;
pub(crate) mod products;
pub(crate) mod register;
pub(crate) mod show;
