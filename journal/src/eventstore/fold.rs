//! From the log to units: the same on every node, since it rests on the log alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use uuid::Uuid;

use super::log::{LogEvent, Meaning, Written, corrupt};
use crate::{Epoch, Group, JournalError, Position, Unit};

/// How far the log has been read, and what it has come to.
#[derive(Debug, Clone, Default)]
pub(super) struct Fold {
    /// Events of the log that were read, which is the place of the next.
    pub(super) next: u64,
    /// The last of them; tells this log from another.
    pub(super) last: Uuid,
    /// Events of streams among them.
    pub(super) position: u64,
    /// Epochs of the leases that have been taken.
    pub(super) epochs: BTreeMap<Arc<str>, Epoch>,
    /// A unit whose other events are still to come.
    open: Vec<Written>,
    /// A large unit whose other parts are still to come.
    parts: Option<Parts>,
    /// The node that is to append next, and since when.
    turn: Option<(Uuid, Instant)>,
}

/// How long others are given to finish a unit in parts, which an append of ours would undo.
const PARTS_WITHIN: Duration = Duration::from_secs(2);
/// And how long a node whose turn it is.
const TURN_WITHIN: Duration = Duration::from_millis(500);

#[derive(Debug, Clone)]
struct Parts {
    unit: Uuid,
    of: u64,
    pieces: Vec<Bytes>,
    since: Instant,
}

/// A unit of the log.
#[derive(Debug)]
pub(super) struct Folded {
    pub(super) first: u64,
    pub(super) unit: Unit,
}

impl Fold {
    pub(super) fn at(
        next: u64,
        last: Uuid,
        position: u64,
        epochs: BTreeMap<Arc<str>, Epoch>,
    ) -> Self {
        Self { next, last, position, epochs, ..Self::default() }
    }

    /// Takes in the next event; the unit that is complete with it.
    pub(super) fn take(&mut self, event: &LogEvent) -> Result<Option<Folded>, JournalError> {
        if event.place != self.next {
            return Err(event.corrupt(&format!(
                "event {} is missing: the log was truncated ($maxCount, $maxAge, $tb), and must be \
                 kept whole",
                self.next
            )));
        }
        let meaning = event.meaning()?;
        if !self.open.is_empty() && !matches!(meaning, Meaning::Event(_)) {
            return Err(event.corrupt("it breaks into a unit"));
        }
        if !matches!(meaning, Meaning::Foreign) {
            self.turn = None;
        }
        let folded = match meaning {
            Meaning::Turn(turn) => {
                self.parts = None;
                self.turn = Some((turn.node, Instant::now()));
                None
            }
            Meaning::Foreign => {
                tracing::warn!(
                    place = event.place,
                    event_type = event.event_type,
                    "an event in the log is somebody else's; it is passed over"
                );
                None
            }
            Meaning::Opening => {
                self.parts = None;
                None
            }
            Meaning::Passed(passed) => {
                self.parts = None;
                let epoch = self.epochs.entry(passed.lease).or_default();
                *epoch = passed.epoch.max(*epoch);
                None
            }
            Meaning::Event(written) => {
                self.parts = None;
                self.add(*written, event)?
            }
            Meaning::Part { unit, index, of, piece } => match self.part(unit, index, of, piece) {
                None => None,
                Some(pieces) => self.assemble(event, &pieces)?,
            },
        };
        self.next += 1;
        self.last = event.id;
        Ok(folded)
    }

    /// Until when it is for others than `node` to append.
    pub(super) fn is_for_others_until(&self, node: Uuid) -> Option<Instant> {
        let turn = self.turn.filter(|(whose, _)| *whose != node);
        let turn = turn.map(|(_, since)| since + TURN_WITHIN);
        turn.max(self.parts.as_ref().map(|parts| parts.since + PARTS_WITHIN))
    }

    /// Nothing is half there, so that this can be gone on from.
    pub(super) fn is_at_rest(&self) -> bool {
        self.open.is_empty() && self.parts.is_none()
    }

    fn add(&mut self, written: Written, event: &LogEvent) -> Result<Option<Folded>, JournalError> {
        let wanted = self.position + self.open.len() as u64 + 1;
        let at = Some(Position(wanted));
        if written.position != wanted {
            let what = format!("it says it is at position {}", written.position);
            return Err(corrupt(event.place, at, &what));
        }
        let first = self.open.first();
        if written.index != self.open.len() as u64
            || first.is_some_and(|first| first.size != written.size)
            || (written.index == 0) != written.metadata.is_some()
        {
            return Err(corrupt(event.place, at, "it does not go on with its unit"));
        }
        let complete = written.index + 1 == written.size;
        self.open.push(written);
        if !complete {
            return Ok(None);
        }
        let events = std::mem::take(&mut self.open);
        let first = self.position + 1;
        self.position += events.len() as u64;
        Ok(unit(events).map(|unit| Folded { first, unit }))
    }

    /// All pieces, once this was the last. Parts count only if nothing of ours comes between.
    fn part(&mut self, unit: Uuid, index: u64, of: u64, piece: Bytes) -> Option<Vec<Bytes>> {
        if index == 0 {
            self.parts = Some(Parts { unit, of, pieces: Vec::new(), since: Instant::now() });
        }
        let goes_on = self
            .parts
            .as_ref()
            .is_some_and(|p| p.unit == unit && p.of == of && p.pieces.len() as u64 == index);
        let mut parts = self.parts.take().filter(|_| goes_on)?;
        parts.pieces.push(piece);
        parts.since = Instant::now();
        if parts.pieces.len() as u64 == of {
            return Some(parts.pieces);
        }
        self.parts = Some(parts);
        None
    }

    fn assemble(
        &mut self,
        event: &LogEvent,
        pieces: &[Bytes],
    ) -> Result<Option<Folded>, JournalError> {
        let mut folded = None;
        for written in event.assembled(pieces)? {
            if folded.is_some() {
                return Err(event.corrupt("its parts hold more than a unit"));
            }
            folded = self.add(written, event)?;
        }
        if folded.is_none() {
            return Err(event.corrupt("its parts hold no unit"));
        }
        Ok(folded)
    }
}

/// The events as the unit they were; they come group by group.
fn unit(events: Vec<Written>) -> Option<Unit> {
    let first = events.first()?;
    let mut unit = Unit::new(Vec::new(), first.metadata.clone()?);
    unit.recorded = Some(first.recorded);
    for written in events {
        match unit.groups.last_mut() {
            Some(group) if group.stream == written.stream => group.events.push(written.event),
            _ => unit.groups.push(Group {
                stream: written.stream,
                expected: written.version.saturating_sub(1),
                events: vec![written.event],
            }),
        }
    }
    Some(unit)
}
