//! Checks of what appending promises.

use std::sync::Arc;

use super::sample::{
    all, append, assert_sound, cart, committed, group, named, positions, single, stream, unit,
};
use super::{Task, still_waits, together};
use crate::{Journal, JournalError, StreamKey, Unit, Verdict};

type Answer = Result<Vec<Verdict>, JournalError>;

pub(super) async fn versions_and_positions(journal: &dyn Journal) {
    let dense = journal.properties().dense_positions;
    assert_eq!(journal.head().0, 0, "a fresh journal's head is 0");
    assert!(append(journal, Vec::new()).await.is_empty(), "no units, no verdicts");
    let mut last = 0;
    for round in 0..20 {
        let (first, end) = committed(journal, single(&cart(1), round * 3, 3)).await;
        assert!(first > last && end > first, "positions strictly increase");
        assert!(!dense || (first == last + 1 && end == first + 2), "positions are dense");
        last = end;
        assert!(journal.head().0 >= end, "the head is past what was acknowledged");
    }
    let events = all(journal).await;
    assert_eq!(events.len(), 60);
    assert_sound(&events, dense);
    assert_eq!(journal.stream_version(&cart(1)).await.expect("a version"), 60);
    assert_eq!(journal.stream_version(&cart(2)).await.expect("a version"), 0);
}

pub(super) async fn a_conflict_harms_no_other_unit(journal: &dyn Journal) {
    committed(journal, single(&cart(1), 0, 2)).await;
    let verdicts = append(
        journal,
        vec![
            single(&cart(2), 0, 1),
            single(&cart(1), 1, 1),
            single(&cart(3), 5, 1),
            single(&cart(1), 2, 1),
        ],
    )
    .await;
    positions(&verdicts[0]);
    let conflict = |n, expected, actual| Verdict::Conflict { stream: cart(n), expected, actual };
    assert_eq!(verdicts[1], conflict(1, 1, 2), "behind the stream is a conflict");
    assert_eq!(verdicts[2], conflict(3, 5, 0), "ahead of the stream is a conflict");
    positions(&verdicts[3]);
    let events = all(journal).await;
    assert_eq!(events.len(), 4, "a conflict leaves nothing");
    assert_sound(&events, journal.properties().dense_positions);
}

pub(super) async fn later_units_see_earlier_ones(journal: &dyn Journal) {
    let verdicts = append(
        journal,
        vec![single(&cart(1), 0, 2), single(&cart(1), 0, 1), single(&cart(1), 2, 1)],
    )
    .await;
    positions(&verdicts[0]);
    let conflict = Verdict::Conflict { stream: cart(1), expected: 0, actual: 2 };
    assert_eq!(verdicts[1], conflict, "a later unit sees the versions left by the earlier");
    positions(&verdicts[2]);
    assert_eq!(stream(journal, &cart(1)).await.len(), 3);
}

pub(super) async fn units_are_atomic_over_streams(journal: &dyn Journal) {
    if !journal.properties().units_span_streams {
        return;
    }
    committed(journal, single(&cart(2), 0, 1)).await;
    let groups = || vec![group(&cart(1), 0, 2), group(&cart(2), 1, 2), group(&named("x"), 0, 1)];
    let mut failing = groups();
    failing[2].expected = 7;
    let verdicts = append(journal, vec![unit(failing)]).await;
    let conflict = Verdict::Conflict { stream: named("x"), expected: 7, actual: 0 };
    assert_eq!(verdicts[0], conflict);
    assert!(stream(journal, &cart(1)).await.is_empty(), "no group of a refused unit is there");
    let wanted = unit(groups());
    let ids: Vec<_> = wanted.groups.iter().flat_map(|g| g.events.iter().map(|e| e.id)).collect();
    let (first, last) = committed(journal, wanted).await;
    let events: Vec<_> =
        all(journal).await.into_iter().filter(|e| (first..=last).contains(&e.position.0)).collect();
    let found: Vec<_> = events.iter().map(|e| e.id).collect();
    assert_eq!(found, ids, "a unit's events have the order given");
    assert!(events.iter().all(|e| e.metadata == events[0].metadata), "one metadata for all");
}

pub(super) async fn calls_take_effect_in_order_of_first_poll(journal: &dyn Journal) {
    let calls: Vec<Task<'_, Answer>> = (0..200)
        .map(|n| {
            journal.append(vec![single(&cart(1), n, 1), single(&cart(n.into()), 0, 1)])
                as Task<'_, Answer>
        })
        .collect();
    let mut last = 0;
    for (n, answer) in together(calls).await.into_iter().enumerate() {
        let verdicts = answer.expect("a sound append is answered");
        let (first, end) = positions(&verdicts[0]);
        assert!(first > last, "call {n} takes effect after the one before it");
        last = end;
    }
    assert_sound(&all(journal).await, journal.properties().dense_positions);
}

pub(super) async fn racing_calls_have_one_winner(journal: &dyn Journal) {
    let calls: Vec<Task<'_, Answer>> =
        (0..50).map(|_| journal.append(vec![single(&cart(9), 0, 2)]) as Task<'_, Answer>).collect();
    let won = together(calls)
        .await
        .into_iter()
        .filter(|answer| {
            let verdicts = answer.as_ref().expect("a sound append is answered");
            matches!(verdicts[0], Verdict::Committed { .. })
        })
        .count();
    assert_eq!(won, 1, "one of those who expect the same version wins");
    assert_eq!(stream(journal, &cart(9)).await.len(), 2);
}

pub(super) async fn a_dropped_call_leaves_all_or_nothing(journal: &dyn Journal) {
    for n in 1..20 {
        let mut call: Task<'_, _> = journal.append(vec![single(&cart(n), 0, 3)]);
        still_waits(&mut call).await;
        drop(call);
    }
    committed(journal, single(&cart(99), 0, 1)).await;
    for n in 1..20 {
        let events = stream(journal, &cart(n)).await.len();
        assert!(events == 0 || events == 3, "half a unit is there: {events} of 3");
    }
    assert_sound(&all(journal).await, journal.properties().dense_positions);
}

pub(super) async fn broken_rules_are_invalid_and_leave_nothing(journal: &dyn Journal) {
    let no_groups = unit(Vec::new());
    let empty_group = single(&cart(1), 0, 0);
    let twice = unit(vec![group(&cart(1), 0, 1), group(&cart(1), 1, 1)]);
    let mut bad_payload = single(&cart(1), 0, 1);
    bad_payload.groups[0].events[0].payload = Arc::from("{\"open\":");
    let mut two_values = single(&cart(1), 0, 1);
    two_values.groups[0].events[0].payload = Arc::from("{} {}");
    let mut bad_metadata = single(&cart(1), 0, 1);
    bad_metadata.metadata = Arc::from("[]");
    let mut no_schema = single(&cart(1), 0, 1);
    no_schema.groups[0].events[0].schema_version = 0;
    let mut no_key = single(&cart(1), 0, 1);
    no_key.groups[0].stream.key = StreamKey::Text(Arc::from(""));
    let broken: [(&str, Unit); 8] = [
        ("no groups", no_groups),
        ("empty group", empty_group),
        ("stream twice", twice),
        ("payload cut short", bad_payload),
        ("two values", two_values),
        ("metadata not an object", bad_metadata),
        ("schema version 0", no_schema),
        ("empty key", no_key),
    ];
    for (what, unit) in broken {
        let answer = journal.append(vec![single(&cart(2), 0, 1), unit]).await;
        assert!(matches!(answer, Err(JournalError::Invalid(_))), "{what}: {answer:?}");
    }
    assert!(all(journal).await.is_empty(), "an invalid call leaves nothing");
    assert_eq!(journal.head().0, 0);
}

pub(super) async fn everything_comes_back_as_given(journal: &dyn Journal) {
    let long_key = "k".repeat(300);
    let streams = [cart(1), named("ünï-cödé key/ with all sorts"), named(&long_key)];
    let mut given = Vec::new();
    for stream in &streams {
        let mut unit = single(stream, 0, 3);
        unit.groups[0].events[1].payload =
            Arc::from(format!("{{\"text\":\"{}\"}}", "ß".repeat(30_000)));
        unit.groups[0].events[2].payload = Arc::from(" 17 ");
        unit.groups[0].events[2].schema_version = u16::MAX;
        given.push(unit.clone());
        committed(journal, unit).await;
    }
    for unit in given {
        let group = &unit.groups[0];
        let events = stream(journal, &group.stream).await;
        assert_eq!(events.len(), group.events.len());
        for (event, new) in events.iter().zip(&group.events) {
            assert_eq!(event.stream, group.stream);
            assert_eq!(event.id, new.id);
            assert_eq!(event.event_type, new.event_type);
            assert_eq!(event.schema_version, new.schema_version);
            assert_eq!(event.payload, new.payload, "payloads are kept as they are");
            assert_eq!(event.metadata, unit.metadata);
            assert_eq!(event.occurred, new.occurred);
        }
        let whole = all(journal).await;
        assert!(events.iter().all(|e| whole.contains(e)), "both ways of reading agree");
    }
}
