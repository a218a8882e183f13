//! Events of the log as they come from the server: what is written in them.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{Epoch, EventType, JournalError, JournalId, NewEvent, Position, StreamId, Version};

/// Of the log's contents; the newest this program reads.
pub(super) const FORMAT: u32 = 1;
/// Types of our own, which no event of a stream may have.
pub(super) const OPENING: &str = "tillroll.journal";
pub(super) const EPOCH: &str = "tillroll.epoch";
pub(super) const PART: &str = "tillroll.part";
pub(super) const TURN: &str = "tillroll.turn";

/// An event of the log.
#[derive(Debug, Clone)]
pub(super) struct LogEvent {
    /// From 0, without gaps.
    pub(super) place: u64,
    pub(super) id: Uuid,
    pub(super) event_type: String,
    pub(super) data: Bytes,
    pub(super) metadata: Bytes,
}

impl From<eventstore::RecordedEvent> for LogEvent {
    fn from(event: eventstore::RecordedEvent) -> Self {
        Self {
            place: event.revision,
            id: event.id,
            event_type: event.event_type,
            data: event.data,
            metadata: event.custom_metadata,
        }
    }
}

/// What the metadata of an event of a stream says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Mark<'a> {
    /// Says that the event is ours, and by which format.
    pub(super) tillroll: u32,
    #[serde(borrow)]
    pub(super) stream: Cow<'a, str>,
    pub(super) version: Version,
    pub(super) position: u64,
    pub(super) schema_version: u16,
    #[serde(borrow)]
    pub(super) occurred: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) recorded: Cow<'a, str>,
    /// Which of how many events of its unit it is, from 0.
    pub(super) unit: (u64, u64),
    /// White space around the payload, which the server does not keep.
    #[serde(borrow, skip_serializing_if = "Option::is_none", default)]
    pub(super) around: Option<(Cow<'a, str>, Cow<'a, str>)>,
    /// The unit's, with its first event.
    #[serde(borrow, skip_serializing_if = "Option::is_none", default)]
    pub(super) metadata: Option<&'a RawValue>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PartMark {
    pub(super) tillroll: u32,
    pub(super) unit: Uuid,
    /// Which of how many, from 0.
    pub(super) part: (u64, u64),
}

/// An event within the text that parts make up.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record<'a> {
    pub(super) id: Uuid,
    #[serde(rename = "type", borrow)]
    pub(super) event_type: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) data: &'a RawValue,
    #[serde(borrow)]
    pub(super) metadata: &'a RawValue,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Opening {
    pub(super) journal: JournalId,
    pub(super) format: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Passed {
    pub(super) lease: Arc<str>,
    pub(super) epoch: Epoch,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Turn {
    pub(super) node: Uuid,
}

/// What an event of the log is to the journal.
#[derive(Debug)]
pub(super) enum Meaning {
    Opening,
    Event(Box<Written>),
    Part {
        unit: Uuid,
        index: u64,
        of: u64,
        piece: Bytes,
    },
    Passed(Passed),
    /// A node that others were always ahead of asks to be next.
    Turn(Turn),
    /// Somebody else's.
    Foreign,
}

/// An event of a stream, with what its mark says.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) event: NewEvent,
    pub(super) stream: StreamId,
    pub(super) version: Version,
    pub(super) position: u64,
    pub(super) recorded: DateTime<Utc>,
    pub(super) index: u64,
    pub(super) size: u64,
    pub(super) metadata: Option<Arc<str>>,
}

impl LogEvent {
    pub(super) fn meaning(&self) -> Result<Meaning, JournalError> {
        #[derive(Deserialize)]
        struct Sign {
            tillroll: u32,
        }
        let format = match serde_json::from_slice::<Sign>(&self.metadata) {
            // An array would do for the fields of an object, too.
            Ok(sign) if self.metadata.trim_ascii_start().starts_with(b"{") => sign.tillroll,
            _ => return Ok(Meaning::Foreign),
        };
        if format > FORMAT {
            return Err(JournalError::NewerFormat { found: format, supported: FORMAT });
        }
        match self.event_type.as_str() {
            OPENING => Ok(Meaning::Opening),
            EPOCH => Ok(Meaning::Passed(self.parse(&self.data)?)),
            TURN => Ok(Meaning::Turn(self.parse(&self.data)?)),
            PART => {
                let mark: PartMark = self.parse(&self.metadata)?;
                let (index, of) = mark.part;
                Ok(Meaning::Part { unit: mark.unit, index, of, piece: self.data.clone() })
            }
            event_type => {
                let mark: Mark<'_> = self.parse(&self.metadata)?;
                let data = std::str::from_utf8(&self.data)
                    .map_err(|_| self.corrupt("its data is not UTF-8"))?;
                let written = self.written(self.id, event_type, data, &mark)?;
                Ok(Meaning::Event(Box::new(written)))
            }
        }
    }

    /// What the first event says of the log.
    pub(super) fn opening(&self) -> Result<Option<Opening>, JournalError> {
        match self.meaning()? {
            Meaning::Opening => self.parse(&self.data).map(Some),
            _ => Ok(None),
        }
    }

    /// The events in the text whose last part this is.
    pub(super) fn assembled(&self, pieces: &[Bytes]) -> Result<Vec<Written>, JournalError> {
        let whole = pieces.concat();
        let records: Vec<Record<'_>> = self.parse(&whole)?;
        records
            .iter()
            .map(|record| {
                let mark: Mark<'_> = self.parse(record.metadata.get().as_bytes())?;
                self.written(record.id, &record.event_type, record.data.get(), &mark)
            })
            .collect()
    }

    fn written(
        &self,
        id: Uuid,
        event_type: &str,
        data: &str,
        mark: &Mark<'_>,
    ) -> Result<Written, JournalError> {
        let payload = match &mark.around {
            None => Arc::from(data),
            Some((before, after)) => Arc::from(format!("{before}{data}{after}")),
        };
        let metadata = match mark.metadata.map(RawValue::get) {
            Some(text) if text.starts_with('"') => {
                Some(Arc::from(self.parse::<Cow<'_, str>>(text.as_bytes())?))
            }
            Some(text) => Some(Arc::from(text)),
            None => None,
        };
        Ok(Written {
            event: NewEvent {
                id,
                event_type: EventType::new(event_type),
                schema_version: mark.schema_version,
                payload,
                occurred: self.time(&mark.occurred)?,
            },
            stream: mark.stream.parse().map_err(|_| self.corrupt("a stream without a name"))?,
            version: mark.version,
            position: mark.position,
            recorded: self.time(&mark.recorded)?,
            index: mark.unit.0,
            size: mark.unit.1,
            metadata,
        })
    }

    fn time(&self, text: &str) -> Result<DateTime<Utc>, JournalError> {
        DateTime::parse_from_rfc3339(text)
            .map(|time| time.with_timezone(&Utc))
            .map_err(|_| self.corrupt("a time that is none"))
    }

    fn parse<'a, T: Deserialize<'a>>(&self, bytes: &'a [u8]) -> Result<T, JournalError> {
        serde_json::from_slice(bytes).map_err(|error| self.corrupt(&error.to_string()))
    }

    pub(super) fn corrupt(&self, what: &str) -> JournalError {
        corrupt(self.place, None, what)
    }
}

pub(super) fn corrupt(place: u64, at: Option<Position>, what: &str) -> JournalError {
    JournalError::Corrupt { at, problem: format!("event {place} of the log: {what}") }
}
