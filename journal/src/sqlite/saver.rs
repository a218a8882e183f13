//! Saving stream heads a few at a time, so that no commit has to wait for many.

use std::collections::HashMap;

use rusqlite::Connection;
use uuid::Uuid;

use super::heads::{Head, Heads};
use super::shared::saved_head;
use crate::{Category, JournalError, StreamId, StreamKey};

/// Events between the beginnings of two saves. Start-up reads at most about twice as many.
const SAVE_EVERY_EVENTS: u64 = 65_536;
/// Fewest heads a commit saves while a save is under way.
const STEP_MIN: usize = 16;

/// The head table's part in the writer's transactions.
#[derive(Debug, Default)]
pub(super) struct HeadSaver {
    entries: Vec<(Vec<u8>, StreamId, Head)>,
    saved: usize,
    written: usize,
    through: u64,
    /// The highest UUID of each category that may be in the table. Streams have time-ordered
    /// ids, so most new ones are past it and need not be looked up.
    highest: HashMap<Category, Option<Uuid>>,
}

impl HeadSaver {
    /// `through`: the position up to which the table is complete.
    pub(super) fn new(through: u64) -> Self {
        Self { through, ..Self::default() }
    }

    /// Begins the next save if it is time. `head`: the last durable position.
    pub(super) fn begin_if_due(&mut self, heads: &mut Heads, head: u64) {
        if self.entries.is_empty() && head.saturating_sub(self.through) >= SAVE_EVERY_EVENTS {
            self.begin(heads, head);
        }
    }

    pub(super) fn begin(&mut self, heads: &mut Heads, head: u64) {
        self.entries = heads.begin_save();
        self.saved = 0;
        self.through = head;
    }

    /// Whether a save that began with this head, or a later one, has begun.
    pub(super) fn has_begun(&self, head: u64) -> bool {
        self.through >= head
    }

    pub(super) fn is_under_way(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Writes some heads within the open transaction, more of them when it has many events.
    pub(super) fn step(&mut self, connection: &Connection, events: usize) -> rusqlite::Result<()> {
        self.written = self.saved;
        if self.entries.is_empty() {
            return Ok(());
        }
        let end = self.entries.len().min(self.saved + (events * 2).max(STEP_MIN));
        let mut upsert = connection.prepare_cached(
            "INSERT INTO head (stream, position, version) VALUES (?1, ?2, ?3)
             ON CONFLICT (stream) DO UPDATE SET position = ?2, version = ?3",
        )?;
        for (key, stream, head) in &self.entries[self.saved..end] {
            upsert.execute((key, head.position as i64, head.version as i64))?;
            if let StreamKey::Uuid(id) = stream.key
                && let Some(highest) = self.highest.get_mut(&stream.category)
                && Some(id) > *highest
            {
                *highest = Some(id);
            }
        }
        if end == self.entries.len() {
            connection
                .prepare_cached("UPDATE meta SET value = ?1 WHERE name = 'heads_saved_through'")?
                .execute([self.through as i64])?;
        }
        self.written = end;
        Ok(())
    }

    /// The transaction of the last step is durable.
    pub(super) fn confirm(&mut self) {
        self.saved = self.written;
        if !self.entries.is_empty() && self.saved == self.entries.len() {
            self.entries = Vec::new();
            self.saved = 0;
            self.written = 0;
        }
    }

    /// Looks up a stream that memory does not know.
    pub(super) fn look_up(
        &mut self,
        connection: &Connection,
        stream: &StreamId,
    ) -> Result<Option<Head>, JournalError> {
        if let StreamKey::Uuid(id) = stream.key {
            let highest = match self.highest.get(&stream.category) {
                Some(highest) => *highest,
                None => {
                    let found = highest_saved(connection, stream.category)?;
                    self.highest.insert(stream.category, found);
                    found
                }
            };
            if Some(id) > highest {
                return Ok(None);
            }
        }
        saved_head(connection, stream)
    }
}

fn highest_saved(
    connection: &Connection,
    category: Category,
) -> Result<Option<Uuid>, JournalError> {
    let prefix = |kind: &[u8]| [category.as_str().as_bytes(), kind].concat();
    let highest: Option<Vec<u8>> = connection
        .prepare_cached("SELECT max(stream) FROM head WHERE stream >= ?1 AND stream < ?2")
        .and_then(|mut select| select.query_row((prefix(b"\0u"), prefix(b"\0v")), |row| row.get(0)))
        .map_err(super::fault::read_error)?;
    Ok(highest.and_then(|key| Uuid::from_slice(key.get(key.len().checked_sub(16)?..)?).ok()))
}
