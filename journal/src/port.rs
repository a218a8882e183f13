//! The port every journal adapter implements.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{JournalError, Leases, Recorded, StreamId, Unit, Verdict};

/// An event's place in the journal's one order. 0 is before the first event.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Position(pub u64);

/// How many events a stream has, and the place of its last one. 0 is a stream without events.
pub type Version = u64;

/// Tells journals apart: a position means nothing without it.
pub type JournalId = Uuid;

/// What an adapter's store allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Properties {
    /// Positions are 1, 2, 3 … without gaps.
    pub dense_positions: bool,
    /// A unit may hold groups of several streams.
    pub units_span_streams: bool,
    /// Others may append to the same journal: what this process remembers of a stream can be old.
    /// Such a journal grants leases.
    pub several_writers: bool,
}

/// What an open journal has done since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Transactions made durable.
    pub commits: u64,
    /// Events made durable.
    pub events: u64,
    /// Bytes of their payloads and metadata.
    pub bytes: u64,
    /// How long the last commit took from its first statement to durable, in microseconds.
    pub last_commit_micros: u64,
    /// Events waiting to be committed.
    pub queued_events: u64,
    /// Appends refused for lack of disk.
    pub full: u64,
    /// Times the store was reopened after a failed write or sync.
    pub reopens: u64,
    /// Bytes of the log a store keeps ahead of its file. It is used again and again, so it shows the
    /// most that was ever waiting to be moved.
    pub log_bytes: u64,
}

/// An append-only store of events in one global order.
///
/// Every adapter MUST pass `journal::conformance`.
#[async_trait]
pub trait Journal: Send + Sync {
    /// The journal's own id, made when it was created and never changed.
    fn id(&self) -> JournalId;

    fn properties(&self) -> Properties;

    /// Appends units in the order given; each is all-or-nothing and has its own verdict.
    ///
    /// MUST be durable on return; a conflict in one unit MUST NOT harm another. What a unit expects
    /// of streams it writes and of those it read, and its fence, MUST hold at one moment. A later unit
    /// of the same call sees the versions left by the earlier ones. On `Err` no unit is
    /// acknowledged: the caller must read before it assumes anything. Calls made at the same
    /// time MUST share commits where the store allows, and MUST take effect in the order in
    /// which the futures were first polled. At most `u32::MAX` events a call.
    async fn append(&self, units: Vec<Unit>) -> Result<Vec<Verdict>, JournalError>;

    /// Reads a stream's events with version > `after`, oldest first, at most `max`.
    /// An unknown stream is empty.
    async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        max: usize,
    ) -> Result<Vec<Recorded>, JournalError>;

    /// The stream's current version; 0 for an unknown stream.
    async fn stream_version(&self, stream: &StreamId) -> Result<Version, JournalError>;

    /// Reads all events with position > `after` in order, at most `max`: a gap-free prefix.
    /// MUST be cheap near the head (served from memory) whatever the journal's size.
    async fn read_all(&self, after: Position, max: usize) -> Result<Vec<Recorded>, JournalError>;

    /// Reads all events with position < `before` (the head if `None`), newest first, at most `max`.
    async fn read_back(
        &self,
        before: Option<Position>,
        max: usize,
    ) -> Result<Vec<Recorded>, JournalError>;

    /// Position of the last durable event.
    fn head(&self) -> Position;

    /// Resolves as soon as the head is past `position`, and returns the head.
    /// `Err(Closed)` when the journal closes while waiting.
    async fn wait_past(&self, position: Position) -> Result<Position, JournalError>;

    /// What this journal has done since it was opened; zeros where an adapter does not count.
    fn stats(&self) -> Stats {
        Stats::default()
    }

    /// Why the store cannot be reached just now, in words for an operator; `None` while it can.
    fn out_of_reach(&self) -> Option<String> {
        None
    }

    /// What grants leases to the processes that share this journal; `None` where one alone has it.
    fn leases(&self) -> Option<&dyn Leases> {
        None
    }

    /// Finishes what is queued, saves what a quick start wants, and closes. Idempotent.
    async fn close(&self) -> Result<(), JournalError>;
}
