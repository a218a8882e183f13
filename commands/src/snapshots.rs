//! Snapshots: folded states that save reading long streams again. A cache, never truth: each may
//! be thrown away, and one that does not decode is.

use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use journal::{StreamId, Version};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

/// Raised when states are folded differently than before; older snapshots are then ignored.
const STATE_VERSION: u32 = 2;

/// A stream's state at a version.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    pub stream: StreamId,
    pub version: Version,
    /// The stream's event at that version. A journal restored from a backup goes on otherwise than
    /// before: its streams reach the same versions with other events.
    pub event: Uuid,
    pub body: Vec<u8>,
}

/// Where snapshots are kept. Losing one costs time only.
pub trait SnapshotStore: Send + Sync {
    /// The latest snapshot of a stream, if one is at hand.
    fn load(&self, stream: &StreamId) -> Option<Snapshot>;
    /// Keeps a snapshot of events that are durable. MUST NOT wait for a disk.
    fn save(&self, snapshot: Snapshot);
}

/// Keeps none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSnapshots;

impl SnapshotStore for NoSnapshots {
    fn load(&self, _: &StreamId) -> Option<Snapshot> {
        None
    }
    fn save(&self, _: Snapshot) {}
}

/// Snapshots in a SQLite file of their own, written by a thread in the background.
#[derive(Debug)]
pub struct SqliteSnapshots {
    reader: Mutex<Connection>,
    writer: Mutex<Option<(SyncSender<Snapshot>, JoinHandle<()>)>>,
}

/// Snapshots waiting to be written; more than this are dropped, to be taken again later.
const WAITING_MAX: usize = 64;

impl SqliteSnapshots {
    /// Opens or creates the file; a file of other states or another journal is emptied first.
    pub fn open(path: &Path, journal: journal::JournalId) -> rusqlite::Result<Self> {
        let writer = Connection::open(path)?;
        writer.pragma_update(None, "journal_mode", "WAL")?;
        writer.pragma_update(None, "synchronous", "NORMAL")?;
        writer.busy_timeout(std::time::Duration::from_secs(5))?;
        writer.execute_batch("CREATE TABLE IF NOT EXISTS kind (id TEXT PRIMARY KEY);")?;
        let kind = format!("{journal}/{STATE_VERSION}");
        let known: Option<String> =
            writer.query_row("SELECT id FROM kind", [], |row| row.get(0)).optional()?;
        if known.as_deref() != Some(kind.as_str()) {
            writer.execute_batch("DROP TABLE IF EXISTS snapshot; DELETE FROM kind;")?;
            writer.execute("INSERT INTO kind (id) VALUES (?1)", [kind])?;
        }
        writer.execute_batch(
            "CREATE TABLE IF NOT EXISTS snapshot (
                 stream TEXT PRIMARY KEY, version INTEGER NOT NULL, event BLOB NOT NULL,
                 body BLOB NOT NULL
             ) WITHOUT ROWID;",
        )?;
        let reader = Connection::open(path)?;
        let (sender, receiver) = sync_channel(WAITING_MAX);
        let thread = std::thread::Builder::new()
            .name("snapshots".to_owned())
            .spawn(move || write_all(&writer, &receiver))
            .map_err(|_| rusqlite::Error::InvalidQuery)?;
        Ok(Self { reader: Mutex::new(reader), writer: Mutex::new(Some((sender, thread))) })
    }
}

impl SnapshotStore for SqliteSnapshots {
    fn load(&self, stream: &StreamId) -> Option<Snapshot> {
        let reader = self.reader.lock().ok()?;
        let mut statement = reader
            .prepare_cached("SELECT version, event, body FROM snapshot WHERE stream = ?1")
            .ok()?;
        statement
            .query_row([stream.to_string()], |row| {
                Ok(Snapshot {
                    stream: stream.clone(),
                    version: row.get::<_, i64>(0)? as u64,
                    event: Uuid::from_bytes(row.get(1)?),
                    body: row.get(2)?,
                })
            })
            .optional()
            .ok()?
    }

    fn save(&self, snapshot: Snapshot) {
        let Ok(writer) = self.writer.lock() else {
            return;
        };
        if let Some((sender, _)) = writer.as_ref() {
            match sender.try_send(snapshot) {
                Ok(()) => {}
                Err(TrySendError::Full(dropped) | TrySendError::Disconnected(dropped)) => {
                    tracing::debug!(stream = %dropped.stream, "snapshot skipped: others are waiting");
                }
            }
        }
    }
}

impl Drop for SqliteSnapshots {
    fn drop(&mut self) {
        if let Ok(mut writer) = self.writer.lock()
            && let Some((sender, thread)) = writer.take()
        {
            drop(sender);
            drop(thread.join());
        }
    }
}

fn write_all(writer: &Connection, receiver: &Receiver<Snapshot>) {
    while let Ok(first) = receiver.recv() {
        let written = (|| {
            let transaction = writer.unchecked_transaction()?;
            for snapshot in std::iter::once(first).chain(receiver.try_iter().take(WAITING_MAX)) {
                transaction
                    .prepare_cached(
                        "INSERT OR REPLACE INTO snapshot (stream, version, event, body)
                         VALUES (?1, ?2, ?3, ?4)",
                    )?
                    .execute(params![
                        snapshot.stream.to_string(),
                        snapshot.version as i64,
                        snapshot.event.as_bytes(),
                        snapshot.body
                    ])?;
            }
            transaction.commit()
        })();
        if let Err(error) = written {
            tracing::warn!(%error, "snapshots not written; streams will be read from further back");
        }
    }
}
