//! Events to check with: deterministic, and each different from the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::DateTime;
use uuid::Uuid;

use crate::{
    Category, EventType, Group, Journal, JournalError, NewEvent, Recorded, StreamId, Unit, Verdict,
    Version,
};

static NEXT: AtomicU64 = AtomicU64::new(1);

pub(super) fn event() -> NewEvent {
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    NewEvent {
        id: Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | u128::from(n)),
        event_type: EventType::new("cart.line_added"),
        schema_version: 1,
        payload: Arc::from(format!(
            r#"{{"sku":"A-{n}", "quantity":{n}, "note":"Gr\u00fc\u00dfe ü"}}"#
        )),
        occurred: DateTime::from_timestamp_micros(1_700_000_000_000_000 + n as i64)
            .expect("a time in the range of chrono"),
    }
}

pub(super) fn cart(n: u128) -> StreamId {
    StreamId::of_uuid(Category::new("cart"), Uuid::from_u128(n))
}

pub(super) fn named(key: &str) -> StreamId {
    StreamId::of_text(Category::new("promotion"), key)
}

pub(super) fn group(stream: &StreamId, expected: Version, events: usize) -> Group {
    let events = (0..events).map(|_| event()).collect();
    Group { stream: stream.clone(), expected, events }
}

pub(super) fn unit(groups: Vec<Group>) -> Unit {
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    Unit::new(groups, Arc::from(format!(r#"{{"command":{n},"actor":"check"}}"#)))
}

pub(super) fn single(stream: &StreamId, expected: Version, events: usize) -> Unit {
    unit(vec![group(stream, expected, events)])
}

pub(super) async fn append(journal: &dyn Journal, units: Vec<Unit>) -> Vec<Verdict> {
    journal.append(units).await.expect("a sound append is answered")
}

/// Appends one unit which must go through; returns its positions.
pub(super) async fn committed(journal: &dyn Journal, unit: Unit) -> (u64, u64) {
    positions(&append(journal, vec![unit]).await[0])
}

pub(super) fn positions(verdict: &Verdict) -> (u64, u64) {
    match verdict {
        Verdict::Committed { first, last } => (first.0, last.0),
        _ => panic!("expected a commit, got {verdict:?}"),
    }
}

pub(super) async fn stream(journal: &dyn Journal, id: &StreamId) -> Vec<Recorded> {
    journal.read_stream(id, 0, usize::MAX).await.expect("a stream can be read")
}

pub(super) async fn all(journal: &dyn Journal) -> Vec<Recorded> {
    read_from(journal, 0).await
}

pub(super) async fn read_from(journal: &dyn Journal, after: u64) -> Vec<Recorded> {
    let read: Result<_, JournalError> = journal.read_all(crate::Position(after), usize::MAX).await;
    read.expect("the whole can be read")
}

/// The rules that hold for any whole journal, whoever wrote it.
pub(super) fn assert_sound(events: &[Recorded], dense: bool) {
    let mut versions = std::collections::BTreeMap::new();
    let mut last = 0;
    for event in events {
        let position = event.position.0;
        assert!(position > last, "positions strictly increase: {position} after {last}");
        assert!(!dense || position == last + 1, "positions are dense: {position} after {last}");
        last = position;
        let version = versions.entry(event.stream.clone()).or_insert(0);
        *version += 1;
        assert_eq!(event.version, *version, "versions of {} are contiguous", event.stream);
    }
}
