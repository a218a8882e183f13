//! Units as the arrays that `tillroll_append` takes, and its answer as verdicts.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres, Row};
use uuid::Uuid;

use crate::check::whole_micros;
use crate::{Group, JournalError, Position, Recorded, StreamId, StreamKey, Unit, Verdict, Version};

/// Longest key: an index entry holds 2,704 bytes, and the category needs some of them.
const KEY_BYTES_MAX: usize = 2_048;
/// Most bytes of one unit with its metadata for each event; PostgreSQL ends at 1 GiB for a value.
const UNIT_BYTES_MAX: usize = 256 << 20;
/// Years PostgreSQL can tell the time in, with some to spare.
const YEARS: std::ops::RangeInclusive<i32> = -4_000..=200_000;

/// Refuses what the port allows but PostgreSQL cannot keep.
pub(super) fn keepable(units: &[Unit]) -> Result<(), JournalError> {
    use chrono::Datelike;
    let invalid = |what: String| Err(JournalError::Invalid(what));
    for unit in units {
        if weight(unit) > UNIT_BYTES_MAX {
            return invalid(format!("a unit of {} bytes, metadata with each event", weight(unit)));
        }
        let read = unit.reads.iter().map(|(stream, _)| stream);
        for stream in unit.groups.iter().map(|group| &group.stream).chain(read) {
            if let StreamKey::Text(key) = &stream.key {
                if key.len() > KEY_BYTES_MAX {
                    return invalid(format!("a stream key of {} bytes", key.len()));
                }
                if key.contains('\0') {
                    return invalid("a stream key with U+0000".to_owned());
                }
            }
        }
        for group in &unit.groups {
            for event in &group.events {
                if event.event_type.as_str().contains('\0') {
                    return invalid("an event type with U+0000".to_owned());
                }
                if !YEARS.contains(&event.occurred.year()) {
                    return invalid(format!("an event of the year {}", event.occurred.year()));
                }
            }
        }
    }
    Ok(())
}

/// Bytes of a unit on record.
pub(super) fn weight(unit: &Unit) -> usize {
    let events = unit.groups.iter().flat_map(|group| &group.events);
    events.fold(0, |sum: usize, event| {
        sum.saturating_add(event.payload.len()).saturating_add(unit.metadata.len())
    })
}

/// What became of a batch.
#[derive(Debug)]
pub(super) struct Appended {
    pub(super) verdicts: Vec<Verdict>,
    /// In order of position.
    pub(super) events: Vec<Recorded>,
}

#[derive(Debug, Default)]
struct Columns<'a> {
    stream_types: Vec<&'a str>,
    stream_keys: Vec<String>,
    stream_expected: Vec<i64>,
    unit_groups: Vec<i32>,
    unit_metadata: Vec<&'a str>,
    group_streams: Vec<i32>,
    group_expected: Vec<i64>,
    group_events: Vec<i32>,
    event_streams: Vec<i32>,
    event_units: Vec<i32>,
    event_ids: Vec<Uuid>,
    event_types: Vec<&'a str>,
    event_versions: Vec<String>,
    payloads: Vec<&'a str>,
    occurred: Vec<DateTime<Utc>>,
    unit_leases: Vec<Option<&'a str>>,
    unit_epochs: Vec<Option<i64>>,
    unit_recorded: Vec<Option<DateTime<Utc>>>,
}

/// A stream whose version is to be looked up, whatever a unit expects of it.
const LOOKED_UP: i64 = -1;

/// PostgreSQL counts array elements from 1.
fn number(len: usize) -> i32 {
    i32::try_from(len).unwrap_or(i32::MAX)
}

/// A number of ours that PostgreSQL cannot count to is met by no row.
pub(super) fn big(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl<'a> Columns<'a> {
    fn of(units: &[&'a Unit]) -> Self {
        let mut columns = Self::default();
        let mut streams: HashMap<&StreamId, i32> = HashMap::new();
        for unit in units {
            columns.unit_groups.push(number(unit.groups.len() + unit.reads.len()));
            columns.unit_metadata.push(&unit.metadata);
            columns.unit_leases.push(unit.fence.as_ref().map(|fence| &*fence.lease));
            columns.unit_epochs.push(unit.fence.as_ref().map(|fence| big(fence.epoch)));
            columns.unit_recorded.push(unit.recorded.map(whole_micros));
            let mut number_of = |columns: &mut Self, stream: &'a StreamId, expected: Version| {
                *streams.entry(stream).or_insert_with(|| {
                    columns.stream_types.push(stream.category.as_str());
                    columns.stream_keys.push(stream.key.to_string());
                    columns.stream_expected.push(big(expected));
                    number(columns.stream_keys.len())
                })
            };
            for (read, version) in &unit.reads {
                let stream = number_of(&mut columns, read, *version);
                // Where nothing is inserted the primary key cannot tell that a stream is not new.
                if *version == 0 {
                    columns.stream_expected[stream as usize - 1] = LOOKED_UP;
                }
                columns.group_streams.push(stream);
                columns.group_expected.push(big(*version));
                columns.group_events.push(0);
            }
            for group in &unit.groups {
                let stream = number_of(&mut columns, &group.stream, group.expected);
                columns.add(group, stream);
            }
        }
        columns
    }

    fn add(&mut self, group: &'a Group, stream: i32) {
        self.group_streams.push(stream);
        self.group_expected.push(big(group.expected));
        self.group_events.push(number(group.events.len()));
        for event in &group.events {
            self.event_streams.push(stream);
            self.event_units.push(number(self.unit_groups.len()));
            self.event_ids.push(event.id);
            self.event_types.push(event.event_type.as_str());
            self.event_versions.push(event.schema_version.to_string());
            self.payloads.push(&event.payload);
            self.occurred.push(whole_micros(event.occurred));
        }
    }

    fn query(self) -> Query<'a, Postgres, PgArguments> {
        sqlx::query(
            "SELECT firsts, refused, actual, recorded, fenced FROM tillroll_append(\
             $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        )
        .bind(self.stream_types)
        .bind(self.stream_keys)
        .bind(self.stream_expected)
        .bind(self.unit_groups)
        .bind(self.unit_metadata)
        .bind(self.group_streams)
        .bind(self.group_expected)
        .bind(self.group_events)
        .bind(self.event_streams)
        .bind(self.event_units)
        .bind(self.event_ids)
        .bind(self.event_types)
        .bind(self.event_versions)
        .bind(self.payloads)
        .bind(self.occurred)
        .bind(self.unit_leases)
        .bind(self.unit_epochs)
        .bind(self.unit_recorded)
    }
}

/// Appends `units` in one transaction and one round trip.
pub(super) async fn append(
    session: &mut PgConnection,
    units: &[&Unit],
) -> Result<Appended, sqlx::Error> {
    // The whole answer is read: only its end says that the transaction is committed.
    let rows = Columns::of(units).query().fetch_all(session).await?;
    let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    let firsts: Vec<Option<i64>> = row.try_get(0)?;
    let refused: Vec<Option<i32>> = row.try_get(1)?;
    let actual: Vec<Option<i64>> = row.try_get(2)?;
    let recorded: DateTime<Utc> = row.try_get(3)?;
    let fenced: Vec<Option<i64>> = row.try_get(4)?;
    let count = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
    let mut appended = Appended { verdicts: Vec::with_capacity(units.len()), events: Vec::new() };
    let mut groups_before = 0;
    let answers = firsts.into_iter().zip(refused).zip(actual).zip(fenced);
    for (unit, (((first, refused), actual), fenced)) in units.iter().zip(answers) {
        appended.verdicts.push(if let Some(first) = count(first) {
            if unit.groups.is_empty() {
                Verdict::Holds { at: Position(first - 1) }
            } else {
                let last = record(unit, first, recorded, &mut appended.events);
                Verdict::Committed { first: Position(first), last }
            }
        } else if let Some(epoch) = count(fenced) {
            Verdict::Fenced { epoch }
        } else {
            let read = unit.reads.iter().map(|(stream, version)| (stream, *version));
            let written = unit.groups.iter().map(|group| (&group.stream, group.expected));
            let refused = refused.and_then(|group| usize::try_from(group).ok()).unwrap_or_default();
            let (stream, expected) = refused
                .checked_sub(groups_before + 1)
                .and_then(|nth| read.chain(written).nth(nth))
                .ok_or_else(|| sqlx::Error::Protocol("a verdict on no stream".to_owned()))?;
            let actual = count(actual).unwrap_or_default();
            Verdict::Conflict { stream: stream.clone(), expected, actual }
        });
        groups_before += unit.reads.len() + unit.groups.len();
    }
    if appended.verdicts.len() != units.len() {
        return Err(sqlx::Error::Protocol("a verdict is missing".to_owned()));
    }
    Ok(appended)
}

/// The events of a committed unit as they are read back; the position of the last.
fn record(unit: &Unit, first: u64, recorded: DateTime<Utc>, into: &mut Vec<Recorded>) -> Position {
    let recorded = unit.recorded.map_or(recorded, whole_micros);
    let mut next = first;
    for group in &unit.groups {
        for (event, version) in group.events.iter().zip(group.expected + 1..) {
            into.push(Recorded {
                position: Position(next),
                stream: group.stream.clone(),
                version,
                id: event.id,
                event_type: event.event_type,
                schema_version: event.schema_version,
                payload: Arc::clone(&event.payload),
                metadata: Arc::clone(&unit.metadata),
                occurred: whole_micros(event.occurred),
                recorded,
            });
            next += 1;
        }
    }
    Position(next - 1)
}
