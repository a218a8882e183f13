//! The one shape every read model has: a pure fold from (row or nothing, event) to row or
//! nothing, keyed. The runner loads, folds, coalesces and saves.

use std::fmt::Debug;
use std::sync::Arc;

use crate::sql::{Connection, FromSqlError};
use chrono::{DateTime, Utc};
use journal::{Position, StreamId, Version};
use schemas::AnyEvent;
use uuid::Uuid;

/// An event as read models see it, decoded once for all of them.
#[derive(Debug, Clone)]
pub struct Envelope {
    pub position: Position,
    pub stream: StreamId,
    pub version: Version,
    pub event_id: Uuid,
    pub event: AnyEvent,
    /// The stored type name, such as `order.placed`.
    pub event_type: &'static str,
    pub payload: Arc<str>,
    pub metadata: Arc<str>,
    pub occurred: DateTime<Utc>,
    pub recorded: DateTime<Utc>,
}

/// A read store that could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("read store: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("read store: a row cannot be read: {0}")]
    Row(#[from] serde_json::Error),
    #[error("read store: {0}")]
    Io(#[from] std::io::Error),
    /// The server that has the read models cannot be used for now.
    #[error("read store: {0}")]
    Unavailable(String),
    /// What a row holds has no place in the store.
    #[error("read store: {0}")]
    Refused(String),
    /// Another node writes the read models by now.
    #[error("read store: another node writes the read models by now")]
    Fenced,
    /// Asked ahead and not waited for: never comes out of this crate.
    #[error("read store: asked ahead")]
    Ahead,
    #[error("read store: {0}")]
    Other(String),
}

/// One read model.
///
/// Folding the same events in any batches gives the same rows. A model is stored in a file of
/// its own, with its checkpoint, so that it can be rebuilt and swapped alone.
pub trait Projector: Send + 'static {
    /// Names a row. `Ord` makes saves go in key order.
    type Key: Ord + Clone + Debug + Send;
    type Row: Clone + Debug + Send;

    /// Names the model on the command line and in metrics.
    const NAME: &'static str;
    /// Raised whenever tables or fold change: a file of another version is rebuilt.
    const VERSION: u32;

    /// Most rows kept in memory between batches, so that hot rows are not read again and again.
    const CACHED_ROWS: usize = 10_000;

    /// Whether events of streams of this category can touch a row. An event that cannot be
    /// decoded is set aside only for models that follow its category.
    fn follows(_category: &str) -> bool {
        true
    }

    fn create_tables(connection: &Connection) -> Result<(), StoreError>;

    /// Pushes the keys of all rows that `event` touches; none if it is of no interest.
    fn keys(event: &Envelope, keys: &mut Vec<Self::Key>);

    /// Pure and total: `None` deletes the row.
    fn fold(key: &Self::Key, row: Option<Self::Row>, event: &Envelope) -> Option<Self::Row>;

    fn load(connection: &Connection, key: &Self::Key) -> Result<Option<Self::Row>, StoreError>;

    /// Asks what [`save`](Self::save) will ask about rows that no save before it in the same batch
    /// changes. A store that is not in the process is asked for all rows of a batch at once.
    fn ask_before_save(_: &Connection, _: &Self::Key) -> Result<(), StoreError> {
        Ok(())
    }

    /// Writes (or deletes) the row; `before` is what `load` or the last save had.
    fn save(
        connection: &Connection,
        key: &Self::Key,
        before: Option<&Self::Row>,
        after: Option<&Self::Row>,
    ) -> Result<(), StoreError>;
}

impl From<FromSqlError> for StoreError {
    fn from(error: FromSqlError) -> Self {
        Self::Sqlite(error.into())
    }
}

impl StoreError {
    /// Whether the disk or the database is at fault (full, locked, away, damaged) rather than a row.
    #[must_use]
    pub fn is_environmental(&self) -> bool {
        use rusqlite::ErrorCode::{
            CannotOpen, DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull,
            FileLockingProtocolFailed, NotADatabase, OutOfMemory, PermissionDenied, ReadOnly,
            SystemIoFailure,
        };
        match self {
            Self::Io(_) | Self::Unavailable(_) | Self::Fenced => true,
            Self::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(
                    CannotOpen
                        | DatabaseBusy
                        | DatabaseCorrupt
                        | DatabaseLocked
                        | DiskFull
                        | FileLockingProtocolFailed
                        | NotADatabase
                        | OutOfMemory
                        | PermissionDenied
                        | ReadOnly
                        | SystemIoFailure
                )
            ),
            Self::Row(_) | Self::Refused(_) | Self::Ahead | Self::Other(_) => false,
        }
    }

    /// Whether the file is no read store (any more): it has to be built anew.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match self {
            Self::Sqlite(error) => {
                matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
            }
            _ => false,
        }
    }
}
