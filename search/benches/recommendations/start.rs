//! How long a start takes.

pub(crate) fn measure() {}
