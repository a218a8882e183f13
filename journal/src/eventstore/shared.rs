//! What the tasks of one open journal share.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};

use super::client::Server;
use super::fold::Fold;
use super::lease::Seen;
use super::log::LogEvent;
use super::mirror::Mirror;
use super::options::EventStoreOptions;
use crate::held::hold;
use crate::queue::Queue;
use crate::{Epoch, JournalError, JournalId, Stats};

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) id: JournalId,
    pub(super) server: Server,
    pub(super) options: EventStoreOptions,
    pub(super) mirror: Mirror,
    pub(super) queue: Queue,
    pub(super) closed: watch::Sender<bool>,
    pub(super) stats: Mutex<Stats>,
    /// Leases as they were last seen.
    pub(super) seen: Mutex<HashMap<String, Seen>>,
    /// To the committing task: a lease is to pass to an epoch.
    pub(super) passing: mpsc::Sender<Passing>,
    /// Events of the log that were read.
    next: AtomicU64,
    /// When it was last sure that there is nothing past them.
    current: Mutex<Instant>,
    epochs: Mutex<BTreeMap<Arc<str>, Epoch>>,
    /// Set once the log has contradicted itself or the mirror.
    broken: Mutex<Option<JournalError>>,
}

/// A lease that is to pass to a new epoch, and who waits until it has.
#[derive(Debug)]
pub(super) struct Passing {
    pub(super) lease: String,
    pub(super) epoch: Epoch,
    pub(super) done: oneshot::Sender<Result<(), JournalError>>,
}

/// Events of others, and who waits until they are taken in.
#[derive(Debug)]
pub(super) struct News {
    pub(super) events: Vec<LogEvent>,
    pub(super) done: oneshot::Sender<Result<(), JournalError>>,
}

impl Shared {
    pub(super) fn new(
        id: JournalId,
        server: Server,
        options: EventStoreOptions,
        mirror: Mirror,
        passing: mpsc::Sender<Passing>,
    ) -> Self {
        let embedded = &options.embedded;
        Self {
            id,
            server,
            mirror,
            queue: Queue::new(embedded.queue_events_max, embedded.queue_bytes_max),
            closed: watch::Sender::new(false),
            stats: Mutex::default(),
            seen: Mutex::default(),
            passing,
            next: AtomicU64::new(0),
            current: Mutex::new(Instant::now()),
            epochs: Mutex::default(),
            broken: Mutex::default(),
            options,
        }
    }

    pub(super) fn next(&self) -> u64 {
        self.next.load(Relaxed)
    }

    pub(super) fn took_in(&self, fold: &Fold) {
        let mut epochs = hold(&self.epochs);
        if *epochs != fold.epochs {
            epochs.clone_from(&fold.epochs);
        }
        drop(epochs);
        self.next.store(fold.next, Relaxed);
    }

    pub(super) fn epoch(&self, lease: &str) -> Epoch {
        hold(&self.epochs).get(lease).copied().unwrap_or_default()
    }

    /// The log has just been seen to end where it was read to.
    pub(super) fn is_current(&self) {
        *hold(&self.current) = Instant::now();
    }

    pub(super) fn current_for(&self) -> Duration {
        hold(&self.current).elapsed()
    }

    pub(super) fn ensure_open(&self) -> Result<(), JournalError> {
        if *self.closed.borrow() { Err(JournalError::Closed) } else { Ok(()) }
    }

    pub(super) fn ensure_sound(&self) -> Result<(), JournalError> {
        hold(&self.broken).clone().map_or(Ok(()), Err)
    }

    /// Notes an error of the mirror or of the log; after some nothing can be right any more.
    pub(super) fn failed(&self, error: &JournalError) {
        match error {
            JournalError::Full => hold(&self.stats).full += 1,
            JournalError::Corrupt { .. } | JournalError::NewerFormat { .. } => {
                tracing::error!(%error, "nothing more is read from the log or appended to it");
                hold(&self.broken).get_or_insert_with(|| error.clone());
            }
            _ => {}
        }
    }

    pub(super) fn committed(&self, events: u64, bytes: u64, took: Duration) {
        let mut stats = hold(&self.stats);
        stats.commits += 1;
        stats.events += events;
        stats.bytes += bytes;
        stats.last_commit_micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    }

    pub(super) fn close(&self) {
        self.closed.send_replace(true);
    }
}
