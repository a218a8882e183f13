//! Copies old chunks into an archive, beside a running engine, and reads the archive back.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::layout::{ArchiveFile, damaged};
use super::writing::Writing;
use super::{ArchiveBefore, Shelf, archived_through, id_of, sealed_after};
use crate::sqlite::record::{Memo, Names};
use crate::sqlite::{Options, chunks, file};
use crate::{JournalError, Position};

/// Chunks of one statement: few enough not to keep SQLite from tidying up for long.
const CHUNKS_AT_ONCE: usize = 1024;

/// An archive that was made and proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    pub file: PathBuf,
    pub first: Position,
    pub last: Position,
    /// Of the archive.
    pub bytes: u64,
    /// Of the chunks in it as they are in the journal.
    pub chunk_bytes: u64,
    /// Of the archive; also beside it in a file that `sha256sum -c` reads.
    pub sha256: String,
}

/// Writes all chunks that are in no archive yet, and whose events are all before `before`, to a new
/// archive in `directory`, and compares it with the journal. `None` if there are none.
///
/// The journal is only read. `progress` is called now and then with the position reached and the last
/// that may be.
///
/// # Errors
/// `Unavailable`, `Corrupt`; no archive is there then.
pub fn seal(
    path: &Path,
    directory: &Path,
    before: ArchiveBefore,
    progress: &mut dyn FnMut(Position, Position),
) -> Result<Option<Sealed>, JournalError> {
    let (connection, id) = file::open_for_reading(path, &Options::default())?;
    let on_record = archived_through(&connection)?;
    let sealed = sealed_after(directory, id, on_record)?;
    let begin = sealed.last().map_or(on_record, |file| file.footer.last);
    let end = end(&connection, before)?;
    if begin >= end {
        return Ok(None);
    }
    let chain = chain_at(&connection, begin)?;
    let mut sealing = Sealing { end, before, next: begin + 1, chain, bytes: 0, over: false };
    let mut writing = None;
    while !sealing.over && sealing.next <= end {
        sealing.some_chunks(&connection, path, directory, &mut writing)?;
        progress(Position(sealing.next - 1), Position(end));
    }
    let Some(writing) = writing else { return Ok(None) };
    let written = writing.finish()?;
    let archive = ArchiveFile::open(&written.path)?;
    if let Err(error) = prove(&connection, &archive, &Shelf::of(path), progress) {
        // It is of no use to anybody.
        let _ = std::fs::remove_file(&written.path);
        return Err(error);
    }
    Ok(Some(Sealed {
        file: written.path,
        first: Position(archive.footer.first),
        last: Position(archive.footer.last),
        bytes: written.bytes,
        chunk_bytes: sealing.bytes,
        sha256: written.sha256,
    }))
}

/// Nothing past the saved stream heads: every start reads from there.
fn end(connection: &Connection, before: ArchiveBefore) -> Result<u64, JournalError> {
    let saved: i64 = file::meta(connection, "heads_saved_through")?;
    let (head, _) = chunks::last(connection)?;
    let end = (saved as u64).min(head);
    Ok(match before {
        ArchiveBefore::Time(_) => end,
        ArchiveBefore::Position(position) => end.min(position.0.saturating_sub(1)),
    })
}

/// The chain's sum at the end of the chunk which ends at `position`.
fn chain_at(connection: &Connection, position: u64) -> Result<u32, JournalError> {
    if position == 0 {
        return Ok(0);
    }
    connection
        .query_row(
            "SELECT chain FROM chunk WHERE first <= ?1 ORDER BY first DESC LIMIT 1",
            [position as i64],
            |row| row.get(0),
        )
        .map_err(crate::sqlite::fault::read_error)
}

struct Sealing {
    end: u64,
    before: ArchiveBefore,
    next: u64,
    chain: u32,
    bytes: u64,
    /// A chunk was met that is too new.
    over: bool,
}

impl Sealing {
    fn some_chunks(
        &mut self,
        connection: &Connection,
        path: &Path,
        directory: &Path,
        writing: &mut Option<Writing>,
    ) -> Result<(), JournalError> {
        let (mut names, mut memo) = (Names::default(), Memo::default());
        let mut left = CHUNKS_AT_ONCE;
        let shelf = Shelf::of(path);
        chunks::for_each_from(connection, &shelf, self.next, |stored| {
            let view = stored.view;
            let last = view.first + u64::from(view.count) - 1;
            let chain = chunks::chained(self.chain, view.first, view.count, stored.crc);
            if view.first != self.next || !stored.is_intact() || chain != stored.chain {
                let problem = "a chunk is damaged or missing: run `tillroll verify`".to_owned();
                return Err(JournalError::Corrupt { at: Some(Position(self.next)), problem });
            }
            let mut old = last <= self.end;
            if let ArchiveBefore::Time(time) = self.before {
                for position in view.first..=last {
                    old = old && view.recorded(position, &mut names, &mut memo)?.recorded < time;
                }
            }
            if !old {
                self.over = true;
                return Ok(false);
            }
            let begun = match &mut *writing {
                Some(begun) => begun,
                none => none.insert(Writing::begin(
                    directory,
                    id_of(connection)?,
                    view.first,
                    self.chain,
                )?),
            };
            begun.add(&stored)?;
            self.bytes += view.body.len() as u64;
            self.chain = stored.chain;
            self.next = last + 1;
            left -= 1;
            Ok(left > 0 && self.next <= self.end)
        })
    }
}

/// Compares every chunk of an archive with the journal's.
pub(super) fn prove(
    connection: &Connection,
    archive: &ArchiveFile,
    shelf: &Shelf,
    progress: &mut dyn FnMut(Position, Position),
) -> Result<(), JournalError> {
    let footer = archive.footer;
    let differs = |at: u64| damaged(&archive.path, Some(at), "it differs from the journal");
    let (mut next, mut chain, mut count) = (footer.first, footer.chain_before, 0);
    for number in 0..archive.blocks() {
        let block = archive.block(number)?;
        let mut kept = block.chunks.iter();
        let Some(first) = block.chunks.first().map(|chunk| chunk.first) else { continue };
        chunks::for_each_from(connection, shelf, first, |stored| {
            let Some(chunk) = kept.next() else { return Ok(false) };
            let (view, body) = (stored.view, block.body(chunk));
            let same = (chunk.first, chunk.count, chunk.crc, chunk.chain)
                == (view.first, view.count, stored.crc, stored.chain)
                && body == view.body;
            chain = chunks::chained(chain, chunk.first, chunk.count, crc32fast::hash(body));
            if !same || chunk.first != next || chain != chunk.chain {
                return Err(differs(next));
            }
            next += u64::from(chunk.count);
            count += 1;
            Ok(kept.len() > 0)
        })?;
        if kept.len() > 0 {
            return Err(differs(next));
        }
        progress(Position(next - 1), Position(footer.last));
    }
    if (next, chain, count) == (footer.last + 1, footer.chain, footer.chunks) {
        Ok(())
    } else {
        Err(differs(next))
    }
}
