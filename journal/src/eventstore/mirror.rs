//! The mirror: what the log has come to, in a file of this node's own, from which all is read.

use std::path::{Path, PathBuf};

use super::fold::{Fold, Folded};
use super::points::{Point, Points};
use crate::{
    Journal, JournalError, JournalId, Options, Position, SqliteJournal, StreamId, Verdict, Version,
};

/// Events of the log between two points to go on from.
const POINT_EVERY: u64 = 5_000;

#[derive(Debug)]
pub(super) struct Mirror {
    pub(super) journal: SqliteJournal,
    path: PathBuf,
    points: std::sync::Mutex<Points>,
}

impl Mirror {
    /// Opens the mirror of the log with this id, or makes it; and how far it is known to have read.
    pub(super) fn open(
        path: &Path,
        options: &Options,
        id: JournalId,
    ) -> Result<(Self, Fold), JournalError> {
        let options = Options {
            create_if_missing: true,
            id: Some(id),
            // What it loses is in the log.
            durable: false,
            realtime_priority: false,
            ..options.clone()
        };
        let journal = SqliteJournal::open(path, options)?;
        if journal.id() != id {
            return Err(JournalError::Unavailable(format!(
                "{} is the mirror of another journal ({}, the log's is {id}): point the URL or the \
                 mirror elsewhere, or delete the file if it is not needed",
                path.display(),
                journal.id()
            )));
        }
        let points = Points::load(path);
        let fold = points.newest(journal.head().0).map(Point::fold).unwrap_or_default();
        Ok((Self { journal, path: path.to_owned(), points: points.into() }, fold))
    }

    /// Takes in units which follow on each other. Those that are here already must be the same.
    pub(super) async fn apply(&self, units: Vec<Folded>) -> Result<(), JournalError> {
        let head = self.journal.head().0;
        let mut new = Vec::with_capacity(units.len());
        let mut firsts = Vec::with_capacity(units.len());
        for Folded { first, unit } in units {
            if first <= head {
                self.compare(first, &unit).await?;
            } else {
                firsts.push(first);
                new.push(unit);
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        for (verdict, wanted) in self.journal.append(new).await?.into_iter().zip(firsts) {
            match verdict {
                Verdict::Committed { first: Position(first), .. } if first == wanted => {}
                other => {
                    let problem = format!(
                        "the log and its mirror {} differ ({other:?}): delete the mirror, and if \
                         this comes again, restore the server",
                        self.path.display()
                    );
                    return Err(JournalError::Corrupt { at: Some(Position(wanted)), problem });
                }
            }
        }
        Ok(())
    }

    async fn compare(&self, first: u64, unit: &crate::Unit) -> Result<(), JournalError> {
        let here = self.journal.read_all(Position(first - 1), 1).await?;
        let there = unit.groups.first().and_then(|group| group.events.first());
        if here.first().map(|event| event.id) == there.map(|event| event.id) {
            return Ok(());
        }
        Err(self.ahead(first))
    }

    /// The mirror holds events that the log has not, or others.
    pub(super) fn ahead(&self, at: u64) -> JournalError {
        JournalError::Corrupt {
            at: Some(Position(at)),
            problem: format!(
                "the mirror {} has events which the log has not: the server was restored from an \
                 older copy. Delete the mirror, and rebuild the read models",
                self.path.display()
            ),
        }
    }

    pub(super) async fn version(&self, stream: &StreamId) -> Result<Version, JournalError> {
        self.journal.stream_version(stream).await
    }

    /// Notes how far this has come, if that is worth it by now.
    pub(super) fn note(&self, fold: &Fold, now: bool) {
        if !fold.is_at_rest() {
            return;
        }
        let mut points = crate::held::hold(&self.points);
        let new = fold.next.saturating_sub(points.last());
        if new >= POINT_EVERY || (now && new > 0) {
            points.push(Point::of(fold));
            if let Err(error) = points.save(&self.path) {
                tracing::warn!(%error, "the next start reads more of the log than it needs to");
            }
        }
    }

    pub(super) async fn close(&self) {
        // It cannot fail in a way that matters to anybody.
        let _ = self.journal.close().await;
    }
}
