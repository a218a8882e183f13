//! The agenda's table, in a SQLite file of its own.

use std::path::Path;

use domain::{CartId, OrderId, PaymentId, Timestamp};
use journal::{JournalId, Position};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::fold::{Changes, Waiting};

/// Raised when the fold changes; an older table is rebuilt from the log.
const VERSION: i64 = 2;

#[derive(Debug, thiserror::Error)]
pub enum AgendaError {
    #[error("agenda: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// Something whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    Cart(CartId),
    Hold(OrderId),
    Call { key: String, payment_id: PaymentId },
    Parked(String),
}

/// Entries by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub carts: u64,
    pub holds: u64,
    pub calls: u64,
    pub parked: u64,
}

pub struct AgendaTable {
    connection: Connection,
    position: Position,
}

const CHECKPOINT: &str = "
    CREATE TABLE IF NOT EXISTS checkpoint (
        version INTEGER NOT NULL, journal TEXT NOT NULL, position INTEGER NOT NULL);";

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS timer (
        kind INTEGER NOT NULL, id BLOB NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (kind, id)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS timer_at ON timer (at);
    CREATE TABLE IF NOT EXISTS call (
        key TEXT PRIMARY KEY, payment_id BLOB NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS parked (
        id TEXT PRIMARY KEY, at INTEGER NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID;";

const CART: i64 = 1;
const HOLD: i64 = 2;

impl AgendaTable {
    /// Opens or creates the file. A table of another version or another journal, or one that has
    /// seen events which the journal does not have, since it was restored, starts anew.
    pub fn open(path: &Path, journal: JournalId, head: Position) -> Result<Self, AgendaError> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // The log can restore all of it.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        Self::prepare(connection, journal, head)
    }

    /// A table that is gone with the process.
    pub fn in_memory(journal: JournalId) -> Result<Self, AgendaError> {
        Self::prepare(Connection::open_in_memory()?, journal, Position::default())
    }

    fn prepare(
        connection: Connection,
        journal: JournalId,
        head: Position,
    ) -> Result<Self, AgendaError> {
        connection.execute_batch(CHECKPOINT)?;
        let known: Option<(i64, String, i64)> = connection
            .query_row("SELECT version, journal, position FROM checkpoint", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let position = match known {
            Some((VERSION, id, position))
                if id == journal.to_string() && position.unsigned_abs() <= head.0 =>
            {
                position
            }
            Some(_) | None => {
                connection.execute_batch(
                    "DROP TABLE IF EXISTS timer; DROP TABLE IF EXISTS call;
                     DROP TABLE IF EXISTS parked; DELETE FROM checkpoint;",
                )?;
                connection.execute(
                    "INSERT INTO checkpoint (version, journal, position) VALUES (?1, ?2, 0)",
                    params![VERSION, journal.to_string()],
                )?;
                0
            }
        };
        connection.execute_batch(TABLES)?;
        Ok(Self { connection, position: Position(position.unsigned_abs()) })
    }

    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    pub fn counts(&self) -> Result<Counts, AgendaError> {
        let count = |sql: &str| self.connection.query_row(sql, [], |row| row.get::<_, u64>(0));
        Ok(Counts {
            carts: count("SELECT count(*) FROM timer WHERE kind = 1")?,
            holds: count("SELECT count(*) FROM timer WHERE kind = 2")?,
            calls: count("SELECT count(*) FROM call")?,
            parked: count("SELECT count(*) FROM parked")?,
        })
    }

    /// Webhooks that wait to be applied, those that wait longest first: id, and since when.
    pub fn parked(&self, max: usize) -> Result<Vec<(String, Timestamp)>, AgendaError> {
        let mut parked = self
            .connection
            .prepare_cached("SELECT id, since FROM parked ORDER BY since, id LIMIT ?1")?;
        let rows = parked.query_map([max.min(10_000) as u32], |row| {
            let since = Timestamp::from_timestamp_millis(row.get(1)?).unwrap_or_default();
            Ok((row.get(0)?, since))
        })?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?)
    }

    /// Folds changes in and moves the checkpoint, both or neither.
    pub(super) fn apply(
        &mut self,
        changes: &Changes,
        through: Position,
    ) -> Result<(), AgendaError> {
        let transaction = self.connection.transaction()?;
        for (cart_id, at) in &changes.carts {
            set_timer(&transaction, CART, cart_id.uuid(), *at)?;
        }
        for (order_id, at) in &changes.holds {
            set_timer(&transaction, HOLD, order_id.uuid(), *at)?;
        }
        for (key, (payment_id, at)) in &changes.calls {
            match at {
                Some(at) => transaction
                    .prepare_cached(
                        "INSERT OR REPLACE INTO call (key, payment_id, at) VALUES (?1, ?2, ?3)",
                    )?
                    .execute(params![key, payment_id.uuid().as_bytes(), at.timestamp_millis()])?,
                None => {
                    transaction.prepare_cached("DELETE FROM call WHERE key = ?1")?.execute([key])?
                }
            };
        }
        for (id, at) in &changes.parked {
            match at {
                Some(Waiting { at, since }) => transaction
                    .prepare_cached(
                        "INSERT OR REPLACE INTO parked (id, at, since) VALUES (?1, ?2, ?3)",
                    )?
                    .execute(params![id, at.timestamp_millis(), since.timestamp_millis()])?,
                None => {
                    transaction.prepare_cached("DELETE FROM parked WHERE id = ?1")?.execute([id])?
                }
            };
        }
        transaction
            .prepare_cached("UPDATE checkpoint SET position = ?1")?
            .execute([through.0.cast_signed()])?;
        transaction.commit()?;
        self.position = through;
        Ok(())
    }

    /// What is due at `now`, the longest overdue first, at most `max` of each kind.
    pub(super) fn due(&self, now: Timestamp, max: usize) -> Result<Vec<Due>, AgendaError> {
        let limits = params![now.timestamp_millis(), max.min(10_000) as u32];
        let mut due = Vec::new();
        let mut timers = self
            .connection
            .prepare_cached("SELECT kind, id FROM timer WHERE at <= ?1 ORDER BY at LIMIT ?2")?;
        let rows = timers.query_map(limits, |row| {
            let id = Uuid::from_bytes(row.get(1)?);
            Ok(match row.get::<_, i64>(0)? {
                CART => Due::Cart(CartId::new(id)),
                _ => Due::Hold(OrderId::new(id)),
            })
        })?;
        due.extend(rows.collect::<Result<Vec<_>, _>>()?);
        let mut calls = self.connection.prepare_cached(
            "SELECT key, payment_id FROM call WHERE at <= ?1 ORDER BY at LIMIT ?2",
        )?;
        let rows = calls.query_map(limits, |row| {
            let payment_id = PaymentId::new(Uuid::from_bytes(row.get(1)?));
            Ok(Due::Call { key: row.get(0)?, payment_id })
        })?;
        due.extend(rows.collect::<Result<Vec<_>, _>>()?);
        let mut parked = self
            .connection
            .prepare_cached("SELECT id FROM parked WHERE at <= ?1 ORDER BY at LIMIT ?2")?;
        let rows = parked.query_map(limits, |row| Ok(Due::Parked(row.get(0)?)))?;
        due.extend(rows.collect::<Result<Vec<_>, _>>()?);
        Ok(due)
    }

    pub(super) fn set_cart(&self, id: CartId, at: Option<Timestamp>) -> Result<(), AgendaError> {
        set_timer(&self.connection, CART, id.uuid(), at)
    }

    pub(super) fn set_hold(&self, id: OrderId, at: Option<Timestamp>) -> Result<(), AgendaError> {
        set_timer(&self.connection, HOLD, id.uuid(), at)
    }

    /// Makes an entry due later, if it is still there.
    pub(super) fn postpone(&self, item: &Due, at: Timestamp) -> Result<(), AgendaError> {
        let at = at.timestamp_millis();
        let timer = "UPDATE timer SET at = ?1 WHERE kind = ?2 AND id = ?3";
        let prepare = |sql| self.connection.prepare_cached(sql);
        match item {
            Due::Cart(id) => prepare(timer)?.execute(params![at, CART, id.uuid().as_bytes()])?,
            Due::Hold(id) => prepare(timer)?.execute(params![at, HOLD, id.uuid().as_bytes()])?,
            Due::Call { key, .. } => {
                prepare("UPDATE call SET at = ?1 WHERE key = ?2")?.execute(params![at, key])?
            }
            Due::Parked(id) => {
                prepare("UPDATE parked SET at = ?1 WHERE id = ?2")?.execute(params![at, id])?
            }
        };
        Ok(())
    }
}

fn set_timer(
    connection: &Connection,
    kind: i64,
    id: Uuid,
    at: Option<Timestamp>,
) -> Result<(), AgendaError> {
    match at {
        Some(at) => connection
            .prepare_cached("INSERT OR REPLACE INTO timer (kind, id, at) VALUES (?1, ?2, ?3)")?
            .execute(params![kind, id.as_bytes(), at.timestamp_millis()])?,
        None => connection
            .prepare_cached("DELETE FROM timer WHERE kind = ?1 AND id = ?2")?
            .execute(params![kind, id.as_bytes()])?,
    };
    Ok(())
}
