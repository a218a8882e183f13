//! Verdicts on units that wait: against the mirror, and what is decided before them.

use std::collections::HashMap;

use super::draft::{self, Draft};
use super::fold::Fold;
use super::mirror::Mirror;
use crate::check::whole_micros;
use crate::queue::Job;
use crate::{Clock, JournalError, Position, StreamId, Unit, Verdict, Version};

/// Most events of one append.
const EVENTS_MAX: usize = 4_096;

/// What fits into one frame of HTTP/2, which goes out at once. Of a second frame the client holds the
/// end back until the server's kernel has acknowledged the first, 44 ms on Linux.
const FRAME: usize = 15_000;
/// From here on one large append is sooner done than many small ones.
const FRAMES_MAX: usize = 24;

/// A unit of a job, by index.
pub(super) type Place = (usize, usize);

/// Verdicts, and what has to be in the log before they are true.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) verdicts: Vec<(Place, Verdict)>,
    /// One append each. There is more than one only where a unit is sent in parts.
    pub(super) pieces: Vec<Vec<Draft>>,
    /// Where in the log the next piece goes.
    pub(super) place: u64,
    /// How many of them are in the log.
    pub(super) done: usize,
    /// The next one may be, too.
    pub(super) unsure: bool,
    pub(super) events: u64,
    pub(super) bytes: u64,
}

struct Stage<'a> {
    fold: &'a Fold,
    mirror: &'a Mirror,
    position: u64,
    versions: HashMap<StreamId, Version>,
}

/// Judges units in order, as many as go well into one append. All are decided against the same end
/// of the log, so they hold if the append does.
pub(super) async fn judge(
    jobs: &[Job],
    fold: &Fold,
    mirror: &Mirror,
    clock: &Clock,
    bytes_max: usize,
    quick: bool,
) -> Result<Batch, JournalError> {
    let now = whole_micros(clock());
    let small = quick && waiting(jobs) <= FRAMES_MAX * FRAME;
    let goal = if small { FRAME.min(bytes_max) } else { bytes_max };
    let mut stage = Stage { fold, mirror, position: fold.position, versions: HashMap::new() };
    let mut batch = Batch { place: fold.next, ..Batch::default() };
    let mut drafts: Vec<Draft> = Vec::new();
    let mut weight = 0;
    'full: for (index, job) in jobs.iter().enumerate() {
        for at in job.open() {
            let unit = &job.units[at];
            let verdict = stage.verdict(unit).await?;
            if let Verdict::Committed { first, .. } = verdict {
                let new = draft::of_unit(unit, first.0, now)?;
                let heavier = new.iter().map(Draft::weight).sum::<usize>();
                let fits = weight + heavier <= goal && drafts.len() + new.len() <= EVENTS_MAX;
                if !fits && !batch.verdicts.is_empty() {
                    break 'full;
                }
                batch.events += new.len() as u64;
                batch.bytes += size(unit);
                if heavier > bytes_max {
                    let parts = draft::in_parts(&new, bytes_max)?;
                    batch.pieces = parts.into_iter().map(|part| vec![part]).collect();
                    batch.verdicts.push(((index, at), verdict));
                    return Ok(batch);
                }
                weight += heavier;
                drafts.extend(new);
            }
            batch.verdicts.push(((index, at), verdict));
        }
    }
    if !drafts.is_empty() {
        batch.pieces.push(drafts);
    }
    Ok(batch)
}

/// About how many bytes there are to append.
fn waiting(jobs: &[Job]) -> usize {
    let units = jobs.iter().flat_map(|job| job.open().map(|at| &job.units[at]));
    units.map(draft::about).sum()
}

fn size(unit: &Unit) -> u64 {
    let events = unit.groups.iter().flat_map(|group| &group.events);
    (unit.metadata.len() + events.map(|event| event.payload.len()).sum::<usize>()) as u64
}

impl Stage<'_> {
    async fn verdict(&mut self, unit: &Unit) -> Result<Verdict, JournalError> {
        if let Some(fence) = &unit.fence {
            let epoch = self.fold.epochs.get(&fence.lease).copied().unwrap_or_default();
            if epoch != fence.epoch {
                return Ok(Verdict::Fenced { epoch });
            }
        }
        let written = unit.groups.iter().map(|group| (&group.stream, group.expected));
        let read = unit.reads.iter().map(|(stream, version)| (stream, *version));
        for (stream, expected) in written.chain(read) {
            let actual = match self.versions.get(stream) {
                Some(version) => *version,
                None => self.mirror.version(stream).await?,
            };
            if actual != expected {
                return Ok(Verdict::Conflict { stream: stream.clone(), expected, actual });
            }
        }
        if unit.groups.is_empty() {
            return Ok(Verdict::Holds { at: Position(self.position) });
        }
        let first = Position(self.position + 1);
        for group in &unit.groups {
            let events = group.events.len() as u64;
            self.position += events;
            self.versions.insert(group.stream.clone(), group.expected + events);
        }
        Ok(Verdict::Committed { first, last: Position(self.position) })
    }
}
