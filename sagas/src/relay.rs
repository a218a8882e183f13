//! The relay: tells the outside what happened, from the journal's own log.
//!
//! The log is the outbox. The relay reads it in order, works out the public messages and hands
//! them to a [`MessageBus`]; how far it has got is kept where the bus is. Nothing that is committed
//! goes untold, whatever dies and for however long; what may be told twice has the same id and
//! position both times. On a journal that several nodes share, one relay at a time is at work.

mod bus;
mod in_process;
#[cfg(feature = "nats")]
mod jetstream;
mod page;
mod progress;
mod run;
pub mod translate;

use std::sync::Arc;
use std::time::Duration;

use commands::{Timer, TokioTimer};
use journal::Journal;

use crate::leadership::Leadership;

pub use bus::{BusError, Mark, MessageBus};
pub use in_process::{Consumer, ConsumerError, InProcessBus};
#[cfg(feature = "nats")]
pub use jetstream::{JetStreamBus, JetStreamOptions};
pub use progress::{RelayHandle, RelayProgress, RelayState};

/// Name of the lease on a shared journal.
pub const LEASE: &str = "relay";

/// Where a bus that was never told anything begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// With all that ever happened.
    #[default]
    Beginning,
    /// With what happens from now on.
    Head,
}

/// How a relay works. The defaults suit production.
#[derive(Clone)]
pub struct RelayOptions {
    pub start: Start,
    /// Most events read, worked out and published in one go.
    pub page_events: usize,
    /// Events nobody is told of after which the position is kept nevertheless.
    pub mark_events: u64,
    /// How long the log must be quiet before the position is kept.
    pub quiet: Duration,
    /// The first pause after a failure; doubled up to [`retry_max`](Self::retry_max).
    pub retry_min: Duration,
    pub retry_max: Duration,
    pub timer: Arc<dyn Timer>,
}

impl Default for RelayOptions {
    fn default() -> Self {
        Self {
            start: Start::default(),
            page_events: 1_024,
            mark_events: 8_192,
            quiet: Duration::from_secs(1),
            retry_min: Duration::from_millis(100),
            retry_max: Duration::from_secs(5),
            timer: Arc::new(TokioTimer),
        }
    }
}

/// Reads the log and publishes what it says.
pub struct Relay {
    journal: Arc<dyn Journal>,
    bus: Arc<dyn MessageBus>,
    options: RelayOptions,
    pages: page::Pages,
    leadership: Leadership,
    handle: RelayHandle,
    /// What is published but not kept as a mark yet.
    unmarked: Option<Mark>,
    /// Events since the last message or mark.
    untold: u64,
    /// Pauses since something last worked.
    failures: u32,
    /// What is wrong, so that it is said once.
    trouble: Option<String>,
}

impl Relay {
    /// Makes a relay; nothing is connected before [`run`](Self::run).
    #[must_use]
    pub fn open(
        journal: Arc<dyn Journal>,
        bus: Arc<dyn MessageBus>,
        options: RelayOptions,
    ) -> Self {
        let handle = RelayHandle::new(Arc::clone(&journal));
        let pages = page::Pages::new(Arc::clone(&journal), options.page_events);
        Self {
            journal,
            bus,
            options,
            pages,
            leadership: Leadership::alone(),
            handle,
            unmarked: None,
            untold: 0,
            failures: 0,
            trouble: None,
        }
    }

    /// Works only while this node leads.
    #[must_use]
    pub fn led_by(mut self, leadership: Leadership) -> Self {
        self.leadership = leadership;
        self
    }

    /// How far the relay is and what it is doing; for metrics, and to look at while it runs.
    #[must_use]
    pub fn handle(&self) -> RelayHandle {
        self.handle.clone()
    }

    /// Asks the bus whether it is set up and ready, so that whoever starts a node can say at once
    /// what is wrong. [`BusError::Unavailable`] is no reason not to start.
    pub async fn check(&self) -> Result<(), BusError> {
        self.bus.resume(self.journal.id()).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests;
