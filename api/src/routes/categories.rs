//! The tree of categories.

pub(crate) mod add;
pub(crate) mod list;
pub(crate) mod move_to;
pub(crate) mod remove;
pub(crate) mod rename;
pub(crate) mod show;
