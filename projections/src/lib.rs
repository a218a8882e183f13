//! How events become answers: one file for each read model, the runner that feeds them all in
//! one pass over the log, their stores, and the shadow rebuild.
//!
//! Nothing here sends commands or is read by a decision.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failing test panics"))]

mod compare;
#[cfg(test)]
mod conformance;
mod decode;
mod directory;
mod feed;
mod file;
mod follower;
#[cfg(test)]
mod given;
mod id_column;
mod model;
#[cfg(feature = "postgres")]
mod postgres;
mod progress;
mod projector;
mod read_models;
mod rebuild;
mod row_cache;
mod runner;
mod serving;
#[cfg(test)]
#[path = "../benches/story.rs"]
mod story;

pub mod carts;
pub mod catalogue;
pub mod checkouts;
pub mod frequently_bought_together;
pub mod models;
pub mod order_history;
pub mod orders;
pub mod parties;
pub mod purchases;
pub mod sql;
pub mod stock;

pub use compare::{Difference, compare, compare_rows, dump};
pub use directory::{Directory, Generation};
pub use file::ParkedEvent;
pub use follower::Follower;
pub use models::Registration;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresOptions, migrate_postgres};
pub use progress::{Metrics, ModelPosition, WaitError};
pub use projector::{Envelope, Projector, StoreError};
pub use read_models::ReadModels;
pub use rebuild::{
    Phase, RebuildError, RebuildOptions, RebuildProgress, Rebuilt, RebuiltModel, rebuild,
};
pub use runner::{Options, Runner, RunnerError, Step, retry_parked};
pub use sql::Connection;
