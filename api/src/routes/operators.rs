//! Pages for whoever runs the engine.

pub(crate) mod checkouts;
pub(crate) mod metrics;
pub(crate) mod parked_webhooks;
pub(crate) mod projections;
pub(crate) mod shortages;
