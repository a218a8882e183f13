//! What goes into a journal and what comes out of it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{Category, Position, StreamId, Version};

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
    pub groups: Vec<Group>,
    /// Who, on whose behalf, which request, caused by what: one JSON object for all events.
    pub metadata: Arc<str>,
}

/// What became of one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Durable. `first..=last` are the positions of its events, in the order given;
    /// where positions are dense they are contiguous.
    Committed { first: Position, last: Position },
    /// Nothing of this unit was appended: `stream` was at `actual`, not at `expected`.
    Conflict { stream: StreamId, expected: Version, actual: Version },
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
