//! Events of the log on their way to the server.

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use eventstore::EventData;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::faults::Failure;
use super::log::{
    EPOCH, FORMAT, LogEvent, Mark, OPENING, Opening, PART, PartMark, Passed, Record, TURN, Turn,
};
use crate::check::whole_micros;
use crate::{Epoch, Group, JournalError, JournalId, Unit};

/// What the server adds to an event of ours, and what gRPC does, at most.
const OVERHEAD: usize = 120;

/// Years a time is written in by four digits.
const YEARS: std::ops::RangeInclusive<i32> = 0..=9_999;

/// One event as it will be in the log.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) id: Uuid,
    event_type: String,
    data: Bytes,
    metadata: Bytes,
    is_json: bool,
}

impl Draft {
    fn control(event_type: &str, data: &impl Serialize) -> Result<Self, JournalError> {
        #[derive(Serialize)]
        struct Bare {
            tillroll: u32,
        }
        Ok(Self {
            id: Uuid::now_v7(),
            event_type: event_type.to_owned(),
            data: json(data)?.into(),
            metadata: json(&Bare { tillroll: FORMAT })?.into(),
            is_json: true,
        })
    }

    /// The log's first event.
    pub(super) fn opening(journal: JournalId) -> Result<Self, JournalError> {
        Self::control(OPENING, &Opening { journal, format: FORMAT })
    }

    /// From here on nothing counts that was decided under an earlier epoch of the lease.
    pub(super) fn epoch(lease: &str, epoch: Epoch) -> Result<Self, JournalError> {
        Self::control(EPOCH, &Passed { lease: lease.into(), epoch })
    }

    /// Others are to let this node append next.
    pub(super) fn turn(node: Uuid) -> Result<Self, JournalError> {
        Self::control(TURN, &Turn { node })
    }

    /// An event of a stream that is not a log.
    pub(super) fn plain(event_type: &str, data: &impl Serialize) -> Result<Self, JournalError> {
        Self::control(event_type, data)
    }

    /// Bytes as the server counts them, and a little more.
    pub(super) fn weight(&self) -> usize {
        self.data.len() + self.metadata.len() + 2 * self.event_type.len() + OVERHEAD
    }

    pub(super) fn event(&self) -> Result<EventData, Failure> {
        let unsound = |error: serde_json::Error| {
            Failure::Refused(JournalError::Invalid(format!("not JSON after all: {error}")))
        };
        let event = if self.is_json {
            // Parsed to be kept as it is: the client takes JSON as something to serialise.
            let value: &RawValue = serde_json::from_slice(&self.data).map_err(unsound)?;
            EventData::json(&self.event_type, &value).map_err(unsound)?
        } else {
            EventData::binary(&self.event_type, self.data.clone())
        };
        Ok(event.id(self.id).metadata(self.metadata.clone()))
    }

    /// As it is read back once it is the `place`th event of the log.
    pub(super) fn read_back(&self, place: u64) -> LogEvent {
        LogEvent {
            place,
            id: self.id,
            event_type: self.event_type.clone(),
            data: self.data.clone(),
            metadata: self.metadata.clone(),
        }
    }
}

/// A unit as events of the log; `first` is the position of its first.
pub(super) fn of_unit(
    unit: &Unit,
    first: u64,
    now: DateTime<Utc>,
) -> Result<Vec<Draft>, JournalError> {
    let recorded = time(unit.recorded.unwrap_or(now));
    let size = unit.groups.iter().map(|group| group.events.len()).sum::<usize>();
    let size = u32::try_from(size)
        .map_err(|_| JournalError::Invalid(format!("a unit of {size} events")))?;
    let mut drafts = Vec::with_capacity(size as usize);
    for group in &unit.groups {
        add(group, unit, first, size, &recorded, &mut drafts)?;
    }
    Ok(drafts)
}

/// About what [`of_unit`] would weigh, without the work.
pub(super) fn about(unit: &Unit) -> usize {
    const MARK: usize = 260;
    let events = unit.groups.iter().flat_map(|group| &group.events);
    unit.metadata.len() + events.map(|event| event.payload.len() + MARK + OVERHEAD).sum::<usize>()
}

fn add(
    group: &Group,
    unit: &Unit,
    first: u64,
    size: u32,
    recorded: &str,
    drafts: &mut Vec<Draft>,
) -> Result<(), JournalError> {
    let stream = group.stream.to_string();
    for (event, version) in group.events.iter().zip(group.expected + 1..) {
        let value = event.payload.trim_matches(WHITE);
        let before = event.payload.len() - event.payload.trim_start_matches(WHITE).len();
        let after = event.payload.len() - before - value.len();
        let around = (before + after > 0).then(|| {
            let end = event.payload.len() - after;
            (event.payload[..before].into(), event.payload[end..].into())
        });
        let index = drafts.len() as u64;
        let metadata = match index {
            0 => Some(metadata(&unit.metadata)?),
            _ => None,
        };
        let mark = Mark {
            tillroll: FORMAT,
            stream: stream.as_str().into(),
            version,
            position: first + index,
            schema_version: event.schema_version,
            occurred: time(event.occurred).into(),
            recorded: recorded.into(),
            unit: (index, u64::from(size)),
            around,
            metadata: metadata.as_deref(),
        };
        drafts.push(Draft {
            id: event.id,
            event_type: event.event_type.as_str().to_owned(),
            data: Bytes::copy_from_slice(value.as_bytes()),
            metadata: json(&mark)?.into(),
            is_json: true,
        });
    }
    Ok(())
}

/// What JSON allows around a value.
const WHITE: &[char] = &[' ', '\t', '\n', '\r'];

/// The text as a JSON value: itself, or a string of it if more than its meaning is to be kept.
fn metadata(text: &str) -> Result<Box<RawValue>, JournalError> {
    let trimmed = text.trim_matches(WHITE).len() == text.len();
    let value = if trimmed { text.to_owned() } else { serde_json::Value::from(text).to_string() };
    RawValue::from_string(value)
        .map_err(|error| JournalError::Invalid(format!("metadata that is not JSON: {error}")))
}

/// What one append cannot hold is one text, cut up: it counts once its last part is there.
pub(super) fn in_parts(drafts: &[Draft], bytes_max: usize) -> Result<Vec<Draft>, JournalError> {
    let unsound = |error: serde_json::Error| JournalError::Invalid(error.to_string());
    let mut records = Vec::with_capacity(drafts.len());
    for draft in drafts {
        records.push(Record {
            id: draft.id,
            event_type: draft.event_type.as_str().into(),
            data: serde_json::from_slice(&draft.data).map_err(unsound)?,
            metadata: serde_json::from_slice(&draft.metadata).map_err(unsound)?,
        });
    }
    let whole = Bytes::from(json(&records)?);
    let piece = bytes_max.saturating_sub(512).max(1_024);
    let of = whole.len().div_ceil(piece);
    let unit = Uuid::now_v7();
    (0..of)
        .map(|index| {
            let mark = PartMark { tillroll: FORMAT, unit, part: (index as u64, of as u64) };
            let end = whole.len().min((index + 1) * piece);
            Ok(Draft {
                id: Uuid::now_v7(),
                event_type: PART.to_owned(),
                data: whole.slice(index * piece..end),
                metadata: json(&mark)?.into(),
                is_json: false,
            })
        })
        .collect()
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, JournalError> {
    serde_json::to_vec(value).map_err(|error| JournalError::Invalid(error.to_string()))
}

fn time(time: DateTime<Utc>) -> String {
    whole_micros(time).to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Refuses what the port allows but the log cannot keep.
pub(super) fn keepable(units: &[Unit]) -> Result<(), JournalError> {
    use chrono::Datelike;
    let invalid = |what: String| Err(JournalError::Invalid(what));
    for unit in units {
        let events = unit.groups.iter().flat_map(|group| &group.events);
        for event in events {
            let event_type = event.event_type.as_str();
            if event_type.starts_with('$') || event_type.starts_with("tillroll.") {
                return invalid(format!("an event of type {event_type}, which is reserved"));
            }
            if !YEARS.contains(&event.occurred.year()) {
                return invalid(format!("an event of the year {}", event.occurred.year()));
            }
        }
        if unit.recorded.is_some_and(|recorded| !YEARS.contains(&recorded.year())) {
            return invalid("a unit recorded in no year of four digits".to_owned());
        }
    }
    Ok(())
}
