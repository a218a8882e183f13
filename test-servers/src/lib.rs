//! Servers for tests alone: started privately, on free ports, in directories of their own, and
//! stopped again. No crate depends on this but for its tests and benches.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![allow(unreachable_pub, reason = "only tests use it")]

pub mod eventstore;
mod host;
pub mod meilisearch;
pub mod nats;
pub mod postgres;
pub mod sentence_model;
