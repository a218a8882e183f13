//! Takes chunks out of the journal's file that are in proven archives.

use std::path::Path;

use rusqlite::Connection;

use super::layout::{ArchiveFile, failed};
use super::seal::prove;
use super::{Shelf, archived_through, sealed_after};
use crate::sqlite::fault::read_error;
use crate::sqlite::lock::WriterLock;
use crate::sqlite::{Options, file};
use crate::{JournalError, Position};

/// Chunks emptied in one transaction.
const CHUNKS_AT_ONCE: i64 = 4_096;

/// What was taken out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// Archives that are on record now and were not before.
    pub archives: u64,
    /// The last position that is in an archive.
    pub through: Position,
    pub bytes_before: u64,
    pub bytes_after: u64,
}

/// Proves the archives in `directory` once more, puts them on record, empties the chunks they hold, and
/// makes the file smaller. Nobody else may have the journal open for writing. Safe to run again when
/// it was cut off.
///
/// # Errors
/// `InUse`, `Unavailable`, `Full`, `Corrupt`; whatever is not in a proven archive is still there.
pub fn remove_archived(
    path: &Path,
    directory: &Path,
    progress: &mut dyn FnMut(Position, Position),
) -> Result<Removed, JournalError> {
    let _lock = WriterLock::take(path)?;
    let options = Options { create_if_missing: false, ..Options::default() };
    let (connection, id) = file::open_for_writing(path, &options)?;
    let size = || std::fs::metadata(path).map(|found| found.len()).unwrap_or_default();
    let mut removed = Removed { bytes_before: size(), ..Removed::default() };
    let directory = directory.canonicalize().map_err(|error| failed(directory, &error))?;
    for archive in sealed_after(&directory, id, archived_through(&connection)?)? {
        prove(&connection, &archive, &Shelf::of(path), progress)?;
        put_on_record(&connection, &archive, &directory)?;
        removed.archives += 1;
    }
    removed.through = Position(archived_through(&connection)?);
    let emptied = empty(&connection, removed.through)?;
    if (emptied > 0 || has_much_free(&connection)?)
        && let Err(error) = connection.execute_batch("VACUUM")
    {
        let why = read_error(error);
        tracing::warn!(%why, "the journal's file was not made smaller: its free pages are used again");
    }
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(read_error)?;
    drop(connection);
    removed.bytes_after = size();
    Ok(removed)
}

/// Whether an earlier run was cut off before the file was made smaller.
fn has_much_free(connection: &Connection) -> Result<bool, JournalError> {
    let much =
        "SELECT freelist_count * 4 > page_count FROM pragma_freelist_count, pragma_page_count";
    connection.query_row(much, [], |row| row.get(0)).map_err(read_error)
}

fn put_on_record(
    connection: &Connection,
    archive: &ArchiveFile,
    directory: &Path,
) -> Result<(), JournalError> {
    let name = archive.path.file_name().unwrap_or_default().to_string_lossy();
    let written = || -> rusqlite::Result<()> {
        let transaction = connection.unchecked_transaction()?;
        transaction.execute_batch(
            "CREATE TABLE IF NOT EXISTS archive (
                 first INTEGER PRIMARY KEY, last INTEGER NOT NULL,
                 name TEXT NOT NULL, directory TEXT NOT NULL)",
        )?;
        transaction.execute(
            "INSERT INTO archive (first, last, name, directory) VALUES (?1, ?2, ?3, ?4)",
            (
                archive.footer.first as i64,
                archive.footer.last as i64,
                &*name,
                &*directory.to_string_lossy(),
            ),
        )?;
        // Programs that know nothing of archives would take it for damaged.
        transaction.execute(
            "UPDATE meta SET value = ?1 WHERE name = 'format' AND value < ?1",
            [file::FORMAT_WITH_ARCHIVES],
        )?;
        transaction.commit()
    };
    written().map_err(read_error)
}

/// Empties the bodies of all chunks up to `through`; returns how many had one.
fn empty(connection: &Connection, through: Position) -> Result<usize, JournalError> {
    let (mut emptied, mut from) = (0, 1_i64);
    let mut work = || -> rusqlite::Result<usize> {
        loop {
            let transaction = connection.unchecked_transaction()?;
            let last: Option<i64> = transaction.query_row(
                "SELECT max(first) FROM (SELECT first FROM chunk \
                 WHERE first BETWEEN ?1 AND ?2 ORDER BY first LIMIT ?3)",
                [from, through.0 as i64, CHUNKS_AT_ONCE],
                |row| row.get(0),
            )?;
            let Some(last) = last else { return Ok(emptied) };
            emptied += transaction.execute(
                "UPDATE chunk SET body = x'' WHERE first BETWEEN ?1 AND ?2 AND length(body) > 0",
                [from, last],
            )?;
            transaction.commit()?;
            from = last + 1;
        }
    };
    work().map_err(read_error)
}
