//! Units as the arrays that `tillroll_append` takes, and its answer as verdicts.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres, Row};
use uuid::Uuid;

use crate::check::whole_micros;
use crate::{Group, JournalError, Position, Recorded, StreamId, StreamKey, Unit, Verdict};

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
        for group in &unit.groups {
            if let StreamKey::Text(key) = &group.stream.key {
                if key.len() > KEY_BYTES_MAX {
                    return invalid(format!("a stream key of {} bytes", key.len()));
                }
                if key.contains('\0') {
                    return invalid("a stream key with U+0000".to_owned());
                }
            }
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
}

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
            columns.unit_groups.push(number(unit.groups.len()));
            columns.unit_metadata.push(&unit.metadata);
            for group in &unit.groups {
                let stream = *streams.entry(&group.stream).or_insert_with(|| {
                    columns.stream_types.push(group.stream.category.as_str());
                    columns.stream_keys.push(group.stream.key.to_string());
                    columns.stream_expected.push(big(group.expected));
                    number(columns.stream_keys.len())
                });
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
            "SELECT firsts, refused, actual, recorded FROM tillroll_append(\
             $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
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
    let mut appended = Appended { verdicts: Vec::with_capacity(units.len()), events: Vec::new() };
    let mut groups_before = 0;
    let answers = firsts.into_iter().zip(refused).zip(actual);
    for (unit, ((first, refused), actual)) in units.iter().zip(answers) {
        if let Some(first) = first.and_then(|first| u64::try_from(first).ok()) {
            let last = record(unit, first, recorded, &mut appended.events);
            appended.verdicts.push(Verdict::Committed { first: Position(first), last });
        } else {
            let refused = refused.and_then(|group| usize::try_from(group).ok()).unwrap_or(1);
            let group = refused.checked_sub(groups_before + 1).and_then(|g| unit.groups.get(g));
            let group = group.or(unit.groups.first()).ok_or(sqlx::Error::RowNotFound)?;
            appended.verdicts.push(Verdict::Conflict {
                stream: group.stream.clone(),
                expected: group.expected,
                actual: actual.and_then(|actual| u64::try_from(actual).ok()).unwrap_or_default(),
            });
        }
        groups_before += unit.groups.len();
    }
    if appended.verdicts.len() != units.len() {
        return Err(sqlx::Error::Protocol("a verdict is missing".to_owned()));
    }
    Ok(appended)
}

/// The events of a committed unit as they are read back; the position of the last.
fn record(unit: &Unit, first: u64, recorded: DateTime<Utc>, into: &mut Vec<Recorded>) -> Position {
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
