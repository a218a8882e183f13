//! Carts of customers and guests.

pub(crate) mod add_item;
pub(crate) mod body;
pub(crate) mod change_currency;
pub(crate) mod merge;
pub(crate) mod remove_item;
pub(crate) mod set_quantity;
pub(crate) mod shopper;
pub(crate) mod show;
