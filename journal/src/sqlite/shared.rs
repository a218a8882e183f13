//! What the committing thread and the readers of one open journal share.

use std::path::PathBuf;
use std::sync::{Mutex, RwLock};

use rusqlite::{Connection, OptionalExtension};
use tokio::sync::watch;

use super::archive::Shelf;
use super::cache::ChunkCache;
use super::chunks;
use super::fault::read_error;
use super::file;
use super::heads::{Head, Heads, table_key};
use super::marks::Marks;
use super::options::Options;
use super::queue::Queue;
use super::record::Names;
use super::stats::Counters;
use super::tail::Tail;
use crate::held::{hold, read};
use crate::{JournalError, JournalId, Recorded, StreamId};

/// How far the journal is, and whether it goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) head: u64,
    pub(super) closed: bool,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) path: PathBuf,
    pub(super) options: Options,
    pub(super) id: JournalId,
    pub(super) progress: watch::Sender<Progress>,
    pub(super) heads: Mutex<Heads>,
    pub(super) tail: RwLock<Tail>,
    pub(super) chunks: Mutex<ChunkCache>,
    pub(super) marks: Mutex<Marks>,
    pub(super) queue: Queue,
    pub(super) counters: Counters,
    pub(super) shelf: Shelf,
    readers: Mutex<Vec<Reader>>,
}

/// A connection that only reads.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) connection: Connection,
    pub(super) names: Names,
}

impl Shared {
    pub(super) fn new(path: PathBuf, options: Options, id: JournalId) -> Self {
        Self {
            id,
            progress: watch::Sender::new(Progress::default()),
            heads: Mutex::new(Heads::new(options.head_cache_streams)),
            tail: RwLock::new(Tail::new(options.tail_events, options.tail_bytes)),
            chunks: Mutex::new(ChunkCache::new(options.chunk_cache_bytes)),
            marks: Mutex::default(),
            queue: Queue::new(options.queue_events_max, options.queue_bytes_max),
            counters: Counters::default(),
            shelf: Shelf::of(&path),
            readers: Mutex::default(),
            path,
            options,
        }
    }

    pub(super) fn head(&self) -> u64 {
        self.progress.borrow().head
    }

    pub(super) fn ensure_open(&self) -> Result<(), JournalError> {
        if self.progress.borrow().closed { Err(JournalError::Closed) } else { Ok(()) }
    }

    /// Runs `work` on a connection of the pool.
    pub(super) fn with_reader<T>(
        &self,
        work: impl FnOnce(&mut Reader) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let pooled = hold(&self.readers).pop();
        let mut reader = match pooled {
            Some(reader) => reader,
            None => {
                let (connection, _) = file::open_for_reading(&self.path, &self.options)?;
                Reader { connection, names: Names::default() }
            }
        };
        // A connection that failed is not trusted with another read.
        let done = work(&mut reader)?;
        let mut readers = hold(&self.readers);
        if readers.len() < self.options.read_connections {
            readers.push(reader);
        }
        Ok(done)
    }

    pub(super) fn drop_readers(&self) {
        let readers = std::mem::take(&mut *hold(&self.readers));
        drop(readers);
    }

    pub(super) fn read_all(&self, after: u64, max: usize) -> Result<Vec<Recorded>, JournalError> {
        let head = self.head();
        if after >= head || max == 0 {
            return Ok(Vec::new());
        }
        if let Some(events) = read(&self.tail).after(after, max) {
            return Ok(events);
        }
        self.scan(after, max)
    }

    pub(super) fn scan(&self, after: u64, max: usize) -> Result<Vec<Recorded>, JournalError> {
        let head = self.head();
        self.with_reader(|reader| {
            chunks::scan(&reader.connection, &self.shelf, &mut reader.names, after, head, max)
        })
    }

    pub(super) fn read_back(
        &self,
        before: Option<u64>,
        max: usize,
    ) -> Result<Vec<Recorded>, JournalError> {
        let head = self.head();
        let from = before.map_or(head, |before| before.saturating_sub(1)).min(head);
        self.with_reader(|reader| {
            chunks::scan_back(&reader.connection, &self.shelf, &mut reader.names, from, max)
        })
    }

    /// A stream's last durable event, or `None` for an unknown stream.
    pub(super) fn head_of(&self, stream: &StreamId) -> Result<Option<Head>, JournalError> {
        let saves = {
            let mut heads = hold(&self.heads);
            if let Some(head) = heads.find(stream) {
                return Ok(Some(head));
            }
            heads.saves()
        };
        let found = self.with_reader(|reader| saved_head(&reader.connection, stream))?;
        if let Some(head) = found {
            hold(&self.heads).remember(stream, head, saves);
        }
        Ok(found)
    }
}

/// Looks a stream up in the head table.
pub(super) fn saved_head(
    connection: &Connection,
    stream: &StreamId,
) -> Result<Option<Head>, JournalError> {
    connection
        .prepare_cached("SELECT position, version FROM head WHERE stream = ?1")
        .and_then(|mut select| {
            select
                .query_row([table_key(stream)], |row| {
                    let (position, version): (i64, i64) = (row.get(0)?, row.get(1)?);
                    Ok(Head { position: position as u64, version: version as u64 })
                })
                .optional()
        })
        .map_err(read_error)
}

/// Takes note of the heads of all events with `after < position <= through`.
pub(super) fn complete_heads(
    connection: &Connection,
    shelf: &Shelf,
    names: &mut Names,
    heads: &mut Heads,
    after: u64,
    through: u64,
) -> Result<(), JournalError> {
    if after >= through {
        return Ok(());
    }
    let mut next = after + 1;
    chunks::for_each_from(connection, shelf, next, |stored| {
        let end = (stored.view.first + u64::from(stored.view.count)).min(through + 1);
        if !stored.is_intact() || next < stored.view.first || next >= end {
            return Err(super::record::corrupt(next, "a chunk is damaged or missing"));
        }
        while next < end {
            let (stream, link) = stored.view.stream(next, names)?;
            heads.changed(stream, Head { position: next, version: link.version });
            next += 1;
        }
        Ok(next <= through)
    })
}
