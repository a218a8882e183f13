//! Sellers.

pub(crate) mod change;
pub(crate) mod register;
