//! Counters of an open journal, read without a lock.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::Stats;

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

    pub(super) fn read(&self, queued_events: usize, log_bytes: u64) -> Stats {
        Stats {
            commits: self.commits.load(Relaxed),
            events: self.events.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            last_commit_micros: self.last_commit_micros.load(Relaxed),
            queued_events: queued_events as u64,
            full: self.full.load(Relaxed),
            reopens: self.reopens.load(Relaxed),
            log_bytes,
        }
    }
}
