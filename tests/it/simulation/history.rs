//! A log as the laws read it: every event decoded, with where and when it was recorded.

use domain::Timestamp;
use journal::{Recorded, StreamId};
use schemas::AnyEvent;
use uuid::Uuid;

#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) position: u64,
    pub(crate) stream: StreamId,
    pub(crate) version: u64,
    pub(crate) occurred: Timestamp,
    pub(crate) event: AnyEvent,
}

impl Fact {
    /// The key of its stream, for streams that are named by an id.
    pub(crate) fn key(&self) -> Uuid {
        self.stream.key.to_string().parse().unwrap_or_default()
    }
}

/// Decodes the log; an event that cannot be read breaks every law.
pub(crate) fn history(events: &[Recorded]) -> Vec<Fact> {
    let mut facts = Vec::with_capacity(events.len());
    for recorded in events {
        let name = recorded.event_type.as_str();
        let decoded = schemas::decode_any_all(name, recorded.schema_version, &recorded.payload)
            .unwrap_or_else(|error| panic!("position {}: {error}", recorded.position.0));
        facts.extend(decoded.into_iter().map(|event| Fact {
            position: recorded.position.0,
            stream: recorded.stream.clone(),
            version: recorded.version,
            occurred: recorded.occurred,
            event,
        }));
    }
    facts
}
