//! Events to test with.

use std::sync::Arc;

use chrono::DateTime;
use journal::{
    Category, EventType, Group, Journal, NewEvent, Position, PostgresJournal, PostgresOptions,
    Recorded, StreamId, Unit, Verdict,
};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

pub async fn open(url: &str) -> Arc<PostgresJournal> {
    Arc::new(PostgresJournal::open(url, PostgresOptions::default()).await.unwrap())
}

pub async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

pub fn cart(n: u128) -> StreamId {
    StreamId::of_uuid(Category::new("cart"), Uuid::from_u128(n))
}

pub fn unit(stream: &StreamId, expected: u64, events: usize) -> Unit {
    let event = || NewEvent {
        id: Uuid::now_v7(),
        event_type: EventType::new("cart.line_added"),
        schema_version: 1,
        payload: Arc::from(r#"{"sku":"A-1","quantity":2,"note":"some words of usual length"}"#),
        occurred: DateTime::from_timestamp_micros(1_700_000_000_000_001).unwrap(),
    };
    let events = (0..events).map(|_| event()).collect();
    Unit::new(
        vec![Group { stream: stream.clone(), expected, events }],
        Arc::from(r#"{"actor":"test"}"#),
    )
}

pub async fn append(journal: &dyn Journal, unit: Unit) -> Verdict {
    journal.append(vec![unit]).await.unwrap().remove(0)
}

pub fn is_committed(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Committed { .. })
}

pub async fn all(journal: &dyn Journal) -> Vec<Recorded> {
    journal.read_all(Position(0), usize::MAX).await.unwrap()
}

/// Positions and versions are 1, 2, 3 … without gaps.
pub fn assert_sound(events: &[Recorded]) {
    let mut versions = std::collections::BTreeMap::new();
    for (event, position) in events.iter().zip(1..) {
        assert_eq!(event.position.0, position, "positions are dense");
        let version = versions.entry(event.stream.clone()).or_insert(0);
        *version += 1;
        assert_eq!(event.version, *version, "versions of {} are contiguous", event.stream);
    }
}

/// As a program writes that knows the seven columns of `postgres-es` only.
pub const PLAIN_INSERT: &str = "INSERT INTO events (aggregate_type, aggregate_id, sequence, \
    event_type, event_version, payload, metadata) VALUES ($1, $2, $3, 'Noted', '1.0', '{}', '{}')";
