//! Units larger than one append, and batches that stay below its limit.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use journal::{Journal, Unit};

use crate::sample::{
    Node, all, append, assert_same, assert_sound, cart, event, fresh_stream, group, is_committed,
    reaches, unit,
};
use test_servers::eventstore::{Double, Fate};

/// So many events of 80 kB, in two streams.
fn large(n: u128, events: usize) -> Unit {
    let mut groups = vec![group(&cart(n), 0, events / 2), group(&cart(n + 1), 0, events / 2)];
    for event in groups.iter_mut().flat_map(|group| &mut group.events) {
        event.payload = Arc::from(format!(" {{\"text\": \"{}\"}}", "ß".repeat(40_000)));
    }
    Unit::new(groups, Arc::from("{\"actor\":\"large\"} "))
}

fn parts(double: &Double, stream: &str) -> usize {
    let events = double.shared.store().forwards(stream, 0, u64::MAX).unwrap();
    events.iter().filter(|(_, event)| event.metadata["type"] == "tillroll.part").count()
}

#[tokio::test]
async fn a_unit_larger_than_one_append_is_taken_in_as_one() {
    let (double, stream) = (Double::start(), fresh_stream());
    let node = Node::open(&double, &stream).await;
    let other = Node::open(&double, &stream).await;
    let mut whole = unit(&cart(8), 0, 1);
    whole.groups[0].events[0].payload = Arc::from(format!("[\"{}\"]", "x".repeat(5 << 20)));
    let units = vec![unit(&cart(7), 0, 1), large(1, 40), unit(&cart(7), 1, 1), whole.clone()];
    let verdicts = node.journal.append(units).await.unwrap();
    assert!(verdicts.iter().all(is_committed), "{verdicts:?}");
    assert!(parts(&double, &stream) > 8);
    let events = all(&*node.journal).await;
    assert_sound(&events);
    assert_eq!(events.len(), 43);
    assert_eq!(events[42].payload, whole.groups[0].events[0].payload);
    reaches(&*other.journal, 43).await;
    assert_same(&all(&*other.journal).await, &events);
}

#[tokio::test]
async fn many_units_go_into_as_many_appends_as_they_need() {
    let (double, stream) = (Double::start(), fresh_stream());
    let node = Node::open(&double, &stream).await;
    let units: Vec<_> = (0..60)
        .map(|n| {
            let mut event = event();
            event.payload = Arc::from(format!("\"{}\"", "y".repeat(50_000)));
            let mut unit = unit(&cart(n), 0, 0);
            unit.groups[0].events.push(event);
            unit
        })
        .collect();
    let verdicts = node.journal.append(units).await.unwrap();
    assert!(verdicts.iter().all(is_committed));
    assert_eq!(parts(&double, &stream), 0);
    let appends = double.shared.appends.load(Relaxed);
    assert!((4..=6).contains(&appends), "{appends} appends, with the beginning, of 3 MB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parts_without_their_end_count_nowhere() {
    let (double, stream) = (Double::start(), fresh_stream());
    let dying = Node::open_with(&double, &stream, |options| {
        options.patience = Duration::ZERO;
        options.answer_within = Duration::from_millis(300);
    })
    .await;
    let other = Node::open(&double, &stream).await;
    for (round, fate) in [(0, Fate::Swallow), (1, Fate::Silent)] {
        double.next_append(Fate::Pass);
        double.next_append(fate);
        let answer = dying.journal.append(vec![large(100 * round, 40)]).await;
        assert!(answer.is_err(), "{answer:?}");
        let dead = parts(&double, &stream);
        assert!(dead > 0, "some of its parts are there");
        let verdict = append(&*other.journal, unit(&cart(5), round as u64, 1)).await;
        assert!(is_committed(&verdict), "it does not wait for them for ever: {verdict:?}");
    }
    // The same units again: the dead parts are nobody's.
    for round in 0..2 {
        let verdict = append(&*other.journal, large(100 * round, 40)).await;
        assert!(is_committed(&verdict), "{verdict:?}");
    }
    let events = all(&*other.journal).await;
    assert_sound(&events);
    assert_eq!(events.len(), 82);
    let fresh = Node::open(&double, &stream).await;
    assert_same(&all(&*fresh.journal).await, &events);
    reaches(&*dying.journal, 82).await;
    assert_same(&all(&*dying.journal).await, &events);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn other_nodes_let_a_large_unit_come_to_its_end() {
    let (double, stream) = (Double::start(), fresh_stream());
    let node = Node::open(&double, &stream).await;
    let other = Node::open(&double, &stream).await;
    double.shared.faults.delay_micros.store(30_000, Relaxed);
    let sending = tokio::spawn({
        let journal = node.journal.clone();
        async move { append(&*journal, large(1, 80)).await }
    });
    while parts(&double, &stream) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Sure to have heard of the first part.
    while double.shared.store().forwards(&stream, 0, u64::MAX).unwrap().len() < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for n in 0..3 {
        assert!(is_committed(&append(&*other.journal, unit(&cart(50), n, 1)).await));
    }
    assert!(is_committed(&sending.await.unwrap()));
    reaches(&*other.journal, 83).await;
    reaches(&*node.journal, 83).await;
    let events = all(&*other.journal).await;
    assert_sound(&events);
    assert_same(&all(&*node.journal).await, &events);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parts_cut_off_are_gone_on_with() {
    let (double, stream) = (Double::start(), fresh_stream());
    let node = Node::open(&double, &stream).await;
    for fate in
        [Fate::Pass, Fate::CutBefore, Fate::CutAfter, Fate::CutThenLate(Duration::from_millis(80))]
    {
        double.next_append(fate);
    }
    assert!(is_committed(&append(&*node.journal, large(1, 60)).await));
    assert!(double.is_through());
    let wanted = 60 * 80_050_usize.div_ceil(900_000);
    assert!(parts(&double, &stream) <= wanted, "none was begun anew");
    let events = all(&*node.journal).await;
    assert_sound(&events);
    assert_eq!(events.len(), 60);
}
