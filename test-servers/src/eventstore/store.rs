//! What the double keeps: streams of events, and the server's rules for appending to them.

use std::collections::HashMap;

use uuid::Uuid;

/// What the server allows in one append unless it is told otherwise.
pub const APPEND_BYTES_MAX: usize = 1 << 20;

#[derive(Debug, Clone)]
pub struct Stored {
    pub id: Uuid,
    pub metadata: HashMap<String, String>,
    pub custom: Vec<u8>,
    pub data: Vec<u8>,
    /// Its place over all streams.
    pub place: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    Any,
    NoStream,
    Exists,
    Revision(u64),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    Wrong { current: Option<u64> },
    TooLarge,
    Deleted,
}

#[derive(Debug, Default)]
pub struct Store {
    streams: HashMap<String, Stream>,
    places: u64,
}

#[derive(Debug, Default, Clone)]
struct Stream {
    events: Vec<Stored>,
    deleted: bool,
}

impl Store {
    /// Appends all or nothing, and answers a repeated append as the first time: the last revision.
    pub fn append(
        &mut self,
        name: &str,
        expected: Expected,
        events: Vec<Stored>,
    ) -> Result<u64, Refusal> {
        let size: usize = events
            .iter()
            .map(|e| e.data.len() + e.custom.len() + 2 * e.metadata["type"].len())
            .sum();
        if size > APPEND_BYTES_MAX {
            return Err(Refusal::TooLarge);
        }
        let stream = self.streams.entry(name.to_owned()).or_default();
        if stream.deleted {
            return Err(Refusal::Deleted);
        }
        let length = stream.events.len() as u64;
        let current = length.checked_sub(1);
        let after = match expected {
            Expected::Any => length,
            Expected::NoStream => 0,
            Expected::Exists if length == 0 => return Err(Refusal::Wrong { current }),
            Expected::Exists => length,
            Expected::Revision(revision) => revision + 1,
        };
        if after > length {
            return Err(Refusal::Wrong { current });
        }
        if after < length {
            let there = &stream.events[after as usize..];
            let same =
                there.len() >= events.len() && there.iter().zip(&events).all(|(a, b)| a.id == b.id);
            return if same && !events.is_empty() {
                Ok(after + events.len() as u64 - 1)
            } else {
                Err(Refusal::Wrong { current })
            };
        }
        for mut event in events {
            self.places += 1;
            event.place = self.places;
            stream.events.push(event);
        }
        Ok((stream.events.len() as u64).saturating_sub(1))
    }

    /// Events from `from` on with their revisions, as far as they are still visible; `None` for a
    /// stream that is not there.
    pub fn forwards(&self, name: &str, from: u64, max: u64) -> Option<Vec<(u64, Stored)>> {
        let (first, stream) = self.visible(name)?;
        let from = from.max(first);
        let length = stream.events.len() as u64;
        let until = from.saturating_add(max).min(length);
        Some((from..until).map(|r| (r, stream.events[r as usize].clone())).collect())
    }

    pub fn backwards(&self, name: &str, from: u64, max: u64) -> Option<Vec<(u64, Stored)>> {
        let (first, stream) = self.visible(name)?;
        let length = stream.events.len() as u64;
        let revisions = (first..length).rev().filter(|r| *r <= from);
        Some(
            revisions
                .take(usize::try_from(max).unwrap_or(usize::MAX))
                .map(|r| (r, stream.events[r as usize].clone()))
                .collect(),
        )
    }

    fn visible(&self, name: &str) -> Option<(u64, &Stream)> {
        let stream = self.streams.get(name).filter(|stream| !stream.events.is_empty())?;
        let meta = self.streams.get(&format!("$${name}")).and_then(|meta| meta.events.last());
        let meta: serde_json::Value =
            meta.and_then(|meta| serde_json::from_slice(&meta.data).ok()).unwrap_or_default();
        let length = stream.events.len() as u64;
        let by_count = meta["$maxCount"].as_u64().map_or(0, |max| length.saturating_sub(max));
        let truncated = meta["$tb"].as_u64().unwrap_or(0);
        // As the server marks a stream that is deleted softly.
        let deleted = truncated == i64::MAX as u64;
        (!deleted).then_some((by_count.max(truncated), stream))
    }

    pub fn is_deleted(&self, name: &str) -> bool {
        self.streams.get(name).is_some_and(|stream| stream.deleted)
    }

    pub fn delete(&mut self, name: &str) {
        self.streams.entry(name.to_owned()).or_default().deleted = true;
    }

    /// Undoes what was appended after `revision`: as a server restored from an older copy.
    pub fn roll_back(&mut self, name: &str, revision: u64) {
        if let Some(stream) = self.streams.get_mut(name) {
            stream.events.truncate(revision as usize + 1);
        }
    }
}
