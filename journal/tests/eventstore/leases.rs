//! Leases over several nodes: one owner, ended by the clock of whoever waits, fenced by the log.

use std::time::{Duration, Instant};

use journal::{Fence, Journal, Leases, Unit, Verdict};
use uuid::Uuid;

use crate::sample::{Node, all, append, assert_sound, cart, fresh_stream, is_committed, unit};
use test_servers::eventstore::{Double, Fate};

const TTL: Duration = Duration::from_millis(600);

fn under(epoch: u64, unit: Unit) -> Unit {
    Unit { fence: Some(Fence { lease: "agenda".into(), epoch }), ..unit }
}

fn leases(node: &Node) -> &dyn Leases {
    node.journal.leases().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lease_passes_on_when_its_owner_falls_silent_and_what_it_did_late_is_refused() {
    let (double, stream) = (Double::start(), fresh_stream());
    // It will not hear of the other by itself.
    let paused = Node::open_with(&double, &stream, |options| {
        options.poll_every = Duration::from_secs(3_600);
    })
    .await;
    let next = Node::open(&double, &stream).await;
    let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
    assert_eq!(leases(&paused).hold("agenda", first, TTL).await.unwrap(), Some(1));
    for n in 0..3 {
        assert_eq!(leases(&next).hold("agenda", second, TTL).await.unwrap(), None);
        tokio::time::sleep(TTL / 2).await;
        assert_eq!(leases(&paused).hold("agenda", first, TTL).await.unwrap(), Some(1), "renewed");
        let own = under(1, unit(&cart(1), n, 1));
        assert!(is_committed(&append(&*paused.journal, own).await));
    }
    let silent = Instant::now();
    let epoch = loop {
        match leases(&next).hold("agenda", second, TTL).await.unwrap() {
            Some(epoch) => break epoch,
            None => tokio::time::sleep(TTL / 10).await,
        }
    };
    assert_eq!(epoch, 2);
    assert!(silent.elapsed() >= TTL * 9 / 10, "not before its time");
    // All that the first let through is there before the second begins.
    assert_eq!(next.journal.stream_version(&cart(1)).await.unwrap(), 3);
    let late = under(1, unit(&cart(1), 3, 1));
    assert_eq!(append(&*paused.journal, late).await, Verdict::Fenced { epoch: 2 });
    assert!(is_committed(&append(&*next.journal, under(2, unit(&cart(1), 3, 1))).await));
    assert_eq!(leases(&paused).hold("agenda", first, TTL).await.unwrap(), None);
    assert_sound(&all(&*next.journal).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_all_who_want_a_lease_one_gets_it() {
    let (double, stream) = (Double::start(), fresh_stream());
    let nodes = [Node::open(&double, &stream).await, Node::open(&double, &stream).await];
    for round in 1..=5_u64 {
        let tries: Vec<_> = (0..6)
            .map(|n: usize| {
                let journal = nodes[n % 2].journal.clone();
                let owner = Uuid::from_u128(u128::from(round) * 100 + n as u128);
                tokio::spawn(async move {
                    let leases = journal.leases().unwrap();
                    (owner, leases.hold("agenda", owner, Duration::from_secs(600)).await.unwrap())
                })
            })
            .collect();
        let mut won = Vec::new();
        for attempt in tries {
            let (owner, epoch) = attempt.await.unwrap();
            won.extend(epoch.map(|epoch| (owner, epoch)));
        }
        assert_eq!(won.len(), 1, "{won:?}");
        assert_eq!(won[0].1, round);
        leases(&nodes[0]).release("agenda", won[0].0).await.unwrap();
    }
}

#[tokio::test]
async fn a_lease_whose_writing_is_in_doubt_is_held_once() {
    let (double, stream) = (Double::start(), fresh_stream());
    let node = Node::open(&double, &stream).await;
    let owner = Uuid::from_u128(1);
    for (n, fate) in [Fate::CutBefore, Fate::CutAfter].into_iter().enumerate() {
        let lease = format!("lease{n}");
        // The lease's own stream, then the mark in the log.
        double.next_append(fate);
        let epoch = leases(&node).hold(&lease, owner, TTL).await.unwrap();
        assert_eq!(epoch, Some(1), "{fate:?}");
        double.next_append(fate);
        assert_eq!(leases(&node).hold(&lease, owner, TTL).await.unwrap(), Some(1));
    }
    for fate in [Fate::CutBefore, Fate::CutAfter] {
        let lease = format!("marked{fate:?}");
        // The lease's stream, its metadata, then the mark.
        double.next_append(Fate::Pass);
        double.next_append(Fate::Pass);
        double.next_append(fate);
        assert_eq!(leases(&node).hold(&lease, owner, TTL).await.unwrap(), Some(1));
        assert!(double.is_through());
        let fence = Some(Fence { lease: lease.into(), epoch: 1 });
        let led = Unit { fence, ..unit(&cart(Uuid::now_v7().as_u128()), 0, 1) };
        assert!(is_committed(&append(&*node.journal, led).await));
    }
}

#[tokio::test]
async fn a_lease_leaves_few_events_behind() {
    let (double, stream) = (Double::start(), fresh_stream());
    let node = Node::open(&double, &stream).await;
    for _ in 0..25 {
        leases(&node).hold("agenda", Uuid::from_u128(1), TTL).await.unwrap();
    }
    let name = format!("{stream}-lease-agenda");
    assert_eq!(double.shared.store().forwards(&name, 0, u64::MAX).unwrap().len(), 10);
    let log = double.shared.store().forwards(&stream, 0, u64::MAX).unwrap();
    assert_eq!(log.len(), 2, "the beginning, and one change of owner");
    let error = leases(&node).hold("no such/name", Uuid::nil(), TTL).await.unwrap_err();
    assert!(error.to_string().contains("no such/name"), "{error}");
}
