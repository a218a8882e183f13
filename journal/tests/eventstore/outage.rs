//! The server goes away in the middle of appends and comes back: nothing that was acknowledged is
//! lost, nothing is there twice, and what is not known is found out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use journal::{EventStoreJournal, Journal, JournalError, Position, Recorded, Verdict};
use uuid::Uuid;

use crate::sample::{
    Node, all, append, assert_same, assert_sound, cart, fresh_stream, is_committed, unit,
};
use test_servers::eventstore::{Double, Fate};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_append_whose_outcome_is_unknown_takes_effect_once() {
    let (double, stream) = (Double::start(), fresh_stream());
    let node = Node::open_with(&double, &stream, |options| {
        options.answer_within = Duration::from_millis(400);
    })
    .await;
    let mut version = 0;
    for fate in [
        Fate::CutBefore,
        Fate::CutAfter,
        Fate::Silent,
        Fate::Swallow,
        Fate::Timeout,
        Fate::NotLeader(double.address()),
        Fate::CutThenLate(Duration::from_millis(1)),
        Fate::CutThenLate(Duration::from_millis(30)),
        Fate::CutThenLate(Duration::from_millis(150)),
        Fate::CutThenLate(Duration::from_millis(600)),
    ] {
        double.next_append(fate);
        let units = vec![unit(&cart(1), version, 2), unit(&cart(2), 7, 1)];
        let verdicts = node.journal.append(units).await.unwrap();
        let (first, last) = (Position(version + 1), Position(version + 2));
        assert_eq!(verdicts[0], Verdict::Committed { first, last }, "{fate:?}");
        let refused = Verdict::Conflict { stream: cart(2), expected: 7, actual: 0 };
        assert_eq!(verdicts[1], refused, "{fate:?}");
        assert!(double.is_through());
        version += 2;
    }
    // Late ones have come by now, if they ever do.
    tokio::time::sleep(Duration::from_millis(700)).await;
    append(&*node.journal, unit(&cart(1), version, 1)).await;
    let events = all(&*node.journal).await;
    assert_sound(&events);
    assert_eq!(events.len() as u64, version + 1);
    let fresh = Node::open(&double, &stream).await;
    assert_same(&all(&*fresh.journal).await, &events);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_append_in_doubt_is_found_though_the_reading_breaks_off() {
    let (double, stream) = (Double::start(), fresh_stream());
    let node = Node::open_with(&double, &stream, |options| {
        options.poll_every = Duration::from_secs(3_600);
    })
    .await;
    for n in 0..3 {
        double.next_append(Fate::CutAfter);
        // The first read shows that it took effect, the second would show that nothing follows.
        *double.shared.faults.cut_reads.lock().unwrap() = [false, true, true].into();
        let verdict = append(&*node.journal, unit(&cart(1), n, 1)).await;
        assert!(is_committed(&verdict), "{verdict:?}");
        double.shared.faults.cut_reads.lock().unwrap().clear();
    }
    let log = double.shared.store().forwards(&stream, 0, u64::MAX).unwrap();
    assert_eq!(log.len(), 4, "the beginning, and each once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_append_in_doubt_is_overtaken_by_another_node() {
    let (double, stream) = (Double::start(), fresh_stream());
    let (one, other) = (Node::open(&double, &stream).await, Node::open(&double, &stream).await);
    append(&*one.journal, unit(&cart(1), 0, 1)).await;
    // The first's is cut off and would come late; the second writes the same stream before that.
    double.next_append(Fate::CutThenLate(Duration::from_millis(300)));
    let doubtful = tokio::spawn({
        let journal = one.journal.clone();
        async move { append(&*journal, unit(&cart(1), 1, 1)).await }
    });
    while !double.is_through() {
        tokio::task::yield_now().await;
    }
    crate::sample::reaches(&*other.journal, 1).await;
    let quick = append(&*other.journal, unit(&cart(1), 1, 1)).await;
    let late = doubtful.await.unwrap();
    assert_ne!(is_committed(&quick), is_committed(&late), "one of both: {quick:?}, {late:?}");
    tokio::time::sleep(Duration::from_millis(350)).await;
    append(&*one.journal, unit(&cart(2), 0, 1)).await;
    let events = all(&*one.journal).await;
    assert_sound(&events);
    assert_eq!(events.len(), 3);
}

struct Writing {
    stop: AtomicBool,
    acknowledged: AtomicU64,
}

/// Appends to a stream of its own until it is stopped. The only writer of a stream meets no
/// conflict, unless an append took effect of which it was told otherwise.
async fn write(
    journal: Arc<EventStoreJournal>,
    n: u128,
    writing: Arc<Writing>,
) -> Vec<(Position, Uuid)> {
    let mut kept = Vec::new();
    let mut version = 0;
    while !writing.stop.load(Relaxed) {
        let unit = unit(&cart(n), version, 2);
        let id = unit.groups[0].events[0].id;
        match journal.append(vec![unit]).await.as_deref() {
            Ok([Verdict::Committed { first, .. }]) => {
                kept.push((*first, id));
                version += 2;
                writing.acknowledged.fetch_add(1, Relaxed);
            }
            other => panic!("every append is answered for good: {other:?}"),
        }
    }
    kept
}

async fn acknowledged_past(writing: &Writing, more: u64) {
    let wanted = writing.acknowledged.load(Relaxed) + more;
    while writing.acknowledged.load(Relaxed) < wanted {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn assert_kept(events: &[Recorded], kept: &[(Position, Uuid)]) {
    let by_position: BTreeMap<_, _> = events.iter().map(|e| (e.position, e.id)).collect();
    for (position, id) in kept {
        assert_eq!(by_position.get(position), Some(id), "acknowledged at {position:?} and lost");
    }
    // Two events each, and no append of which its writer did not hear.
    assert_eq!(events.len(), kept.len() * 2, "each append is there once");
}

async fn while_writing(stream: &str, mut double: Double, trouble: impl Fn(&mut Double, usize)) {
    let nodes = [Node::open(&double, stream).await, Node::open(&double, stream).await];
    let writing =
        Arc::new(Writing { stop: AtomicBool::new(false), acknowledged: AtomicU64::new(0) });
    let writers: Vec<_> = (0..8)
        .map(|n| tokio::spawn(write(nodes[n % 2].journal.clone(), n as u128, writing.clone())))
        .collect();
    for round in 0..6 {
        acknowledged_past(&writing, 40).await;
        trouble(&mut double, round);
    }
    acknowledged_past(&writing, 40).await;
    writing.stop.store(true, Relaxed);
    let mut kept = Vec::new();
    for writer in writers {
        kept.extend(writer.await.unwrap());
    }
    for node in &nodes {
        crate::sample::reaches(&*node.journal, kept.len() as u64 * 2).await;
        let events = all(&*node.journal).await;
        assert_sound(&events);
        assert_kept(&events, &kept);
    }
    let reopens: u64 = nodes.iter().map(|node| node.journal.stats().reopens).sum();
    assert!(reopens > 0, "an append was under way at least once");
    // News still come in.
    let fresh = Node::open(&double, stream).await;
    append(&*fresh.journal, unit(&cart(99), 0, 1)).await;
    nodes[0].journal.wait_past(Position(kept.len() as u64 * 2)).await.unwrap();
    nodes[1].journal.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_dies_and_comes_back_costs_nothing_but_time() {
    let stream = fresh_stream();
    while_writing(&stream, Double::start(), |double, round| {
        double.stop();
        // Long enough for the client to die of it, every other time.
        std::thread::sleep(Duration::from_millis(if round % 2 == 0 { 50 } else { 2_500 }));
        double.run();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_that_break_leave_no_append_in_doubt() {
    let stream = fresh_stream();
    while_writing(&stream, Double::start(), |double, _| {
        for _ in 0..5 {
            double.cut();
            std::thread::sleep(Duration::from_millis(20));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn with_patience_at_its_end_an_append_is_unavailable() {
    let (mut double, stream) = (Double::start(), fresh_stream());
    let node = Node::open_with(&double, &stream, |options| options.patience = Duration::ZERO).await;
    let journal = &*node.journal;
    assert!(is_committed(&append(journal, unit(&cart(1), 0, 1)).await));
    double.stop();
    for _ in 0..3 {
        let answer = journal.append(vec![unit(&cart(1), 1, 1)]).await;
        assert!(matches!(answer, Err(JournalError::Unavailable(_))), "{answer:?}");
    }
    assert_eq!(all(journal).await.len(), 1, "reads go on");
    double.run();
    while journal.append(vec![unit(&cart(1), 1, 1)]).await.is_err() {}
    assert_eq!(all(journal).await.len(), 2);
    // Closing while it is away does not hang.
    double.stop();
    journal.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_cannot_wait_for_the_outcome_is_told_that_there_may_be_one() {
    let (double, stream) = (Double::start(), fresh_stream());
    let node = Node::open_with(&double, &stream, |options| {
        options.patience = Duration::ZERO;
        options.answer_within = Duration::from_millis(200);
    })
    .await;
    double.shared.faults.reads_end_after.store(0, Relaxed);
    double.next_append(Fate::CutAfter);
    // With nobody to read from it cannot be found out.
    double.shared.faults.hangs.store(true, Relaxed);
    let answer = node.journal.append(vec![unit(&cart(1), 0, 1)]).await;
    double.shared.faults.hangs.store(false, Relaxed);
    let Err(JournalError::Unavailable(why)) = answer else { panic!("{answer:?}") };
    assert!(why.contains("may have taken effect: read before"), "{why}");
    let second = loop {
        match node.journal.append(vec![unit(&cart(2), 0, 1)]).await {
            Ok(verdicts) => break verdicts,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    assert!(is_committed(&second[0]) || matches!(second[0], Verdict::Conflict { .. }));
    assert_sound(&all(&*node.journal).await);
}

#[tokio::test]
async fn reads_that_end_early_in_good_order_leave_nothing_out() {
    let (double, stream) = (Double::start(), fresh_stream());
    let node = Node::open(&double, &stream).await;
    for n in 0..40 {
        append(&*node.journal, unit(&cart(n), 0, 3)).await;
    }
    // In the middle of units, too.
    double.shared.faults.reads_end_after.store(7, Relaxed);
    let fresh = Node::open(&double, &stream).await;
    assert_same(&all(&*fresh.journal).await, &all(&*node.journal).await);
}

#[tokio::test]
async fn a_refused_append_harms_no_later_one() {
    let (double, stream) = (Double::start(), fresh_stream());
    let node = Node::open(&double, &stream).await;
    double.next_append(Fate::AccessDenied);
    let answer = node.journal.append(vec![unit(&cart(1), 0, 1)]).await;
    let Err(JournalError::Unavailable(why)) = answer else { panic!("{answer:?}") };
    assert!(why.contains("demands a user"), "{why}");
    assert!(is_committed(&append(&*node.journal, unit(&cart(1), 0, 1)).await));
    assert_eq!(all(&*node.journal).await.len(), 1);
}
