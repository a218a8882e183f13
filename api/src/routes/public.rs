//! What anybody may ask for.

pub(crate) mod description;
pub(crate) mod health;
pub(crate) mod problems;
pub(crate) mod webhook;
