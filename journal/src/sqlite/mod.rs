//! The embedded journal: one SQLite file, written by one thread.
//!
//! Events are kept in chunks, without a row or an index entry each; a stream is a chain of
//! positions which runs backwards from its head. Everything else (heads, newest events) is
//! kept in memory within limits and can be found again from the chunks.

mod archive;
mod cache;
mod chunks;
mod fault;
mod file;
mod follow;
mod hash;
mod heads;
mod lock;
mod marks;
mod mover;
mod options;
mod queue;
mod record;
mod saver;
mod shared;
mod stage;
mod stats;
mod tail;
mod verify;
mod walk;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use async_trait::async_trait;
use tokio::sync::oneshot;

pub use archive::{ArchiveBefore, Removed, Sealed, remove_archived, seal};
pub use options::{Clock, CommitFault, Injected, Options};
pub use verify::{Problem, VerifyReport, verify};

use crate::held::hold;
use crate::{
    Journal, JournalError, JournalId, Position, Properties, Recorded, Stats, StreamId, Unit,
    Verdict, Version, check,
};
use follow::Followed;
use shared::{Progress, Shared};

/// A journal in one SQLite file.
///
/// Reads block the calling thread: for microseconds when they read a stream's end or near
/// the head, for as long as the disk takes when they scan. Appends wait without blocking. Its
/// futures need no particular executor. Dropping it closes it and waits for that.
#[derive(Debug)]
pub struct SqliteJournal {
    shared: Arc<Shared>,
    role: Role,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
enum Role {
    Writes,
    Reads(Mutex<Followed>),
}

impl SqliteJournal {
    /// Opens the journal at `path` as its only writer.
    ///
    /// Start-up reads a bounded part of the journal's end, whatever the journal's size.
    ///
    /// # Errors
    /// `InUse` when another writer has it, `NewerFormat`, `Corrupt` when its end is damaged,
    /// and `Unavailable` when there is none, or the file is something else, or cannot be opened.
    pub fn open(path: &Path, options: Options) -> Result<Self, JournalError> {
        let lock = lock::WriterLock::take(path)?;
        let (connection, id) = file::open_for_writing(path, &options)?;
        let shared = Arc::new(Shared::new(path.to_owned(), options, id));
        let writer = writer::Writer::start(Arc::clone(&shared), connection, lock)?;
        let thread = std::thread::Builder::new()
            .name("journal-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| JournalError::Unavailable(error.to_string()))?;
        Ok(Self { shared, role: Role::Writes, thread: Mutex::new(Some(thread)) })
    }

    /// Opens the journal at `path` for reading only, beside a writer or without one.
    ///
    /// Sees what is durable; `wait_past` asks for news 20 times a second. Appends are refused.
    ///
    /// # Errors
    /// As [`Self::open`], without `InUse`.
    pub fn open_read_only(path: &Path, options: Options) -> Result<Self, JournalError> {
        let (connection, id) = file::open_for_reading(path, &options)?;
        drop(connection);
        let shared = Arc::new(Shared::new(path.to_owned(), options, id));
        follow::refresh(&shared)?;
        let thread = follow::spawn(Arc::clone(&shared))
            .map_err(|error| JournalError::Unavailable(error.to_string()))?;
        let role = Role::Reads(Mutex::default());
        Ok(Self { shared, role, thread: Mutex::new(Some(thread)) })
    }

    /// Reads events with position > `after` from disk, at most `max_events`: the way to go
    /// through the whole journal. Blocks the calling thread; batches of some thousands are best.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`, `Closed`.
    pub fn scan(&self, after: Position, max_events: usize) -> Result<Vec<Recorded>, JournalError> {
        self.ready()?;
        self.shared.scan(after.0, max_events)
    }

    /// Size of the log which SQLite keeps ahead of the file, in bytes.
    fn wal_bytes(&self) -> u64 {
        let mut wal = self.shared.path.as_os_str().to_owned();
        wal.push("-wal");
        std::fs::metadata(PathBuf::from(wal)).map_or(0, |found| found.len())
    }

    /// Open, and as far as the file is.
    fn ready(&self) -> Result<(), JournalError> {
        self.shared.ensure_open()?;
        match &self.role {
            Role::Writes => Ok(()),
            Role::Reads(_) => follow::refresh(&self.shared),
        }
    }

    fn ready_for_streams(&self) -> Result<(), JournalError> {
        self.shared.ensure_open()?;
        match &self.role {
            Role::Writes => Ok(()),
            Role::Reads(followed) => follow::refresh_heads(&self.shared, followed),
        }
    }

    fn begin_close(&self) {
        match &self.role {
            Role::Writes => self.shared.queue.close(),
            Role::Reads(_) => {
                self.shared.progress.send_modify(|progress| progress.closed = true);
                if let Some(thread) = &*hold(&self.thread) {
                    thread.thread().unpark();
                }
                self.shared.drop_readers();
            }
        }
    }
}

impl Drop for SqliteJournal {
    fn drop(&mut self) {
        self.begin_close();
        if let Some(thread) = hold(&self.thread).take() {
            // It has said what went wrong; there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

#[async_trait]
impl Journal for SqliteJournal {
    fn id(&self) -> JournalId {
        self.shared.id
    }

    fn properties(&self) -> Properties {
        Properties { dense_positions: true, units_span_streams: true, several_writers: false }
    }

    async fn append(&self, units: Vec<Unit>) -> Result<Vec<Verdict>, JournalError> {
        if let Role::Reads(_) = self.role {
            return Err(JournalError::Unavailable("opened for reading only".to_owned()));
        }
        let size = check::units(&units)?;
        check::unfenced(&units)?;
        let (answer, answered) = oneshot::channel();
        // Nothing is awaited before this, so the first poll decides the order.
        self.shared.queue.push(queue::Job { units, size, answer })?;
        answered.await.unwrap_or_else(|_| {
            Err(JournalError::Unavailable("the committing thread has ended".to_owned()))
        })
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        max: usize,
    ) -> Result<Vec<Recorded>, JournalError> {
        self.ready_for_streams()?;
        walk::read_stream(&self.shared, stream, after, max)
    }

    async fn stream_version(&self, stream: &StreamId) -> Result<Version, JournalError> {
        self.ready_for_streams()?;
        Ok(self.shared.head_of(stream)?.map_or(0, |head| head.version))
    }

    async fn read_all(&self, after: Position, max: usize) -> Result<Vec<Recorded>, JournalError> {
        self.ready()?;
        self.shared.read_all(after.0, max)
    }

    async fn read_back(
        &self,
        before: Option<Position>,
        max: usize,
    ) -> Result<Vec<Recorded>, JournalError> {
        self.ready()?;
        self.shared.read_back(before.map(|before| before.0), max)
    }

    fn head(&self) -> Position {
        if let Err(error) = self.ready()
            && !matches!(error, JournalError::Closed)
        {
            tracing::warn!(%error, "could not look for new events");
        }
        Position(self.shared.head())
    }

    async fn wait_past(&self, position: Position) -> Result<Position, JournalError> {
        let past = |progress: &Progress| progress.head > position.0 || progress.closed;
        let mut news = self.shared.progress.subscribe();
        if let Role::Reads(_) = self.role {
            self.ready()?;
        }
        let reached = match news.wait_for(past).await {
            Ok(reached) => *reached,
            Err(_) => return Err(JournalError::Closed),
        };
        if reached.closed { Err(JournalError::Closed) } else { Ok(Position(reached.head)) }
    }

    fn stats(&self) -> Stats {
        self.shared.counters.read(self.shared.queue.events(), self.wal_bytes())
    }

    async fn close(&self) -> Result<(), JournalError> {
        self.begin_close();
        let mut news = self.shared.progress.subscribe();
        // The sender lives in `self`, so this can only end by being closed.
        let _ = news.wait_for(|progress| progress.closed).await;
        Ok(())
    }
}
