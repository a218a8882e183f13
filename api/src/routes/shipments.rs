//! Parcels on their way.

pub(crate) mod deliver;
pub(crate) mod show;
