//! Events to test with, and journals to put them into.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::DateTime;
use journal::{
    Category, EventStoreJournal, EventStoreOptions, EventType, Group, Journal, NewEvent, Position,
    Recorded, StreamId, Unit, Verdict,
};
use tempfile::TempDir;
use uuid::Uuid;

use test_servers::eventstore::Double;

/// A stream nobody else uses, on a server that is shared too.
pub fn fresh_stream() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let n = MADE.fetch_add(1, Ordering::Relaxed);
    format!("tillroll-test-{}-{n}", Uuid::now_v7().simple())
}

pub fn options(mirror: &Path) -> EventStoreOptions {
    EventStoreOptions {
        patience: Duration::from_secs(300),
        poll_every: Duration::from_millis(10),
        ..EventStoreOptions::new(mirror.to_owned())
    }
}

/// A node: a journal with a mirror of its own.
pub struct Node {
    pub journal: Arc<EventStoreJournal>,
    pub directory: TempDir,
}

impl Node {
    pub async fn open(double: &Double, stream: &str) -> Self {
        Self::open_with(double, stream, |_| {}).await
    }

    pub async fn open_with(
        double: &Double,
        stream: &str,
        change: impl Fn(&mut EventStoreOptions),
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut options = options(&directory.path().join("mirror"));
        change(&mut options);
        let journal = EventStoreJournal::open(&double.url(stream), options).await.unwrap();
        Self { journal: Arc::new(journal), directory }
    }
}

pub fn cart(n: u128) -> StreamId {
    StreamId::of_uuid(Category::new("cart"), Uuid::from_u128(n))
}

pub fn event() -> NewEvent {
    NewEvent {
        id: Uuid::now_v7(),
        event_type: EventType::new("cart.line_added"),
        schema_version: 1,
        payload: Arc::from(r#"{"sku":"A-1","quantity":2,"note":"some words of usual length"}"#),
        occurred: DateTime::from_timestamp_micros(1_700_000_000_000_001).unwrap(),
    }
}

pub fn group(stream: &StreamId, expected: u64, events: usize) -> Group {
    let events = (0..events).map(|_| event()).collect();
    Group { stream: stream.clone(), expected, events }
}

pub fn unit(stream: &StreamId, expected: u64, events: usize) -> Unit {
    Unit::new(vec![group(stream, expected, events)], Arc::from(r#"{"actor":"test"}"#))
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

/// Waits until the journal has come so far.
pub async fn reaches(journal: &dyn Journal, position: u64) {
    if position > 0 {
        journal.wait_past(Position(position - 1)).await.unwrap();
    }
}

/// Positions and versions are 1, 2, 3 … without gaps, and no event is there twice.
pub fn assert_sound(events: &[Recorded]) {
    let mut versions = std::collections::BTreeMap::new();
    let mut ids = std::collections::BTreeSet::new();
    for (event, position) in events.iter().zip(1..) {
        assert_eq!(event.position.0, position, "positions are dense");
        let version = versions.entry(event.stream.clone()).or_insert(0);
        *version += 1;
        assert_eq!(event.version, *version, "versions of {} are contiguous", event.stream);
        assert!(ids.insert(event.id), "{} is there twice", event.id);
    }
}

/// Without telling thousands of events if not.
pub fn assert_same(events: &[Recorded], others: &[Recorded]) {
    for (event, other) in events.iter().zip(others) {
        assert_eq!(event, other);
    }
    assert_eq!(events.len(), others.len());
}
