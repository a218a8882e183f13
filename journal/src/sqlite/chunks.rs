//! Rows of the chunk table: checked on the way out, chained on the way in.

use std::sync::Arc;

use rusqlite::{CachedStatement, Connection, OptionalExtension, Row};

use super::archive::{Fetched, Shelf};
use super::fault::read_error;
use super::record::{ChunkView, Memo, Names, corrupt};
use crate::{JournalError, Recorded};

/// The sum which ties a chunk to the one before it.
pub(super) fn chained(before: u32, first: u64, count: u32, crc: u32) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&before.to_le_bytes());
    hasher.update(&first.to_le_bytes());
    hasher.update(&count.to_le_bytes());
    hasher.update(&crc.to_le_bytes());
    hasher.finalize()
}

/// Adds a chunk and returns the chain's new sum.
pub(super) fn insert(
    connection: &Connection,
    before: u32,
    first: u64,
    count: u32,
    body: &[u8],
) -> rusqlite::Result<u32> {
    let crc = crc32fast::hash(body);
    let chain = chained(before, first, count, crc);
    connection
        .prepare_cached(
            "INSERT INTO chunk (first, count, crc, chain, body) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((first as i64, count, crc, chain, body))?;
    Ok(chain)
}

/// The head position and the chain's sum there; zeroes for an empty journal.
pub(super) fn last(connection: &Connection) -> Result<(u64, u32), JournalError> {
    connection
        .prepare_cached("SELECT first, count, chain FROM chunk ORDER BY first DESC LIMIT 1")
        .and_then(|mut select| {
            select
                .query_row([], |row| {
                    let first: i64 = row.get(0)?;
                    let count: i64 = row.get(1)?;
                    Ok(((first + count - 1) as u64, row.get(2)?))
                })
                .optional()
        })
        .map(Option::unwrap_or_default)
        .map_err(read_error)
}

/// One row as it is stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoredChunk<'a> {
    pub(super) view: ChunkView<'a>,
    pub(super) crc: u32,
    pub(super) chain: u32,
}

impl<'a> StoredChunk<'a> {
    fn of(row: &'a Row<'_>) -> rusqlite::Result<Self> {
        let first: i64 = row.get(0)?;
        let body = row.get_ref(4)?.as_blob().map_err(rusqlite::Error::from)?;
        let view = ChunkView { first: first as u64, count: row.get(1)?, body };
        Ok(Self { view, crc: row.get(2)?, chain: row.get(3)? })
    }

    pub(super) fn is_intact(&self) -> bool {
        crc32fast::hash(self.view.body) == self.crc
    }

    fn checked(self) -> Result<ChunkView<'a>, JournalError> {
        if self.is_intact() {
            Ok(self.view)
        } else {
            Err(corrupt(self.view.first, "a chunk does not match its sum"))
        }
    }
}

/// Calls `each` with the chunks from the one holding `position` on, until it returns false.
pub(super) fn for_each_from(
    connection: &Connection,
    shelf: &Shelf,
    position: u64,
    mut each: impl FnMut(StoredChunk<'_>) -> Result<bool, JournalError>,
) -> Result<(), JournalError> {
    let select = connection.prepare_cached(
        "SELECT first, count, crc, chain, body FROM chunk
         WHERE first >= coalesce((SELECT max(first) FROM chunk WHERE first <= ?1), 0)
         ORDER BY first",
    );
    walk(connection, shelf, select, position, &mut each)
}

/// Calls `each` with the chunks from the one holding `position` on, backwards.
pub(super) fn for_each_back(
    connection: &Connection,
    shelf: &Shelf,
    position: u64,
    mut each: impl FnMut(StoredChunk<'_>) -> Result<bool, JournalError>,
) -> Result<(), JournalError> {
    let select = connection.prepare_cached(
        "SELECT first, count, crc, chain, body FROM chunk WHERE first <= ?1 ORDER BY first DESC",
    );
    walk(connection, shelf, select, position, &mut each)
}

fn walk(
    connection: &Connection,
    shelf: &Shelf,
    select: rusqlite::Result<CachedStatement<'_>>,
    position: u64,
    each: &mut dyn FnMut(StoredChunk<'_>) -> Result<bool, JournalError>,
) -> Result<(), JournalError> {
    let mut select = select.map_err(read_error)?;
    let position = i64::try_from(position).unwrap_or(i64::MAX);
    let mut rows = select.query([position]).map_err(read_error)?;
    while let Some(row) = rows.next().map_err(read_error)? {
        let stored = StoredChunk::of(row).map_err(read_error)?;
        let goes_on = if stored.view.body.is_empty() {
            let fetched = Fetched::of(shelf, connection, &stored)?;
            let view = ChunkView { body: fetched.body(), ..stored.view };
            each(StoredChunk { view, ..stored })?
        } else {
            each(stored)?
        };
        if !goes_on {
            break;
        }
    }
    Ok(())
}

/// Events with `after < position <= through`, at most `max`.
pub(super) fn scan(
    connection: &Connection,
    shelf: &Shelf,
    names: &mut Names,
    after: u64,
    through: u64,
    max: usize,
) -> Result<Vec<Recorded>, JournalError> {
    let mut found = Vec::new();
    if max == 0 || after >= through {
        return Ok(found);
    }
    let mut memo = Memo::default();
    let mut next = after + 1;
    for_each_from(connection, shelf, next, |stored| {
        let chunk = stored.checked()?;
        if next < chunk.first || next >= chunk.first + u64::from(chunk.count) {
            return Err(corrupt(next, "no chunk holds this position"));
        }
        let end = (chunk.first + u64::from(chunk.count)).min(through + 1);
        while next < end && found.len() < max {
            found.push(chunk.recorded(next, names, &mut memo)?);
            next += 1;
        }
        Ok(found.len() < max && next <= through)
    })?;
    Ok(found)
}

/// Events with `position <= from`, newest first, at most `max`.
pub(super) fn scan_back(
    connection: &Connection,
    shelf: &Shelf,
    names: &mut Names,
    from: u64,
    max: usize,
) -> Result<Vec<Recorded>, JournalError> {
    let mut found = Vec::new();
    let mut memo = Memo::default();
    let mut next = from;
    if max == 0 || next == 0 {
        return Ok(found);
    }
    for_each_back(connection, shelf, next, |stored| {
        let chunk = stored.checked()?;
        if next >= chunk.first + u64::from(chunk.count) {
            return Err(corrupt(next, "no chunk holds this position"));
        }
        while next >= chunk.first && next > 0 && found.len() < max {
            found.push(chunk.recorded(next, names, &mut memo)?);
            next -= 1;
        }
        Ok(found.len() < max && next > 0)
    })?;
    Ok(found)
}

/// A chunk kept beyond the row it was read from.
#[derive(Debug)]
pub(super) struct KeptChunk {
    first: u64,
    count: u32,
    body: Box<[u8]>,
}

impl KeptChunk {
    pub(super) fn view(&self) -> ChunkView<'_> {
        ChunkView { first: self.first, count: self.count, body: &self.body }
    }

    pub(super) fn holds(&self, position: u64) -> bool {
        position >= self.first && position - self.first < u64::from(self.count)
    }

    pub(super) fn bytes(&self) -> usize {
        self.body.len()
    }

    pub(super) fn first(&self) -> u64 {
        self.first
    }
}

/// Reads the chunk which holds `position`.
pub(super) fn holding(
    connection: &Connection,
    shelf: &Shelf,
    position: u64,
) -> Result<Arc<KeptChunk>, JournalError> {
    let mut found = None;
    for_each_back(connection, shelf, position, |stored| {
        let chunk = stored.checked()?;
        found =
            Some(KeptChunk { first: chunk.first, count: chunk.count, body: Box::from(chunk.body) });
        Ok(false)
    })?;
    found
        .filter(|chunk| chunk.holds(position))
        .map(Arc::new)
        .ok_or_else(|| corrupt(position, "no chunk holds this position"))
}
