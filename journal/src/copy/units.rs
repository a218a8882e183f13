//! Events on record as units to append.

use std::collections::HashSet;

use crate::{Group, NewEvent, Recorded, StreamId, Unit};

/// Events of one unit: adapters that split what is too large for them would rather not.
const EVENTS_MAX: u64 = 256;
const BYTES_MAX: usize = 256 << 10;

/// Puts events that follow one another into units, in their order. A unit's events share metadata and
/// time, and a stream is in one group of it, so a stream that comes back begins a new unit.
pub(super) fn of(events: Vec<Recorded>) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    let mut streams: HashSet<StreamId> = HashSet::new();
    let (mut count, mut size) = (0, 0);
    for event in events {
        let goes_on = units.last().and_then(|unit| unit.groups.last());
        let same_stream = goes_on.is_some_and(|group| group.stream == event.stream);
        let fits = units.last().is_some_and(|unit| {
            unit.metadata == event.metadata
                && unit.recorded == Some(event.recorded)
                && (same_stream || !streams.contains(&event.stream))
                && count < EVENTS_MAX
                && size < BYTES_MAX
        });
        if !fits {
            streams.clear();
            (count, size) = (0, 0);
            let unit = Unit::new(Vec::new(), event.metadata);
            units.push(Unit { recorded: Some(event.recorded), ..unit });
        }
        count += 1;
        size += event.payload.len();
        let Some(unit) = units.last_mut() else { continue };
        if !(fits && same_stream) {
            streams.insert(event.stream.clone());
            let expected = event.version.saturating_sub(1);
            unit.groups.push(Group { stream: event.stream, expected, events: Vec::new() });
        }
        let Some(group) = unit.groups.last_mut() else { continue };
        group.events.push(NewEvent {
            id: event.id,
            event_type: event.event_type,
            schema_version: event.schema_version,
            payload: event.payload,
            occurred: event.occurred,
        });
    }
    units
}

pub(super) fn events(unit: &Unit) -> u64 {
    unit.groups.iter().map(|group| group.events.len() as u64).sum()
}

pub(super) fn bytes(unit: &Unit) -> usize {
    let payloads = unit.groups.iter().flat_map(|group| &group.events);
    unit.metadata.len() + payloads.map(|event| event.payload.len()).sum::<usize>()
}
