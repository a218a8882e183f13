//! Parcels on their way.

pub(crate) mod deliver;
