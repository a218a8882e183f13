//! Customers, their addresses and payment methods.

pub(crate) mod add_address;
pub(crate) mod add_payment_method;
pub(crate) mod body;
pub(crate) mod change;
pub(crate) mod erase;
pub(crate) mod list;
pub(crate) mod register;
pub(crate) mod remove_address;
pub(crate) mod remove_payment_method;
pub(crate) mod show;
