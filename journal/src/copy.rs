//! Copies a journal into another, whatever the two are kept in.
//!
//! Every event comes to the same position, as it is: ids, times, metadata. The target has the
//! source's id, so checkpoints and tokens that name the journal stay right. A copy that was cut off goes
//! on where it ended, once what is there was compared with the source. Which events were appended
//! together is not on record, so it is not kept: a copy is of use when it is complete.

mod digest;
mod units;

use std::fmt;

pub use digest::JournalDigest;

use crate::{Journal, JournalError, JournalId, Position, Recorded, Unit, Verdict};
use digest::Digester;

/// Payload and metadata appended in one call; a larger unit is alone in its own.
const CALL_BYTES: usize = 8 << 20;

#[derive(Debug, Clone)]
pub struct CopyOptions {
    /// Events read at once, which are in memory twice: while some are written the next are read.
    pub batch_events: usize,
}

impl Default for CopyOptions {
    fn default() -> Self {
        Self { batch_events: 4_096 }
    }
}

/// What a copy is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyStage {
    /// What an earlier run left, with the source.
    Comparing,
    Copying,
    /// What is there now, by reading all of it again.
    Checking,
}

/// How far a copy is, in events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyProgress {
    pub stage: CopyStage,
    pub done: u64,
    pub total: u64,
}

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    pub journal: JournalId,
    /// The source's head when the copy began; all up to it is in the target.
    pub through: Position,
    /// Events that were there already.
    pub found: u64,
    /// Over all events of the source up to `through`.
    pub digest: JournalDigest,
}

/// Why a journal is not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error("the target is the source")]
    Itself,
    #[error("{0} has positions with gaps, which cannot be kept")]
    Sparse(Side),
    /// Journals with different ids are different journals.
    #[error(
        "the target is another journal ({target}, with {events} events) than the source ({source_id}): name a new \
         place, or clear this one away"
    )]
    OtherJournal { source_id: JournalId, target: JournalId, events: u64 },
    #[error(
        "the target has {target} events, the source only {source_events}: it is no earlier copy, or the source \
         was put back to an earlier time"
    )]
    SourceShorter { source_events: u64, target: u64 },
    /// The target is not a part of the source.
    #[error(
        "at position {} the target's {what} is another than the source's: it was changed or is no \
         copy; clear it away and copy again", at.0
    )]
    Differs { at: Position, what: &'static str },
    /// Somebody appends to the target.
    #[error(
        "the target did not take the event at position {} where it belongs ({verdict:?}): stop \
         whoever writes to it, clear it away and copy again", at.0
    )]
    Refused { at: Position, verdict: Verdict },
    /// What was read again at the end is not what was copied.
    #[error(
        "the target does not hold what was copied: its digest up to position {} is {found}, the \
         source's is {expected}; do not use it", through.0
    )]
    NotAsCopied { through: Position, expected: JournalDigest, found: JournalDigest },
    #[error("{side}: {error}")]
    Journal {
        side: Side,
        #[source]
        error: JournalError,
    },
}

/// Which of the two journals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Source,
    Target,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "the source",
            Self::Target => "the target",
        })
    }
}

impl Side {
    fn failed(self, error: JournalError) -> CopyError {
        CopyError::Journal { side: self, error }
    }
}

/// Copies what `source` holds now into `target`, which is empty or a copy cut short, and has the
/// source's id. Nobody else may write to the target. Follow it with [`check_copy`].
///
/// # Errors
/// [`CopyError`]; what was copied until then stays, and the next run goes on after it.
pub async fn copy(
    source: &dyn Journal,
    target: &dyn Journal,
    options: &CopyOptions,
    progress: &mut (dyn FnMut(CopyProgress) + Send),
) -> Result<Copied, CopyError> {
    let (through, found) = (source.head().0, target.head().0);
    may_be_copied(source, target, through, found)?;
    let mut copying =
        Copying { source, through, batch: options.batch_events, digest: Digester::default() };
    copying.compare(target, found, progress).await?;
    copying.append(target, found, progress).await?;
    Ok(Copied {
        journal: source.id(),
        through: Position(through),
        found,
        digest: copying.digest.finish(),
    })
}

/// Reads all that was copied once more. Open the target anew before, so that it is read from where it
/// is kept and not from memory.
///
/// # Errors
/// `NotAsCopied`, `OtherJournal`, and what reading meets.
pub async fn check_copy(
    copied: &Copied,
    target: &dyn Journal,
    options: &CopyOptions,
    progress: &mut (dyn FnMut(CopyProgress) + Send),
) -> Result<(), CopyError> {
    let total = copied.through.0;
    if target.id() != copied.journal {
        let (target, events) = (target.id(), target.head().0);
        return Err(CopyError::OtherJournal { source_id: copied.journal, target, events });
    }
    let mut digest = Digester::default();
    let mut done = 0;
    while done < total {
        progress(CopyProgress { stage: CopyStage::Checking, done, total });
        let events = read(Side::Target, target, done, total, options.batch_events).await?;
        done += events.len() as u64;
        events.iter().for_each(|event| digest.add(event));
    }
    progress(CopyProgress { stage: CopyStage::Checking, done, total });
    let found = digest.finish();
    if found == copied.digest {
        return Ok(());
    }
    Err(CopyError::NotAsCopied { through: copied.through, expected: copied.digest, found })
}

fn may_be_copied(
    source: &dyn Journal,
    target: &dyn Journal,
    through: u64,
    found: u64,
) -> Result<(), CopyError> {
    if std::ptr::addr_eq(source, target) {
        return Err(CopyError::Itself);
    }
    for (side, journal) in [(Side::Source, source), (Side::Target, target)] {
        if !journal.properties().dense_positions {
            return Err(CopyError::Sparse(side));
        }
    }
    if source.id() != target.id() {
        let (source_id, target) = (source.id(), target.id());
        return Err(CopyError::OtherJournal { source_id, target, events: found });
    }
    if found > through {
        return Err(CopyError::SourceShorter { source_events: through, target: found });
    }
    Ok(())
}

struct Copying<'a> {
    source: &'a dyn Journal,
    /// Where to stop.
    through: u64,
    batch: usize,
    digest: Digester,
}

impl Copying<'_> {
    async fn compare(
        &mut self,
        target: &dyn Journal,
        found: u64,
        progress: &mut (dyn FnMut(CopyProgress) + Send),
    ) -> Result<(), CopyError> {
        let mut done = 0;
        while done < found {
            progress(CopyProgress { stage: CopyStage::Comparing, done, total: found });
            let (ours, theirs) = tokio::join!(
                read(Side::Source, self.source, done, found, self.batch),
                read(Side::Target, target, done, found, self.batch),
            );
            for (ours, theirs) in ours?.iter().zip(&theirs?) {
                if let Some(what) = difference(ours, theirs) {
                    return Err(CopyError::Differs { at: ours.position, what });
                }
                self.digest.add(ours);
                done += 1;
            }
        }
        Ok(())
    }

    async fn append(
        &mut self,
        target: &dyn Journal,
        found: u64,
        progress: &mut (dyn FnMut(CopyProgress) + Send),
    ) -> Result<(), CopyError> {
        let total = self.through;
        let mut done = found;
        let mut batch = self.read_after(done).await?;
        while !batch.is_empty() {
            progress(CopyProgress { stage: CopyStage::Copying, done, total });
            batch.iter().for_each(|event| self.digest.add(event));
            let end = done + batch.len() as u64;
            let units = units::of(batch);
            // The first is under way before the second begins, which may block this thread.
            let (appended, next) = tokio::join!(append(target, units, done), self.read_after(end));
            appended?;
            batch = next?;
            done = end;
        }
        progress(CopyProgress { stage: CopyStage::Copying, done, total });
        Ok(())
    }

    async fn read_after(&self, after: u64) -> Result<Vec<Recorded>, CopyError> {
        if after >= self.through {
            return Ok(Vec::new());
        }
        read(Side::Source, self.source, after, self.through, self.batch).await
    }
}

/// Events after `after`, at least one, at most up to `through`.
async fn read(
    side: Side,
    journal: &dyn Journal,
    after: u64,
    through: u64,
    max: usize,
) -> Result<Vec<Recorded>, CopyError> {
    let left = usize::try_from(through - after).unwrap_or(usize::MAX);
    let read = journal.read_all(Position(after), max.max(1).min(left)).await;
    let events = read.map_err(|error| side.failed(error))?;
    let dense = events.iter().zip(after + 1..).all(|(event, place)| event.position.0 == place);
    if events.is_empty() || !dense {
        let problem = "positions do not follow one another here".to_owned();
        return Err(side.failed(JournalError::Corrupt { at: Some(Position(after + 1)), problem }));
    }
    Ok(events)
}

/// Appends units that belong right after `done`.
async fn append(target: &dyn Journal, units: Vec<Unit>, mut done: u64) -> Result<(), CopyError> {
    let mut units = units.into_iter().peekable();
    while units.peek().is_some() {
        let (mut call, mut ends, mut bytes) = (Vec::new(), Vec::new(), 0);
        let mut end = done;
        while let Some(unit) = units.next_if(|unit| {
            bytes += units::bytes(unit);
            bytes <= CALL_BYTES || call.is_empty()
        }) {
            end += units::events(&unit);
            ends.push(end);
            call.push(unit);
        }
        let verdicts = target.append(call).await.map_err(|error| Side::Target.failed(error))?;
        for (verdict, end) in verdicts.into_iter().zip(ends) {
            let at = Position(done + 1);
            if verdict != (Verdict::Committed { first: at, last: Position(end) }) {
                return Err(CopyError::Refused { at, verdict });
            }
            done = end;
        }
    }
    Ok(())
}

/// The first thing in which two events at one position differ.
fn difference(ours: &Recorded, theirs: &Recorded) -> Option<&'static str> {
    let same = [
        ("stream", ours.stream == theirs.stream),
        ("version", ours.version == theirs.version),
        ("event id", ours.id == theirs.id),
        ("event type", ours.event_type == theirs.event_type),
        ("schema version", ours.schema_version == theirs.schema_version),
        ("payload", ours.payload == theirs.payload),
        ("metadata", ours.metadata == theirs.metadata),
        ("time of occurrence", ours.occurred == theirs.occurred),
        ("time of recording", ours.recorded == theirs.recorded),
    ];
    same.into_iter().find(|(_, same)| !same).map(|(what, _)| what)
}
