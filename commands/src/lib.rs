//! How a command becomes committed events: the bus, its units of work, the cache of
//! aggregates, idempotency and the bridge to cqrs-es.
//!
//! No business rule lives here; they are in `domain`.

mod bridge;
mod bus;
mod cache;
mod desk;
#[cfg(test)]
mod desk_mishap_tests;
#[cfg(test)]
mod desk_shared_tests;
#[cfg(test)]
mod desk_tests;
mod loading;
mod metadata;
mod ports;
mod refusal;
mod request_log;
mod snapshots;
mod unit;

pub mod browsing;
pub mod carts;
pub mod catalogue;
pub mod stock_desk;

pub use bridge::{Bridge, JournalEventStore, Stored};
pub use bus::{Bus, BusOptions, BusStats, Done};
pub use metadata::{Caller, Metadata};
pub use ports::{
    Clock, IdSource, Spawner, SystemClock, SystemIds, Timer, TokioSpawner, TokioTimer,
};
pub use refusal::{CommandError, Refused, Stop};
pub use request_log::{Answered, NeverRefused, Once, RequestId, RequestKey, RequestLog};
pub use snapshots::{NoSnapshots, Snapshot, SnapshotStore, SqliteSnapshots};
pub use unit::{Runs, Unit, known};
