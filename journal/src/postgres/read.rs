//! Events read from the table.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgArguments, PgPool, PgRow};
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres, Row};
use uuid::Uuid;

use super::batch::big;
use super::faults::read_error;
use crate::{Category, EventType, JournalError, Position, Recorded, StreamId, Version};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT position, aggregate_type, aggregate_id, sequence, event_id, event_type, ",
            "event_version, payload::text, metadata::text, occurred_at, recorded_at FROM events ",
            $rest
        )
    };
}

fn limit(max: usize) -> i64 {
    i64::try_from(max).unwrap_or(i64::MAX)
}

/// After `after` up to `until`.
pub(super) async fn forwards(
    pool: &PgPool,
    after: u64,
    until: u64,
    max: usize,
) -> Result<Vec<Recorded>, JournalError> {
    let query =
        sqlx::query(select!("WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3"));
    events(query.bind(big(after)).bind(big(until)).bind(limit(max)), pool).await
}

/// From `until` backwards.
pub(super) async fn backwards(
    pool: &PgPool,
    until: u64,
    max: usize,
) -> Result<Vec<Recorded>, JournalError> {
    let query = sqlx::query(select!("WHERE position <= $1 ORDER BY position DESC LIMIT $2"));
    events(query.bind(big(until)).bind(limit(max)), pool).await
}

pub(super) async fn stream(
    pool: &PgPool,
    stream: &StreamId,
    after: Version,
    max: usize,
) -> Result<Vec<Recorded>, JournalError> {
    let query = sqlx::query(select!(
        "WHERE aggregate_type = $1 AND aggregate_id = $2 AND sequence > $3 \
         ORDER BY sequence LIMIT $4"
    ));
    let query = query.bind(stream.category.as_str()).bind(stream.key.to_string());
    events(query.bind(big(after)).bind(limit(max)), pool).await
}

pub(super) async fn version(pool: &PgPool, stream: &StreamId) -> Result<Version, JournalError> {
    let found: Option<i64> = sqlx::query(
        "SELECT sequence FROM events WHERE aggregate_type = $1 AND aggregate_id = $2 \
         ORDER BY sequence DESC LIMIT 1",
    )
    .bind(stream.category.as_str())
    .bind(stream.key.to_string())
    .fetch_optional(pool)
    .await
    .and_then(|row| row.map(|row| row.try_get(0)).transpose())
    .map_err(|error| read_error(&error))?;
    Ok(found.and_then(|version| u64::try_from(version).ok()).unwrap_or_default())
}

const HEAD: &str =
    "SELECT position FROM events WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1";

pub(super) async fn head(pool: &PgPool) -> Result<u64, JournalError> {
    let row = sqlx::query(HEAD).fetch_optional(pool).await;
    first_number(row)
}

pub(super) async fn head_by(session: &mut PgConnection) -> Result<u64, JournalError> {
    let row = sqlx::query(HEAD).fetch_optional(session).await;
    first_number(row)
}

fn first_number(row: Result<Option<PgRow>, sqlx::Error>) -> Result<u64, JournalError> {
    let found: Option<i64> = row
        .and_then(|row| row.map(|row| row.try_get(0)).transpose())
        .map_err(|error| read_error(&error))?;
    Ok(found.and_then(|head| u64::try_from(head).ok()).unwrap_or_default())
}

async fn events(
    query: Query<'_, Postgres, PgArguments>,
    pool: &PgPool,
) -> Result<Vec<Recorded>, JournalError> {
    let rows = query.fetch_all(pool).await.map_err(|error| read_error(&error))?;
    let mut events = Vec::with_capacity(rows.len());
    let mut same: Option<Arc<str>> = None;
    for row in rows {
        let event = recorded(&row, same.as_ref()).map_err(|error| read_error(&error))?;
        same = Some(Arc::clone(&event.metadata));
        events.push(event);
    }
    Ok(events)
}

/// The events of a unit have one metadata, which is kept once.
fn recorded(row: &PgRow, before: Option<&Arc<str>>) -> Result<Recorded, sqlx::Error> {
    let number = |column: usize| -> Result<u64, sqlx::Error> {
        let found: i64 = row.try_get(column)?;
        u64::try_from(found).map_err(|error| sqlx::Error::Decode(error.into()))
    };
    let metadata: &str = row.try_get(8)?;
    let metadata = match before {
        Some(before) if **before == *metadata => Arc::clone(before),
        _ => Arc::from(metadata),
    };
    let occurred: DateTime<Utc> = row.try_get(9)?;
    let recorded: DateTime<Utc> = row.try_get(10)?;
    let id: Uuid = row.try_get(4)?;
    Ok(Recorded {
        position: Position(number(0)?),
        stream: StreamId::of_text(Category::new(row.try_get(1)?), row.try_get(2)?),
        version: number(3)?,
        id,
        event_type: EventType::new(row.try_get(5)?),
        schema_version: schema_version(row.try_get(6)?),
        payload: Arc::from(row.try_get::<&str, _>(7)?),
        metadata,
        occurred,
        recorded,
    })
}

/// Ours are whole numbers; other programs write such as `1.0`, of which the first number counts.
fn schema_version(text: &str) -> u16 {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..digits].parse().map_or(1, |version: u16| version.max(1))
}

#[cfg(test)]
mod tests {
    #[test]
    fn versions_of_others_are_read_by_their_first_number() {
        let wanted =
            [("1", 1), ("65535", 65_535), ("2.1", 2), ("1.0.4", 1), ("", 1), ("v2", 1), ("0.9", 1)];
        for (text, version) in wanted {
            assert_eq!(super::schema_version(text), version, "{text}");
        }
    }
}
