//! Imports: a catalogue, stock and past orders from CSV files, through the engine's own commands.
//!
//! Every file is read and checked to its end before anything is written. Ids are worked out from
//! what the file says, so the same file leads to the same things and a second run changes nothing;
//! a run that was stopped goes on where it ended.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failing test panics"))]

pub mod catalogue;
mod clock;
mod csv_file;
mod error;
mod named_ids;
pub mod online_retail;
mod order_flow;
pub mod orders;
mod past;
mod payments;
mod progress;
mod report;
pub mod stock;
#[cfg(test)]
mod testing;
mod warehouse;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sagas::engine::Engine;
use sagas::key_store::KeyStore;
use sagas::payment_gateway::PaymentGateway;

use crate::compose::NodeOptions;

pub use clock::ImportClock;
pub use error::{ImportError, RowError};
pub use named_ids::named_id;
pub use progress::{Progress, Stage, Watch};
pub use report::{Report, RuleCount};

/// What an import needs of the engine it writes into.
#[derive(Clone)]
pub struct ImportInto {
    pub engine: Engine,
    pub keys: Arc<dyn KeyStore>,
    /// Takes the payments of past orders; one of the engine's own gateways. The import makes the
    /// calls itself, so that their results are recorded at the time in the file.
    pub gateway: Arc<dyn PaymentGateway>,
    /// The clock the engine runs by. It follows the import: the lowest time still in flight.
    pub clock: Arc<ImportClock>,
}

impl ImportInto {
    /// How to open a node for an import, which runs by `clock`. Nobody else is served meanwhile,
    /// so read models may lag and save each row once for many changes, and little is kept ready
    /// for readers near the head.
    #[must_use]
    pub fn node_options(data: &Path, clock: &Arc<ImportClock>) -> NodeOptions {
        let mut options = NodeOptions::new(data);
        options.clock = Arc::clone(clock) as _;
        // Every article, its stock, the customers and their carts, and whatever is in flight.
        options.bus.cached_aggregates_max = 14_000;
        // What is decided ahead of the disk is kept in memory, here and in the commit.
        options.bus.staged_events_max = 4_096;
        options.journal.tail_events = 32_768;
        options.journal.tail_bytes = 20 << 20;
        options.journal.head_cache_streams = 50_000;
        options.journal.chunk_cache_bytes = 4 << 20;
        options.journal.page_cache_kib = 4 << 10;
        options.reads.batch_events_max = 4_096;
        options.reads.catch_up_events_max = 4_096;
        options.reads.linger = Duration::from_millis(200);
        options.reads.upkeep_at_end = true;
        options
    }
}
