//! The front page.

pub(crate) mod show;
