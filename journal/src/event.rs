//! What goes into a journal and what comes out of it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{Category, Epoch, Fence, Position, StreamId, Version};

/// The name of an event type, such as `order.placed`; interned like a [`Category`].
pub type EventType = Category;

/// An event on its way into the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Unique over all journals; consumers drop repeats by it.
    pub id: Uuid,
    pub event_type: EventType,
    /// Version of the payload's schema, from 1.
    pub schema_version: u16,
    /// The payload: one JSON value, kept as it is.
    pub payload: Arc<str>,
    /// Business time: prices, deadlines and `--at` go by it.
    pub occurred: DateTime<Utc>,
}

/// Events for one stream, with the version that stream must have now (0: no such stream).
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub stream: StreamId,
    pub expected: Version,
    pub events: Vec<NewEvent>,
}

/// Groups that are appended together or not at all. A stream appears in one group only.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// May be empty if `reads` is not: then the unit only asks whether these still hold.
    pub groups: Vec<Group>,
    /// Who, on whose behalf, which request, caused by what: one JSON object for all events.
    pub metadata: Arc<str>,
    /// Streams that the decision rests on but does not write, at the versions it saw (0: none).
    /// If one is at another version by now, the unit conflicts.
    pub reads: Vec<(StreamId, Version)>,
    /// The lease under which it was decided. Once that has passed on, nothing is appended.
    pub fence: Option<Fence>,
    /// When it was recorded in the journal it is copied from; `None` is now.
    pub recorded: Option<DateTime<Utc>>,
}

impl Unit {
    /// A unit that rests on the streams it writes alone, recorded when it is appended.
    #[must_use]
    pub fn new(groups: Vec<Group>, metadata: Arc<str>) -> Self {
        Self { groups, metadata, reads: Vec::new(), fence: None, recorded: None }
    }
}

/// What became of one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Durable. `first..=last` are the positions of its events, in the order given;
    /// where positions are dense they are contiguous.
    Committed { first: Position, last: Position },
    /// Nothing of this unit was appended: `stream` was at `actual`, not at `expected`.
    Conflict { stream: StreamId, expected: Version, actual: Version },
    /// A unit without groups: all it read was still so when the journal ended at `at`.
    Holds { at: Position },
    /// Nothing of this unit was appended: its lease is at `epoch` by now.
    Fenced { epoch: Epoch },
}

/// An event on record.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    pub position: Position,
    pub stream: StreamId,
    /// Place in its stream, from 1, without gaps.
    pub version: Version,
    pub id: Uuid,
    pub event_type: EventType,
    pub schema_version: u16,
    pub payload: Arc<str>,
    pub metadata: Arc<str>,
    pub occurred: DateTime<Utc>,
    pub recorded: DateTime<Utc>,
}
