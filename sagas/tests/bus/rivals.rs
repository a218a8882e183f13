//! Two relays over one stream, with and without a lease between them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use commands::{Clock, SystemClock, Timer};
use journal::{Journal, JournalId, MemoryJournal, Storage};
use sagas::leadership::Candidate;
use sagas::relay::{
    BusError, JetStreamBus, JetStreamOptions, LEASE, Mark, MessageBus, Relay, RelayState,
};
use schemas::public::PublicMessage;
use test_servers::nats;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::running::{PATIENCE, Running, relay_options};
use crate::shop;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relays_that_know_nothing_of_each_other_publish_nothing_twice() {
    let options = shop::options(&nats::shared_url());
    let journal = shop::memory();
    let relays: Vec<Running> =
        (0..3).map(|_| Running::start(Arc::clone(&journal) as _, &options)).collect();
    for _ in 0..300 {
        shop::one_order(&*journal).await;
        tokio::task::yield_now().await;
    }
    for relay in relays {
        relay.reached(journal.head()).await;
        relay.stop().await;
    }
    shop::exactly_once(&*journal, &options).await;
}

/// Leases run out sooner: for the store's clock and for those who renew, time goes faster alike.
const FASTER: u32 = 20;

struct FastTimer;

#[async_trait]
impl Timer for FastTimer {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration / FASTER).await;
    }
}

struct Node {
    relay: Running,
    candidate: tokio::task::JoinHandle<()>,
}

fn node(journal: &Arc<MemoryJournal>, options: &JetStreamOptions) -> Node {
    let (candidate, leadership) = Candidate::new(Arc::clone(journal) as _, LEASE, Uuid::now_v7());
    let bus = Arc::new(JetStreamBus::new(options.clone()).unwrap());
    let relay = Relay::open(Arc::clone(journal) as _, bus, relay_options()).led_by(leadership);
    Node { relay: Running::of(relay), candidate: tokio::spawn(candidate.run(Arc::new(FastTimer))) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_keeps_all_but_one_at_rest_and_passes_on_when_that_one_dies() {
    let options = shop::options(&nats::shared_url());
    let began = SystemClock.now();
    let fast = move || began + (SystemClock.now() - began) * i32::try_from(FASTER).unwrap();
    let storage = Arc::new(Storage::new(Uuid::now_v7()));
    let journal = Arc::new(MemoryJournal::over(storage).with_clock(Arc::new(fast)).shared());
    let mut nodes = vec![node(&journal, &options), node(&journal, &options)];
    for round in 0..8 {
        let position = shop::one_order(&*journal).await;
        let reached = nodes.iter().map(|node| Box::pin(node.relay.handle.reached(position)));
        let first = tokio::time::timeout(PATIENCE, futures::future::select_all(reached)).await;
        let (_, leader, _) = first.expect("somebody takes over");
        let leader = nodes.remove(leader);
        assert_eq!(leader.relay.handle.progress().state, RelayState::Leading, "round {round}");
        assert_ne!(nodes[0].relay.handle.progress().state, RelayState::Leading, "round {round}");
        leader.candidate.abort();
        if round % 2 == 0 {
            leader.relay.kill().await;
        } else {
            leader.relay.stop().await;
        }
        nodes.push(node(&journal, &options));
    }
    for node in nodes {
        node.relay.stop().await;
        node.candidate.abort();
    }
    shop::exactly_once(&*journal, &options).await;
}

/// A bus in front of another that lets a publish through only when it may.
struct Gate {
    bus: JetStreamBus,
    open: Arc<Semaphore>,
}

#[async_trait]
impl MessageBus for Gate {
    async fn resume(&self, journal: JournalId) -> Result<Option<Mark>, BusError> {
        self.bus.resume(journal).await
    }

    async fn publish(&self, messages: Vec<PublicMessage>) -> Result<(), BusError> {
        self.open.acquire().await.unwrap().forget();
        self.bus.publish(messages).await
    }

    async fn keep(&self, mark: Mark) -> Result<(), BusError> {
        self.bus.keep(mark).await
    }
}

/// It was about to publish, slept for as long as the whole life of its successor, and wakes up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_wakes_up_late_publishes_nothing_on_top_of_its_successor() {
    // Short, or the server would recognize what the sleeper publishes by the ids.
    let duplicate_window = Duration::from_millis(100);
    let options = JetStreamOptions { duplicate_window, ..shop::options(&nats::shared_url()) };
    let journal = shop::memory();
    let open = Arc::new(Semaphore::new(1));
    let bus = Gate { bus: JetStreamBus::new(options.clone()).unwrap(), open: Arc::clone(&open) };
    let sleeper =
        Running::of(Relay::open(Arc::clone(&journal) as _, Arc::new(bus), relay_options()));
    sleeper.reached(shop::one_order(&*journal).await).await;
    // From here on it stands before the gate with what it read.
    for _ in 0..20 {
        shop::one_order(&*journal).await;
    }
    while sleeper.handle.progress().oldest_waiting.is_none() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let successor = Running::start(Arc::clone(&journal) as _, &options);
    successor.reached(journal.head()).await;
    shop::exactly_once(&*journal, &options).await;
    tokio::time::sleep(duplicate_window * 4).await;
    open.add_permits(1_000);
    sleeper.reached(journal.head()).await;
    let again = shop::one_order(&*journal).await;
    sleeper.reached(again).await;
    successor.reached(again).await;
    assert!(sleeper.handle.progress().retries > 0, "it was never turned away");
    sleeper.stop().await;
    successor.stop().await;
    shop::exactly_once(&*journal, &options).await;
}

/// Two marks of different relays: the later one to write finds out.
#[tokio::test]
async fn the_checkpoint_is_written_by_compare_and_set() {
    let options = shop::options(&nats::shared_url());
    let journal = Uuid::now_v7();
    let [one, other] = [0, 1].map(|_| JetStreamBus::new(options.clone()).unwrap());
    let mark = |position| Mark { position: journal::Position(position), event: None };
    assert_eq!(one.resume(journal).await, Ok(None));
    assert_eq!(other.resume(journal).await, Ok(None));
    one.keep(mark(10)).await.unwrap();
    assert_eq!(other.keep(mark(7)).await, Err(BusError::Overtaken));
    assert_eq!(other.resume(journal).await, Ok(Some(mark(10))));
    other.keep(mark(20)).await.unwrap();
    assert_eq!(one.keep(mark(15)).await, Err(BusError::Overtaken));
    assert_eq!(one.resume(journal).await, Ok(Some(mark(20))));
}
