//! Several nodes over one log, and what else is written there.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use journal::{EventStoreJournal, Journal, Position, Unit, Verdict};

use crate::sample::{
    Node, all, append, assert_same, assert_sound, cart, fresh_stream, group, is_committed, options,
    reaches, unit,
};
use test_servers::eventstore::store::{Expected, Stored};
use test_servers::eventstore::{Double, Fate};

/// One that hears of others only when it has to.
async fn deaf(double: &Double, stream: &str) -> Node {
    Node::open_with(double, stream, |options| options.poll_every = Duration::from_secs(3_600)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_append_at_once_come_to_the_same() {
    let (double, stream) = (Double::start(), fresh_stream());
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(Node::open(&double, &stream).await);
    }
    let id = nodes[0].journal.id();
    let writers: Vec<_> = (0..3)
        .map(|n| {
            let journal = nodes[n].journal.clone();
            tokio::spawn(async move {
                let mut won = 0;
                for round in 0..30 {
                    // Nobody else writes the one stream; everybody wants the other.
                    let own = append(&*journal, unit(&cart(n as u128), round * 2, 2)).await;
                    assert!(is_committed(&own), "{own:?}");
                    let version = journal.stream_version(&cart(9)).await.unwrap();
                    let verdict = append(&*journal, unit(&cart(9), version, 1)).await;
                    won += u64::from(is_committed(&verdict));
                }
                won
            })
        })
        .collect();
    let mut won = 0;
    for writer in writers {
        won += writer.await.unwrap();
    }
    let mut seen = Vec::new();
    for node in &nodes {
        assert_eq!(node.journal.id(), id);
        reaches(&*node.journal, 180 + won).await;
        seen.push(all(&*node.journal).await);
    }
    assert_sound(&seen[0]);
    assert_eq!(seen[0].len() as u64, 180 + won);
    assert_same(&seen[0], &seen[1]);
    assert_same(&seen[0], &seen[2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_beside_a_busy_one_is_not_left_out() {
    let (double, stream) = (Double::start(), fresh_stream());
    let (busy, other) = (Node::open(&double, &stream).await, Node::open(&double, &stream).await);
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let writers: Vec<_> = (0..32)
        .map(|n| {
            let (journal, stop) = (busy.journal.clone(), stop.clone());
            tokio::spawn(async move {
                let mut version = 0;
                while !stop.load(Relaxed) {
                    assert!(is_committed(&append(&*journal, unit(&cart(n), version, 1)).await));
                    version += 1;
                }
                version
            })
        })
        .collect();
    for version in 0..20 {
        // It tries until it is through, however many are first.
        assert!(is_committed(&append(&*other.journal, unit(&cart(99), version, 1)).await));
    }
    stop.store(true, Relaxed);
    let mut events = 20;
    for writer in writers {
        events += writer.await.unwrap();
    }
    reaches(&*other.journal, events).await;
    reaches(&*busy.journal, events).await;
    assert_sound(&all(&*busy.journal).await);
    assert_same(&all(&*busy.journal).await, &all(&*other.journal).await);
}

#[tokio::test]
async fn a_node_judges_by_the_log_and_not_by_what_it_happens_to_know() {
    let (double, stream) = (Double::start(), fresh_stream());
    let (one, other) = (Node::open(&double, &stream).await, deaf(&double, &stream).await);
    append(&*one.journal, unit(&cart(1), 0, 1)).await;
    let asks = Unit { reads: vec![(cart(1), 0)], ..Unit::new(Vec::new(), "{}".into()) };
    let refused = Verdict::Conflict { stream: cart(1), expected: 0, actual: 1 };
    assert_eq!(append(&*other.journal, asks.clone()).await, refused, "what only reads");
    append(&*one.journal, unit(&cart(1), 1, 1)).await;
    let rests = Unit { reads: vec![(cart(1), 1)], ..unit(&cart(2), 0, 1) };
    let refused = Verdict::Conflict { stream: cart(1), expected: 1, actual: 2 };
    assert_eq!(append(&*other.journal, rests).await, refused, "what rests on what it read");
    append(&*one.journal, unit(&cart(1), 2, 1)).await;
    let ahead = append(&*other.journal, unit(&cart(1), 3, 1)).await;
    assert!(is_committed(&ahead), "its caller knew more than the node: {ahead:?}");
    append(&*one.journal, unit(&cart(5), 0, 1)).await;
    let holds = Unit { reads: vec![(cart(1), 4)], ..asks };
    assert_eq!(append(&*other.journal, holds).await, Verdict::Holds { at: Position(5) });
}

#[tokio::test]
async fn waiting_ends_when_another_node_appends() {
    let (double, stream) = (Double::start(), fresh_stream());
    let (one, other) = (Node::open(&double, &stream).await, Node::open(&double, &stream).await);
    let waiting = tokio::spawn({
        let journal = other.journal.clone();
        async move { journal.wait_past(Position(0)).await }
    });
    append(&*one.journal, unit(&cart(1), 0, 3)).await;
    assert_eq!(waiting.await.unwrap().unwrap(), Position(3));
}

#[tokio::test]
async fn events_of_others_in_the_log_are_passed_over_by_every_node_alike() {
    let (double, stream) = (Double::start(), fresh_stream());
    let node = Node::open(&double, &stream).await;
    let foreign = |custom: &[u8]| Stored {
        id: uuid::Uuid::now_v7(),
        metadata: [("type".to_owned(), "somebodys.event".to_owned())].into(),
        custom: custom.to_vec(),
        data: b"no JSON".to_vec(),
        place: 0,
    };
    for round in 0..5_u64 {
        append(&*node.journal, unit(&cart(1), round * 2, 2)).await;
        let events = vec![foreign(b""), foreign(b"{\"theirs\":true}"), foreign(b"[1]")];
        double.shared.store().append(&stream, Expected::Any, events).unwrap();
    }
    append(&*node.journal, unit(&cart(2), 0, 1)).await;
    let late = Node::open(&double, &stream).await;
    let events = all(&*node.journal).await;
    assert_sound(&events);
    assert_eq!(events.len(), 11);
    assert_same(&all(&*late.journal).await, &events);
}

#[tokio::test]
async fn an_event_says_to_others_what_it_is() {
    let (double, stream) = (Double::start(), fresh_stream());
    let node = Node::open(&double, &stream).await;
    let mut unit = Unit::new(
        vec![group(&cart(1), 0, 2), group(&cart(2), 0, 1)],
        Arc::from(" {\"actor\": \"test\"}\n"),
    );
    unit.groups[0].events[1].payload = Arc::from("\t[1, 2 ]  ");
    append(&*node.journal, unit.clone()).await;
    let stored = double.shared.store().forwards(&stream, 1, 10).unwrap();
    let given = unit.groups.iter().flat_map(|group| &group.events);
    for ((revision, stored), event) in stored.iter().zip(given) {
        assert_eq!(stored.id, event.id);
        assert_eq!(stored.metadata["type"], "cart.line_added");
        assert_eq!(stored.metadata["content-type"], "application/json");
        assert_eq!(stored.data, event.payload.trim().as_bytes());
        let mark: serde_json::Value = serde_json::from_slice(&stored.custom).unwrap();
        assert_eq!(mark["position"], *revision, "only the beginning is no event of ours");
        assert_eq!(mark["occurred"], "2023-11-14T22:13:20.000001Z");
        let (stream, version) =
            [(cart(1), 1), (cart(1), 2), (cart(2), 1)][*revision as usize - 1].clone();
        assert_eq!(mark["stream"], stream.to_string());
        assert_eq!(mark["version"], version);
        assert_eq!(mark["unit"], serde_json::json!([revision - 1, 3]));
    }
    // With the first alone, and to the letter: white space and all.
    let fresh = Node::open(&double, &stream).await;
    let events = all(&*fresh.journal).await;
    assert!(events.iter().all(|event| event.metadata == unit.metadata));
    assert_eq!(events[1].payload, unit.groups[0].events[1].payload);
}

fn cluster(nodes: &[&Double], leader: usize, alive: &[bool]) {
    let members: Vec<_> =
        nodes.iter().enumerate().map(|(n, node)| (node.address(), alive[n], n == leader)).collect();
    for (n, node) in nodes.iter().enumerate() {
        *node.shared.members.lock().unwrap() = members.clone();
        let follows = (n != leader).then(|| nodes[leader].address());
        *node.shared.faults.leader_is.lock().unwrap() = follows;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_leader_of_a_cluster_is_followed_when_it_changes_and_when_it_dies() {
    let (mut first, stream) = (Double::start(), fresh_stream());
    let (second, third) = (first.beside(), first.beside());
    cluster(&[&first, &second, &third], 0, &[true; 3]);
    let (a, b, c) = (first.address(), second.address(), third.address());
    let directory = tempfile::tempdir().unwrap();
    let url = format!("esdb://{a},{b},{c}?tls=false&stream={stream}&discoveryInterval=50");
    let journal =
        EventStoreJournal::open(&url, options(&directory.path().join("mirror"))).await.unwrap();
    append(&journal, unit(&cart(1), 0, 1)).await;
    let before = first.shared.appends.load(Relaxed);
    assert_eq!(before, 2, "the beginning and the event, both at the leader");
    // Another is elected; the old leader says so.
    cluster(&[&first, &second, &third], 1, &[true; 3]);
    first.next_append(Fate::NotLeader(b));
    append(&journal, unit(&cart(1), 1, 1)).await;
    assert!(second.shared.appends.load(Relaxed) >= 1);
    // The new one dies, and the next is elected.
    cluster(&[&first, &second, &third], 2, &[true, false, true]);
    drop(second);
    append(&journal, unit(&cart(1), 2, 1)).await;
    assert!(third.shared.appends.load(Relaxed) >= 1);
    first.stop();
    append(&journal, unit(&cart(1), 3, 1)).await;
    let events = all(&journal).await;
    assert_sound(&events);
    assert_eq!(events.len(), 4);
}
