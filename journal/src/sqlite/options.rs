//! What can be set on an embedded journal, and what it reports.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use chrono::{DateTime, Utc};

use crate::JournalId;

/// Gives the time an event is recorded at.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Settings of a [`SqliteJournal`](crate::SqliteJournal). The defaults suit one shop on one machine.
#[derive(Clone)]
pub struct Options {
    /// Make the journal when the file does not exist; else such an open is `Unavailable`.
    pub create_if_missing: bool,
    /// The id a journal gets that is made; `None` makes one up.
    pub id: Option<JournalId>,
    /// Sync each commit. Without it the newest commits can be lost when the machine falls over, yet
    /// what is left is sound: for a journal that can be made again from another.
    pub durable: bool,
    /// Stamps `recorded`, once for all events of a commit, to the microsecond.
    pub clock: Clock,
    /// Most events kept in memory for readers near the head.
    pub tail_events: usize,
    /// Most bytes of payload and metadata kept in memory for readers near the head.
    pub tail_bytes: usize,
    /// Stream heads read from disk that are remembered; about 150 bytes each.
    pub head_cache_streams: usize,
    /// Bytes of chunks kept for stream reads.
    pub chunk_cache_bytes: usize,
    /// SQLite's page cache of the writer and of each reader, in KiB.
    pub page_cache_kib: u32,
    /// Read connections kept open between reads; reads at the same time may open more.
    pub read_connections: usize,
    /// Most events waiting to be committed. An append past it is `Unavailable`.
    pub queue_events_max: usize,
    /// Most bytes of payload and metadata waiting to be committed.
    pub queue_bytes_max: usize,
    /// Ask the system for real-time priority for the committing thread, so that on a busy
    /// machine it is woken from `fsync` at once.
    pub realtime_priority: bool,
    /// Pages (of 8 KiB) the log ahead of the file may grow to before they are moved over.
    pub checkpoint_pages: u32,
    /// Size limit of the file in pages; `None` leaves it to the disk.
    pub pages_max: Option<u32>,
    /// Test hook: called in the middle of each commit.
    #[doc(hidden)]
    pub commit_fault: Option<CommitFault>,
}

/// What a test makes of a commit.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Injected {
    /// The sync fails and what was written does not survive.
    SyncLost,
    /// The sync reports failure, yet what was written survives.
    SyncKept,
}

#[doc(hidden)]
pub type CommitFault = Arc<dyn Fn() -> Option<Injected> + Send + Sync>;

impl Default for Options {
    fn default() -> Self {
        Self {
            create_if_missing: true,
            id: None,
            durable: true,
            clock: Arc::new(|| DateTime::<Utc>::from(SystemTime::now())),
            tail_events: 65_536,
            tail_bytes: 64 << 20,
            head_cache_streams: 100_000,
            chunk_cache_bytes: 16 << 20,
            page_cache_kib: 16 << 10,
            read_connections: 4,
            queue_events_max: 65_536,
            queue_bytes_max: 64 << 20,
            realtime_priority: true,
            checkpoint_pages: 2_000,
            pages_max: None,
            commit_fault: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("create_if_missing", &self.create_if_missing)
            .field("tail_events", &self.tail_events)
            .field("tail_bytes", &self.tail_bytes)
            .field("head_cache_streams", &self.head_cache_streams)
            .field("realtime_priority", &self.realtime_priority)
            .field("checkpoint_pages", &self.checkpoint_pages)
            .finish_non_exhaustive()
    }
}
