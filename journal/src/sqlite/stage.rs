//! Turning waiting units into verdicts and chunks, within one open transaction.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::chunks;
use super::fault::WriteFault;
use super::hash::QuickMap;
use super::heads::Head;
use super::record::ChunkBuilder;
use super::saver::HeadSaver;
use super::shared::Shared;
use super::tail::Linked;
use crate::check::whole_micros;
use crate::held::hold;
use crate::{JournalError, Position, Recorded, StreamId, Unit, Verdict};

/// A chunk is written once it has this many bytes.
const CHUNK_BYTES: usize = 8_000;

/// What one transaction will have done once it is durable.
pub(super) struct Stage<'a> {
    pub(super) connection: &'a Connection,
    pub(super) shared: &'a Shared,
    pub(super) saver: &'a mut HeadSaver,
    pub(super) builder: &'a mut ChunkBuilder,
    pub(super) recorded: DateTime<Utc>,
    pub(super) outcome: Outcome,
    /// Heads of the unit at hand, group by group.
    pub(super) unit_heads: Vec<Head>,
}

/// The part of it that outlives the transaction.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) head: u64,
    pub(super) chain: u32,
    pub(super) bytes: u64,
    pub(super) events: Vec<Linked>,
    /// Heads of the streams that have changed.
    pub(super) heads: QuickMap<StreamId, Head>,
}

impl Stage<'_> {
    /// Decides on a unit and, if it is to be, adds its events.
    pub(super) fn unit(&mut self, unit: Unit) -> Result<Verdict, WriteFault> {
        for (stream, expected) in &unit.reads {
            let actual = self.head_of(stream)?.version;
            if actual != *expected {
                let stream = stream.clone();
                return Ok(Verdict::Conflict { stream, expected: *expected, actual });
            }
        }
        self.unit_heads.clear();
        for group in &unit.groups {
            let head = self.head_of(&group.stream)?;
            self.unit_heads.push(head);
            let actual = head.version;
            if actual != group.expected {
                let stream = group.stream.clone();
                return Ok(Verdict::Conflict { stream, expected: group.expected, actual });
            }
        }
        if unit.groups.is_empty() {
            return Ok(Verdict::Holds { at: Position(self.outcome.head) });
        }
        let recorded = unit.recorded.map_or(self.recorded, whole_micros);
        let first = Position(self.outcome.head + 1);
        self.outcome.bytes += unit.metadata.len() as u64;
        for (index, group) in unit.groups.into_iter().enumerate() {
            // A stream is in one group only, so its head is still the one found above.
            let mut head = self.unit_heads[index];
            for event in group.events {
                let previous = head.position;
                self.outcome.head += 1;
                head = Head { position: self.outcome.head, version: head.version + 1 };
                self.outcome.bytes += event.payload.len() as u64;
                let event = Recorded {
                    position: Position(head.position),
                    stream: group.stream.clone(),
                    version: head.version,
                    id: event.id,
                    event_type: event.event_type,
                    schema_version: event.schema_version,
                    payload: event.payload,
                    metadata: Arc::clone(&unit.metadata),
                    occurred: whole_micros(event.occurred),
                    recorded,
                };
                self.builder.push(&event, previous);
                self.outcome.events.push(Linked { event, previous });
                if self.builder.bytes() >= CHUNK_BYTES {
                    self.write_chunk()?;
                }
            }
            self.outcome.heads.insert(group.stream, head);
        }
        Ok(Verdict::Committed { first, last: Position(self.outcome.head) })
    }

    /// Writes what is not yet in a chunk.
    pub(super) fn write_chunk(&mut self) -> Result<(), WriteFault> {
        if self.builder.is_empty() {
            return Ok(());
        }
        let count = self.builder.count();
        let first = self.outcome.head + 1 - u64::from(count);
        let body = self.builder.finish();
        self.outcome.chain =
            chunks::insert(self.connection, self.outcome.chain, first, count, body)?;
        self.builder.clear();
        Ok(())
    }

    fn head_of(&mut self, stream: &StreamId) -> Result<Head, JournalError> {
        if let Some(head) = self.outcome.heads.get(stream) {
            return Ok(*head);
        }
        let known = hold(&self.shared.heads).find(stream);
        match known {
            Some(head) => Ok(head),
            None => {
                let found = self.saver.look_up(self.connection, stream)?;
                Ok(found.unwrap_or(Head { position: 0, version: 0 }))
            }
        }
    }
}
