//! Old parts of the journal in files elsewhere: sealed, proven, and then taken out of the journal's file.
//!
//! An archive holds whole chunks with the sums by which the journal knows them. What is taken out leaves
//! its row: place, count and sums. So positions, versions, heads and the chain are as they were, and a
//! chunk from an archive is proven by the journal each time it is read. See
//! `docs/adr/0013-old-events-in-archives.md`.

mod layout;
mod remove;
mod seal;
mod shelf;
mod writing;

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;

pub use remove::{Removed, remove_archived};
pub use seal::{Sealed, seal};
pub(super) use shelf::Shelf;

use super::chunks::StoredChunk;
use super::fault::read_error;
use super::file;
use crate::{JournalError, JournalId, Position};
use layout::{ArchiveFile, Block, failed};

const ENDING: &str = "tillroll-archive";

/// Up to where events are archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveBefore {
    /// Events that were recorded before.
    Time(DateTime<Utc>),
    /// Events with a lower position.
    Position(Position),
}

/// A chunk whose body is elsewhere: the block that holds it, for as long as it is looked at.
pub(super) struct Fetched {
    block: std::sync::Arc<Block>,
    first: u64,
}

impl Fetched {
    pub(super) fn of(
        shelf: &Shelf,
        connection: &Connection,
        stored: &StoredChunk<'_>,
    ) -> Result<Self, JournalError> {
        let first = stored.view.first;
        Ok(Self { block: shelf.block(connection, first)?, first })
    }

    pub(super) fn body(&self) -> &[u8] {
        self.block.chunk(self.first).map(|chunk| self.block.body(chunk)).unwrap_or_default()
    }
}

fn name(journal: Uuid, first: u64, last: u64) -> String {
    format!("{}-{first:012}-{last:012}.{ENDING}", &journal.simple().to_string()[..8])
}

fn id_of(connection: &Connection) -> Result<JournalId, JournalError> {
    let id: Vec<u8> = file::meta(connection, "journal_id")?;
    Uuid::from_slice(&id).map_err(|_| JournalError::Corrupt {
        at: None,
        problem: "the journal's id is not a UUID".to_owned(),
    })
}

/// The last position that is in an archive on record.
fn archived_through(connection: &Connection) -> Result<u64, JournalError> {
    let there: bool = connection
        .query_row("SELECT count(*) FROM sqlite_master WHERE name = 'archive'", [], |row| {
            row.get::<_, i64>(0)
        })
        .map_err(read_error)?
        > 0;
    if !there {
        return Ok(0);
    }
    let last: Option<i64> = connection
        .query_row("SELECT max(last) FROM archive", [], |row| row.get(0))
        .optional()
        .map_err(read_error)?
        .flatten();
    Ok(last.unwrap_or_default() as u64)
}

/// The journal's archives in a directory that follow one another from `after` on.
fn sealed_after(
    directory: &Path,
    journal: JournalId,
    after: u64,
) -> Result<Vec<ArchiveFile>, JournalError> {
    let begins = &name(journal, 0, 0)[..9];
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(|error| failed(directory, &error))? {
        let path: PathBuf = entry.map_err(|error| failed(directory, &error))?.path();
        let ours = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(begins));
        if ours && path.extension().is_some_and(|ending| ending == ENDING) {
            let file = ArchiveFile::open(&path)?;
            if file.footer.journal == journal && file.footer.first > after {
                found.push(file);
            }
        }
    }
    found.sort_by_key(|file| (file.footer.first, std::cmp::Reverse(file.footer.last)));
    let mut reached = after;
    found.retain(|file| {
        let follows = file.footer.first == reached + 1;
        if follows {
            reached = file.footer.last;
        }
        follows
    });
    Ok(found)
}
