//! What every model's file holds besides its rows: how far it is, and what it could not digest.
//!
//! Parked events are in the model's own file, not in one for all: so a retry applies the event
//! and forgets that it was parked in one transaction, and a rebuilt file starts without any.

use journal::{JournalId, Position, StreamId};
use uuid::Uuid;

use crate::StoreError;
use crate::model::Model;
use crate::sql::{Connection, OptionalExtension, params};

/// How a connection is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pragmas {
    /// Small transactions beside readers.
    Live,
    /// Large transactions without readers.
    Bulk,
    /// No writes.
    Query,
}

/// How far a file is, of which journal, by which fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) position: Position,
    pub(crate) journal: JournalId,
    pub(crate) model_version: u32,
}

/// An event set aside because it could not be decoded or applied, or because an earlier one of
/// its stream was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedEvent {
    pub model: &'static str,
    pub position: Position,
    pub stream: StreamId,
    pub error: String,
}

pub(crate) fn set_up(
    connection: &rusqlite::Connection,
    pragmas: Pragmas,
) -> Result<(), StoreError> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(match pragmas {
        Pragmas::Live => {
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8000;
             PRAGMA wal_autocheckpoint = 4000; PRAGMA temp_store = MEMORY;"
        }
        Pragmas::Bulk => {
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536;
             PRAGMA wal_autocheckpoint = 16000; PRAGMA temp_store = MEMORY;"
        }
        Pragmas::Query => {
            "PRAGMA query_only = ON; PRAGMA cache_size = -4000; PRAGMA temp_store = MEMORY;"
        }
    })?;
    Ok(())
}

/// Makes the tables of an empty file, at position 0.
pub(crate) fn create(
    connection: &Connection,
    model: &dyn Model,
    journal: JournalId,
) -> Result<Checkpoint, StoreError> {
    connection.begin()?;
    connection.execute_batch(
        "CREATE TABLE checkpoint (
             one INTEGER PRIMARY KEY CHECK (one = 1),
             position INTEGER NOT NULL, journal_id BLOB NOT NULL, model_version INTEGER NOT NULL);
         CREATE TABLE parked (
             position INTEGER PRIMARY KEY, stream TEXT NOT NULL, error TEXT NOT NULL);",
    )?;
    model.create_tables(connection)?;
    let start = Checkpoint { position: Position(0), journal, model_version: model.version() };
    connection.execute(
        "INSERT INTO checkpoint VALUES (1, 0, ?1, ?2)",
        params![journal.as_bytes(), start.model_version],
    )?;
    connection.commit()?;
    Ok(start)
}

/// The file's checkpoint; `None` in an empty file.
pub(crate) fn checkpoint(connection: &Connection) -> Result<Option<Checkpoint>, StoreError> {
    if !connection.has_table("checkpoint")? {
        return Ok(None);
    }
    let found = connection
        .prepare_cached("SELECT position, journal_id, model_version FROM checkpoint")?
        .query_row([], |row| {
            let journal: [u8; 16] = row.get(1)?;
            Ok(Checkpoint {
                position: Position(row.get(0)?),
                journal: Uuid::from_bytes(journal),
                model_version: row.get(2)?,
            })
        })
        .optional()?;
    Ok(found)
}

pub(crate) fn set_position(connection: &Connection, position: Position) -> Result<(), StoreError> {
    connection.prepare_cached("UPDATE checkpoint SET position = ?1")?.execute([position.0])?;
    Ok(())
}

/// Sets an event aside; a repeat changes nothing.
pub(crate) fn park(connection: &Connection, event: &ParkedEvent) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT INTO parked VALUES (?1, ?2, ?3) ON CONFLICT (position) DO NOTHING")?
        .execute(params![event.position.0, event.stream.to_string(), event.error])?;
    Ok(())
}

pub(crate) fn unpark(connection: &Connection, position: Position) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM parked WHERE position = ?1")?.execute([position.0])?;
    Ok(())
}

/// All parked events of a model, in order.
pub(crate) fn parked(
    connection: &Connection,
    model: &'static str,
) -> Result<Vec<ParkedEvent>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT position, stream, error FROM parked ORDER BY position")?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let stream: String = row.get(1)?;
        let stream = stream.parse().map_err(|error| StoreError::Other(format!("{error}")))?;
        found.push(ParkedEvent {
            model,
            position: Position(row.get(0)?),
            stream,
            error: row.get(2)?,
        });
    }
    Ok(found)
}
