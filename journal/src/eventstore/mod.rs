//! A journal in EventStoreDB (KurrentDB): one stream of the server is the log.
//!
//! The server is atomic and checks versions for one stream only, so all streams of the journal are in
//! one of the server's. Each append names the event it follows on, and whoever is second judges
//! anew. Every node keeps a mirror of the log in a file and reads from that. See
//! `docs/adr/0009-one-stream-of-eventstoredb.md`.
//!
//! # For other readers
//! Each event has the type, id and payload it was given; its metadata holds `stream`, `version`,
//! `position`, `schema_version`, `occurred`, `recorded`, which of its unit's events it is (`unit`),
//! and with the first of them the unit's own `metadata`. This projection, made on the server, links
//! them into a stream for each of the journal's streams:
//!
//! ```js
//! fromStream('tillroll').when({
//!   $any: function (state, event) {
//!     if (event.metadata && event.metadata.stream) linkTo(event.metadata.stream, event);
//!   }
//! });
//! ```
//!
//! Units too large for one append are in events of the type `tillroll.part`, which it passes over.

mod client;
mod commit;
mod diagnose;
mod draft;
mod faults;
mod fold;
mod follow;
mod judge;
mod lease;
mod log;
mod mirror;
mod open;
mod options;
mod place;
mod points;
mod shared;
mod whole;

use std::future::Future;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use async_trait::async_trait;
use tokio::runtime::Runtime;
use uuid::Uuid;

pub use options::EventStoreOptions;
pub use whole::{delete, is_there};

use crate::held::hold;
use crate::{
    Epoch, Journal, JournalError, JournalId, Leases, Position, Properties, Recorded, Stats,
    StreamId, Unit, Verdict, Version, check,
};
use place::Place;
use shared::Shared;

/// How long dropping an open journal waits for what is queued.
const DROP_WITHIN: Duration = Duration::from_secs(15);

/// A journal in a stream of EventStoreDB. Several processes may have it open and append, each with a
/// mirror of its own.
///
/// It has threads of its own, so its futures need no particular executor. Reads are served from the
/// mirror and block the calling thread as those of a `SqliteJournal` do. Dropping it closes it and
/// waits for that.
#[derive(Debug)]
pub struct EventStoreJournal {
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
    /// Hears when the committing task has ended.
    ended: Mutex<mpsc::Receiver<()>>,
}

impl EventStoreJournal {
    /// Opens the journal at `url`: `esdb://USER:PASSWORD@HOST:2113?tls=true&stream=tillroll`, with
    /// the settings of EventStoreDB's connection strings and `stream`, the log's name. It is begun
    /// if there is none. What the mirror has not read yet is read first.
    ///
    /// The client chooses the TLS provider of the whole process when it is first made. So this comes
    /// before anything else that uses TLS without naming a provider.
    ///
    /// # Errors
    /// `NewerFormat`, `InUse` when another process has the mirror, `Corrupt` when log and mirror
    /// contradict each other, and `Unavailable` when the server cannot be reached or used, or the
    /// stream or the mirror is something else; the message says what to do.
    pub async fn open(url: &str, options: EventStoreOptions) -> Result<Self, JournalError> {
        let place = Place::parse(url)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("journal-eventstore")
            .enable_all()
            .build()
            .map_err(|error| JournalError::Unavailable(error.to_string()))?;
        let (end, ended) = mpsc::channel();
        match on(&runtime, open::start(place, options, end)).await {
            Ok(shared) => Ok(Self { shared, runtime: Some(runtime), ended: Mutex::new(ended) }),
            Err(error) => {
                runtime.shutdown_background();
                Err(error)
            }
        }
    }

    async fn on_runtime<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, JournalError>> + Send + 'static,
    ) -> Result<T, JournalError> {
        self.shared.ensure_open()?;
        match &self.runtime {
            Some(runtime) => on(runtime, work).await,
            None => Err(JournalError::Closed),
        }
    }
}

async fn on<T: Send + 'static>(
    runtime: &Runtime,
    work: impl Future<Output = Result<T, JournalError>> + Send + 'static,
) -> Result<T, JournalError> {
    match runtime.spawn(work).await {
        Ok(done) => done,
        Err(error) => Err(JournalError::Unavailable(format!("a task ended early: {error}"))),
    }
}

impl Drop for EventStoreJournal {
    fn drop(&mut self) {
        self.shared.queue.close();
        if let Some(runtime) = self.runtime.take() {
            let _ = hold(&self.ended).recv_timeout(DROP_WITHIN);
            runtime.shutdown_background();
        }
    }
}

#[async_trait]
impl Journal for EventStoreJournal {
    fn id(&self) -> JournalId {
        self.shared.id
    }

    fn properties(&self) -> Properties {
        Properties { dense_positions: true, units_span_streams: true, several_writers: true }
    }

    async fn append(&self, units: Vec<Unit>) -> Result<Vec<Verdict>, JournalError> {
        let size = check::units(&units)?;
        draft::keepable(&units)?;
        if units.is_empty() {
            self.shared.ensure_open()?;
            return Ok(Vec::new());
        }
        // Nothing is awaited before this, so the first poll decides the order.
        self.shared.queue.answer(units, size).await
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        max: usize,
    ) -> Result<Vec<Recorded>, JournalError> {
        self.shared.mirror.journal.read_stream(stream, after, max).await
    }

    async fn stream_version(&self, stream: &StreamId) -> Result<Version, JournalError> {
        self.shared.mirror.journal.stream_version(stream).await
    }

    async fn read_all(&self, after: Position, max: usize) -> Result<Vec<Recorded>, JournalError> {
        self.shared.mirror.journal.read_all(after, max).await
    }

    async fn read_back(
        &self,
        before: Option<Position>,
        max: usize,
    ) -> Result<Vec<Recorded>, JournalError> {
        self.shared.mirror.journal.read_back(before, max).await
    }

    fn head(&self) -> Position {
        self.shared.mirror.journal.head()
    }

    async fn wait_past(&self, position: Position) -> Result<Position, JournalError> {
        self.shared.mirror.journal.wait_past(position).await
    }

    fn stats(&self) -> Stats {
        let log_bytes = self.shared.mirror.journal.stats().log_bytes;
        let queued_events = self.shared.queue.events() as u64;
        Stats { queued_events, log_bytes, ..*hold(&self.shared.stats) }
    }

    fn leases(&self) -> Option<&dyn Leases> {
        Some(self)
    }

    async fn close(&self) -> Result<(), JournalError> {
        self.shared.queue.close();
        let mut closed = self.shared.closed.subscribe();
        // The sender lives in `self`, so this can only end by being closed.
        let _ = closed.wait_for(|closed| *closed).await;
        Ok(())
    }
}

#[async_trait]
impl Leases for EventStoreJournal {
    async fn hold(
        &self,
        lease: &str,
        owner: Uuid,
        ttl: Duration,
    ) -> Result<Option<Epoch>, JournalError> {
        let (shared, lease) = (Arc::clone(&self.shared), lease.to_owned());
        self.on_runtime(async move { lease::hold(&shared, &lease, owner, ttl).await }).await
    }

    async fn release(&self, lease: &str, owner: Uuid) -> Result<(), JournalError> {
        let (shared, lease) = (Arc::clone(&self.shared), lease.to_owned());
        self.on_runtime(async move { lease::release(&shared, &lease, owner).await }).await
    }
}
