//! Proving that a journal is whole: every sum, every link, every head.

use std::path::Path;

use rusqlite::Connection;

use super::archive::Shelf;
use super::chunks::{self, StoredChunk};
use super::fault::read_error;
use super::file;
use super::hash::QuickMap;
use super::heads::{Head, table_key};
use super::options::Options;
use super::record::{Memo, Names};
use crate::{JournalError, Position, StreamId};

/// Chunks of one statement: few enough not to keep SQLite from tidying up for long.
const CHUNKS_AT_ONCE: usize = 1024;
/// Problems told of; the rest are counted only.
const PROBLEMS_TOLD: usize = 100;

/// What a journal turned out to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// The last position looked at.
    pub head: Position,
    pub events: u64,
    pub chunks: u64,
    pub streams: u64,
    /// The first hundred problems, in the order of positions.
    pub problems: Vec<Problem>,
    pub problem_count: u64,
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub at: Position,
    pub what: String,
}

impl VerifyReport {
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.problem_count == 0
    }

    fn problem(&mut self, at: u64, what: impl Into<String>) {
        self.problem_count += 1;
        if self.problems.len() < PROBLEMS_TOLD {
            self.problems.push(Problem { at: Position(at), what: what.into() });
        }
    }
}

/// Checks the journal at `path`, beside a writer or without one: each chunk against its sum
/// and the chain, positions without gaps, each stream's versions and links, and saved heads.
///
/// `progress` is called now and then with the position reached and the head. Takes about 100
/// bytes of memory a stream. What a writer appends meanwhile is left for the next time.
///
/// # Errors
/// Those of opening and reading; what is wrong with the events is in the report.
pub fn verify(
    path: &Path,
    mut progress: impl FnMut(Position, Position),
) -> Result<VerifyReport, JournalError> {
    let (connection, _) = file::open_for_reading(path, &Options::default())?;
    // Heads are looked at after the events they must agree with, so their mark is read first.
    let saved: i64 = file::meta(&connection, "heads_saved_through")?;
    let (end, _) = chunks::last(&connection)?;
    let shelf = Shelf::of(path);
    let mut check = Check { end, next: 1, ..Check::default() };
    while check.next <= end {
        check.some_chunks(&connection, &shelf)?;
        progress(Position(check.next - 1), Position(end));
    }
    check.heads(&connection, saved as u64)?;
    let mut report = check.report;
    report.head = Position(check.next - 1);
    report.streams = check.streams.len() as u64;
    Ok(report)
}

#[derive(Default)]
struct Check {
    /// Where to stop: the head when the check began.
    end: u64,
    next: u64,
    chain: u32,
    names: Names,
    memo: Memo,
    streams: QuickMap<StreamId, Head>,
    report: VerifyReport,
}

impl Check {
    fn some_chunks(&mut self, connection: &Connection, shelf: &Shelf) -> Result<(), JournalError> {
        let from = self.next;
        let mut left = CHUNKS_AT_ONCE;
        chunks::for_each_from(connection, shelf, from, |stored| {
            // After a gap the statement begins with the chunk before it, which was looked at.
            if stored.view.first >= from || from == 1 {
                self.chunk(stored);
                left -= 1;
            }
            Ok(left > 0 && self.next <= self.end)
        })?;
        if self.next == from {
            self.report.problem(from, "no chunk holds this position or a later one");
            self.next = self.end + 1;
        }
        Ok(())
    }

    fn chunk(&mut self, stored: StoredChunk<'_>) {
        let StoredChunk { view, crc, chain } = stored;
        self.report.chunks += 1;
        if view.first != self.next {
            let what = format!("position {} is missing", self.next);
            self.report.problem(view.first, what);
        }
        if !stored.is_intact() {
            self.report.problem(view.first, "the chunk does not match its sum");
        }
        if chunks::chained(self.chain, view.first, view.count, crc) != chain {
            self.report.problem(view.first, "the chain from the chunk before is broken");
        }
        self.chain = chain;
        self.next = view.first.max(self.next);
        if view.count as usize > view.body.len() {
            self.report.problem(view.first, "the chunk cannot hold as many events as it says");
            self.next += 1;
            return;
        }
        for position in view.first..view.first + u64::from(view.count) {
            self.report.events += 1;
            if let Err(error) = self.event(&stored, position) {
                self.report.problem(position, error.to_string());
            }
        }
        self.next = self.next.max(view.first + u64::from(view.count));
    }

    fn event(&mut self, stored: &StoredChunk<'_>, position: u64) -> Result<(), JournalError> {
        let link = stored.view.link(position)?;
        let event = stored.view.recorded(position, &mut self.names, &mut self.memo)?;
        let before =
            self.streams.get(&event.stream).copied().unwrap_or(Head { position: 0, version: 0 });
        if link.version != before.version + 1 {
            let (stream, after) = (&event.stream, before.version);
            let what = format!("version {} of {stream} comes after {after}", link.version);
            self.report.problem(position, what);
        } else if link.previous != before.position {
            let (stream, previous) = (&event.stream, before.position);
            let what = format!("points to {} but {stream} was at {previous}", link.previous);
            self.report.problem(position, what);
        }
        self.streams.insert(event.stream, Head { position, version: link.version });
        Ok(())
    }

    /// Saved heads may lag behind the events, but only by those after `saved`.
    fn heads(&mut self, connection: &Connection, saved: u64) -> Result<(), JournalError> {
        let mut select = connection
            .prepare("SELECT position, version FROM head WHERE stream = ?1")
            .map_err(read_error)?;
        let mut wrong = Vec::new();
        for (stream, head) in &self.streams {
            let mut rows = select.query([table_key(stream)]).map_err(read_error)?;
            let found = match rows.next().map_err(read_error)? {
                Some(row) => Some(Head {
                    position: row.get::<_, i64>(0).map_err(read_error)? as u64,
                    version: row.get::<_, i64>(1).map_err(read_error)? as u64,
                }),
                None => None,
            };
            let agrees = match found {
                Some(found) if found.position == head.position => found.version == head.version,
                // Saved again by a writer since, or not saved since its last event.
                Some(found) if found.position > self.end => found.version > head.version,
                Some(found) if found.position > head.position => false,
                _ => head.position > saved,
            };
            if !agrees {
                wrong.push((head.position, format!("the saved head of {stream} is wrong")));
            }
        }
        let known: i64 = connection
            .query_row("SELECT count(*) FROM head WHERE position <= ?1", [self.end as i64], |row| {
                row.get(0)
            })
            .map_err(read_error)?;
        if known as u64 > self.streams.len() as u64 {
            wrong.push((self.end, "heads are saved of streams that do not exist".to_owned()));
        }
        wrong.sort_unstable();
        for (at, what) in wrong {
            self.report.problem(at, what);
        }
        Ok(())
    }
}
