//! What the committing task, the following task and the readers of one open journal share.

use std::sync::atomic::{AtomicBool, AtomicI32};
use std::sync::{Mutex, RwLock};
use std::time::Duration;

use sqlx::postgres::PgPool;
use tokio::sync::{Notify, watch};

use super::connect::Server;
use super::options::PostgresOptions;
use super::tail::Tail;
use crate::held::{hold, write};
use crate::queue::Queue;
use crate::{JournalError, JournalId, Recorded, Stats};

/// How far the journal is, and whether it goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) head: u64,
    pub(super) closed: bool,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) id: JournalId,
    pub(super) server: Server,
    pub(super) pool: PgPool,
    pub(super) options: PostgresOptions,
    pub(super) queue: Queue,
    pub(super) progress: watch::Sender<Progress>,
    pub(super) tail: RwLock<Tail>,
    pub(super) stats: Mutex<Stats>,
    /// Somebody else may have appended.
    pub(super) news: Notify,
    /// The server tells of appends, so that polling is only for when it forgets to.
    pub(super) listening: AtomicBool,
    /// The server process that commits for this journal.
    pub(super) committing: AtomicI32,
    /// Why the server is out of reach, if it is.
    pub(super) away: Mutex<Option<String>>,
}

impl Shared {
    pub(super) fn new(
        id: JournalId,
        server: Server,
        pool: PgPool,
        options: PostgresOptions,
        head: u64,
    ) -> Self {
        Self {
            id,
            server,
            pool,
            queue: Queue::new(options.queue_events_max, options.queue_bytes_max),
            progress: watch::Sender::new(Progress { head, closed: false }),
            tail: RwLock::new(Tail::new(options.tail_events, options.tail_bytes)),
            stats: Mutex::default(),
            news: Notify::new(),
            listening: AtomicBool::new(false),
            committing: AtomicI32::new(0),
            away: Mutex::default(),
            options,
        }
    }

    pub(super) fn head(&self) -> u64 {
        self.progress.borrow().head
    }

    pub(super) fn ensure_open(&self) -> Result<(), JournalError> {
        if self.progress.borrow().closed { Err(JournalError::Closed) } else { Ok(()) }
    }

    /// Takes in events which are on record, in order.
    pub(super) fn publish(&self, events: Vec<Recorded>) {
        let Some(last) = events.last().map(|last| last.position.0) else { return };
        write(&self.tail).extend(events);
        self.saw(last);
    }

    /// All up to `position` is on record: what is visible is always a prefix.
    pub(super) fn saw(&self, position: u64) {
        self.progress.send_if_modified(|progress| {
            let news = position > progress.head;
            progress.head = progress.head.max(position);
            news
        });
    }

    pub(super) fn close(&self) {
        self.progress.send_modify(|progress| progress.closed = true);
    }

    pub(super) fn committed(&self, events: &[Recorded], took: Duration) {
        let bytes: usize =
            events.iter().map(|event| event.payload.len() + event.metadata.len()).sum();
        let mut stats = hold(&self.stats);
        stats.commits += 1;
        stats.events += events.len() as u64;
        stats.bytes += bytes as u64;
        stats.last_commit_micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    }
}
