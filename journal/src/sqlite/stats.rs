//! Counters of an open journal, read without a lock.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

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
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    commits: AtomicU64,
    events: AtomicU64,
    bytes: AtomicU64,
    last_commit_micros: AtomicU64,
    pub(super) full: AtomicU64,
    pub(super) reopens: AtomicU64,
}

impl Counters {
    pub(super) fn committed(&self, events: u64, bytes: u64, took: Duration) {
        self.commits.fetch_add(1, Relaxed);
        self.events.fetch_add(events, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.last_commit_micros.store(micros, Relaxed);
    }

    pub(super) fn read(&self, queued_events: usize) -> Stats {
        Stats {
            commits: self.commits.load(Relaxed),
            events: self.events.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            last_commit_micros: self.last_commit_micros.load(Relaxed),
            queued_events: queued_events as u64,
            full: self.full.load(Relaxed),
            reopens: self.reopens.load(Relaxed),
        }
    }
}
