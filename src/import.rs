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

use std::sync::Arc;

use sagas::engine::Engine;
use sagas::key_store::KeyStore;
use sagas::payment_gateway::PaymentGateway;

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
