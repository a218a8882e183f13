//! The layout of a chunk: events that follow one another, in one row.
//!
//! A body is one version byte, then records and metadata entries in the order they were
//! added, then a table with the place of each record (u32 each), so that one record can be
//! read without its neighbours. Metadata and the time recorded are stored once for all the
//! records that share them. Numbers are little-endian, times microseconds since 1970 (UTC).

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{Category, JournalError, Position, Recorded, StreamId, StreamKey};

const LAYOUT: u8 = 1;
/// Stands where the length of a text key would: the key is a UUID.
const UUID_KEY: u16 = u16::MAX;
const FIXED: usize = 54;

/// Fills one body after the other.
#[derive(Debug, Default)]
pub(super) struct ChunkBuilder {
    body: Vec<u8>,
    places: Vec<u32>,
    shared: Option<(Arc<str>, DateTime<Utc>, u32)>,
}

impl ChunkBuilder {
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.body.len() + self.places.len() * 4
    }

    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.places.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn clear(&mut self) {
        self.body.clear();
        self.places.clear();
        self.shared = None;
    }

    /// Adds an event whose stream's previous event is at `previous` (0: none).
    pub(super) fn push(&mut self, event: &Recorded, previous: u64) {
        if self.body.is_empty() {
            self.body.push(LAYOUT);
        }
        let shared = self.shared_at(event);
        self.places.push(length(self.body.len()));
        let category = event.stream.category.as_str().as_bytes();
        let event_type = event.event_type.as_str().as_bytes();
        let (key_length, key): (u16, &[u8]) = match &event.stream.key {
            StreamKey::Uuid(id) => (UUID_KEY, id.as_bytes()),
            StreamKey::Text(text) => (text.len() as u16, text.as_bytes()),
        };
        let mut fixed = [0; FIXED];
        fixed[0..4].copy_from_slice(&shared.to_le_bytes());
        fixed[4..12].copy_from_slice(&event.version.to_le_bytes());
        fixed[12..20].copy_from_slice(&previous.to_le_bytes());
        fixed[20..28].copy_from_slice(&event.occurred.timestamp_micros().to_le_bytes());
        fixed[28..44].copy_from_slice(event.id.as_bytes());
        fixed[44..46].copy_from_slice(&event.schema_version.to_le_bytes());
        fixed[46..48].copy_from_slice(&key_length.to_le_bytes());
        fixed[48] = category.len() as u8;
        fixed[49] = event_type.len() as u8;
        fixed[50..54].copy_from_slice(&length(event.payload.len()).to_le_bytes());
        self.body.extend_from_slice(&fixed);
        self.body.extend_from_slice(key);
        self.body.extend_from_slice(category);
        self.body.extend_from_slice(event_type);
        self.body.extend_from_slice(event.payload.as_bytes());
    }

    fn shared_at(&mut self, event: &Recorded) -> u32 {
        if let Some((metadata, recorded, at)) = &self.shared
            && *recorded == event.recorded
            && (Arc::ptr_eq(metadata, &event.metadata) || *metadata == event.metadata)
        {
            return *at;
        }
        let at = length(self.body.len());
        self.body.extend_from_slice(&event.recorded.timestamp_micros().to_le_bytes());
        self.body.extend_from_slice(&length(event.metadata.len()).to_le_bytes());
        self.body.extend_from_slice(event.metadata.as_bytes());
        self.shared = Some((Arc::clone(&event.metadata), event.recorded, at));
        at
    }

    /// The finished body. Call [`Self::clear`] before the next one.
    pub(super) fn finish(&mut self) -> &[u8] {
        for place in &self.places {
            self.body.extend_from_slice(&place.to_le_bytes());
        }
        &self.body
    }
}

/// Fits because texts are limited to 64 MiB and a chunk takes no more once it is past its size.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Names met while decoding, so that the program-wide table is asked once for each.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<&'static str, Category>);

impl Names {
    fn name(&mut self, text: &str) -> Category {
        if let Some(known) = self.0.get(text) {
            return *known;
        }
        let name = Category::new(text);
        self.0.insert(name.as_str(), name);
        name
    }
}

/// The metadata last decoded, shared by the records that follow.
pub(super) type Memo = Option<(u64, u32, Arc<str>, DateTime<Utc>)>;

/// A body and where it stands. Bytes are not checked here but by the row's sums.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChunkView<'a> {
    pub(super) first: u64,
    pub(super) count: u32,
    pub(super) body: &'a [u8],
}

/// The part of a record which links a stream's events.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) version: u64,
    pub(super) previous: u64,
}

impl<'a> ChunkView<'a> {
    pub(super) fn link(&self, position: u64) -> Result<Link, JournalError> {
        let record = self.record(position)?;
        self.read_link(record, position)
    }

    fn read_link(&self, record: &[u8], position: u64) -> Result<Link, JournalError> {
        let link = Link { version: u64_at(record, 4), previous: u64_at(record, 12) };
        // A stream's first event has no previous one; all others point backwards.
        if link.version == 0
            || (link.version == 1) != (link.previous == 0)
            || link.previous >= position
        {
            return Err(corrupt(position, "impossible version or previous position"));
        }
        Ok(link)
    }

    pub(super) fn stream(
        &self,
        position: u64,
        names: &mut Names,
    ) -> Result<(StreamId, Link), JournalError> {
        let record = self.record(position)?;
        let link = self.read_link(record, position)?;
        let (stream, _) = read_stream(record, position, names)?;
        Ok((stream, link))
    }

    pub(super) fn recorded(
        &self,
        position: u64,
        names: &mut Names,
        memo: &mut Memo,
    ) -> Result<Recorded, JournalError> {
        let record = self.record(position)?;
        let (stream, rest) = read_stream(record, position, names)?;
        let type_length = usize::from(record[49]);
        let payload_length = u32_at(record, 50) as usize;
        let (event_type, rest) = split(rest, type_length, position)?;
        let (payload, _) = split(rest, payload_length, position)?;
        let (metadata, recorded) = self.shared(u32_at(record, 0), position, memo)?;
        Ok(Recorded {
            position: Position(position),
            stream,
            version: u64_at(record, 4),
            id: uuid_at(record, 28),
            event_type: names.name(text(event_type, position)?),
            schema_version: u16_at(record, 44),
            payload: Arc::from(text(payload, position)?),
            metadata,
            occurred: time(u64_at(record, 20) as i64, position)?,
            recorded,
        })
    }

    fn shared(
        &self,
        at: u32,
        position: u64,
        memo: &mut Memo,
    ) -> Result<(Arc<str>, DateTime<Utc>), JournalError> {
        if let Some((first, known, metadata, recorded)) = memo
            && *first == self.first
            && *known == at
        {
            return Ok((Arc::clone(metadata), *recorded));
        }
        let (_, entry) = split(self.body, at as usize, position)?;
        let (fixed, rest) = split(entry, 12, position)?;
        let (metadata, _) = split(rest, u32_at(fixed, 8) as usize, position)?;
        let metadata: Arc<str> = Arc::from(text(metadata, position)?);
        let recorded = time(u64_at(fixed, 0) as i64, position)?;
        *memo = Some((self.first, at, Arc::clone(&metadata), recorded));
        Ok((metadata, recorded))
    }

    /// The bytes from the record at `position` on; at least its fixed part.
    fn record(&self, position: u64) -> Result<&'a [u8], JournalError> {
        let bad = || corrupt(position, "no such record in its chunk");
        let index = position.checked_sub(self.first).ok_or_else(bad)?;
        if index >= u64::from(self.count) || self.body.first() != Some(&LAYOUT) {
            return Err(bad());
        }
        let table = self.body.len().checked_sub(self.count as usize * 4).ok_or_else(bad)?;
        let place = u32_at(self.body, table + index as usize * 4) as usize;
        let record = self.body.get(place..table).ok_or_else(bad)?;
        if record.len() < FIXED { Err(bad()) } else { Ok(record) }
    }
}

fn read_stream<'a>(
    record: &'a [u8],
    position: u64,
    names: &mut Names,
) -> Result<(StreamId, &'a [u8]), JournalError> {
    let key_length = u16_at(record, 46);
    let category_length = usize::from(record[48]);
    let rest = &record[FIXED..];
    let (key, rest) = if key_length == UUID_KEY {
        let (key, rest) = split(rest, 16, position)?;
        (StreamKey::Uuid(uuid_at(key, 0)), rest)
    } else {
        let (key, rest) = split(rest, usize::from(key_length), position)?;
        (StreamKey::Text(Arc::from(text(key, position)?)), rest)
    };
    let (category, rest) = split(rest, category_length, position)?;
    let category = names.name(text(category, position)?);
    Ok((StreamId::new(category, key), rest))
}

fn split(bytes: &[u8], at: usize, position: u64) -> Result<(&[u8], &[u8]), JournalError> {
    bytes.split_at_checked(at).ok_or_else(|| corrupt(position, "a record is cut short"))
}

fn text(bytes: &[u8], position: u64) -> Result<&str, JournalError> {
    std::str::from_utf8(bytes).map_err(|_| corrupt(position, "text is not UTF-8"))
}

fn time(micros: i64, position: u64) -> Result<DateTime<Utc>, JournalError> {
    DateTime::from_timestamp_micros(micros)
        .ok_or_else(|| corrupt(position, "a time is out of range"))
}

pub(super) fn corrupt(position: u64, problem: &str) -> JournalError {
    JournalError::Corrupt { at: Some(Position(position)), problem: problem.to_owned() }
}

// Callers have checked the length, so the zeroes stand for nothing that can happen.
fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..at + N).and_then(|slice| slice.try_into().ok()).unwrap_or([0; N])
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes_at(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes_at(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes_at(bytes, at))
}

fn uuid_at(bytes: &[u8], at: usize) -> Uuid {
    Uuid::from_bytes(bytes_at(bytes, at))
}
