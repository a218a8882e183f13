//! The relay over journals in memory and a bus that remembers, refuses and fails as it is told.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta};
use journal::{
    Category, Group, JournalId, MemoryJournal, NewEvent, Position, Storage, StreamId, Unit, Verdict,
};
use schemas::catalogue;
use schemas::public::PublicMessage;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::*;
use crate::leadership::Candidate;

#[derive(Default)]
struct TestBus {
    mark: Mutex<Option<Mark>>,
    told: Mutex<Vec<u64>>,
    kept: Mutex<Vec<Mark>>,
    /// Errors of the next publishes, last first.
    failures: Mutex<Vec<BusError>>,
}

#[async_trait]
impl MessageBus for TestBus {
    async fn resume(&self, _: JournalId) -> Result<Option<Mark>, BusError> {
        Ok(*self.mark.lock().unwrap())
    }

    async fn publish(&self, messages: Vec<PublicMessage>) -> Result<(), BusError> {
        if let Some(error) = self.failures.lock().unwrap().pop() {
            return Err(error);
        }
        for message in messages {
            self.told.lock().unwrap().push(message.position);
            let position = Position(message.position);
            *self.mark.lock().unwrap() = Some(Mark { position, event: Some(message.id) });
        }
        Ok(())
    }

    async fn keep(&self, mark: Mark) -> Result<(), BusError> {
        self.kept.lock().unwrap().push(mark);
        *self.mark.lock().unwrap() = Some(mark);
        Ok(())
    }
}

impl TestBus {
    fn told(&self) -> Vec<u64> {
        self.told.lock().unwrap().clone()
    }
}

fn quick() -> RelayOptions {
    RelayOptions {
        page_events: 7,
        mark_events: 20,
        quiet: Duration::from_millis(10),
        retry_min: Duration::from_millis(2),
        retry_max: Duration::from_millis(10),
        ..RelayOptions::default()
    }
}

fn journal() -> (Arc<Storage>, Arc<MemoryJournal>) {
    let storage = Arc::new(Storage::new(Uuid::now_v7()));
    (Arc::clone(&storage), Arc::new(MemoryJournal::over(storage)))
}

async fn append(journal: &dyn Journal, event_type: &'static str, version: u16) -> Position {
    let entry = catalogue().into_iter().find(|entry| entry.event_type == event_type).unwrap();
    append_as(journal, event_type, version, entry.versions[0].full_sample).await
}

async fn append_as(
    journal: &dyn Journal,
    event_type: &'static str,
    schema_version: u16,
    payload: &str,
) -> Position {
    let event = NewEvent {
        id: Uuid::now_v7(),
        event_type: Category::from_static(event_type),
        schema_version,
        payload: Arc::from(payload),
        occurred: DateTime::UNIX_EPOCH,
    };
    let category = Category::from_static(event_type.split('.').next().unwrap());
    let stream = StreamId::of_uuid(category, Uuid::now_v7());
    let unit = Unit::new(vec![Group { stream, expected: 0, events: vec![event] }], Arc::from("{}"));
    match journal.append(vec![unit]).await.unwrap().remove(0) {
        Verdict::Committed { last, .. } => last,
        other => panic!("{other:?}"),
    }
}

struct Running {
    handle: RelayHandle,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    fn start(journal: &Arc<MemoryJournal>, bus: &Arc<TestBus>, options: RelayOptions) -> Self {
        Self::of(Relay::open(Arc::clone(journal) as _, Arc::clone(bus) as _, options))
    }

    fn of(relay: Relay) -> Self {
        let handle = relay.handle();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(relay.run(async {
            let _ = stopped.await;
        }));
        Self { handle, stop, task }
    }

    async fn reached(&self, position: Position) {
        let reached = self.handle.reached(position);
        tokio::time::timeout(Duration::from_secs(20), reached).await.expect("the relay gets there");
    }

    async fn stop(self) {
        let _ = self.stop.send(());
        self.task.await.unwrap();
    }
}

/// Waits until `is`, and fails if that takes too long.
async fn until(is: impl Fn() -> bool) {
    let wait = async {
        while !is() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("it comes to that");
}

#[tokio::test]
async fn what_is_told_is_told_in_order_and_the_rest_is_passed_over() {
    let (_, journal) = journal();
    let bus = Arc::new(TestBus::default());
    let mut expected = Vec::new();
    for n in 0..40 {
        append(&*journal, "cart.expired", 1).await;
        if n % 3 == 0 {
            expected.push(append(&*journal, "order.confirmed", 1).await.0);
        }
    }
    let running = Running::start(&journal, &bus, quick());
    running.reached(journal.head()).await;
    expected.push(append(&*journal, "order.confirmed", 1).await.0);
    running.reached(journal.head()).await;
    assert_eq!(bus.told(), expected);
    assert_eq!(running.handle.lag(), Some(0));
    assert_eq!(running.handle.progress().published, expected.len() as u64);
    running.stop().await;
}

#[tokio::test]
async fn the_position_is_kept_where_nothing_is_told_for_long_and_when_it_ends() {
    let (_, journal) = journal();
    let bus = Arc::new(TestBus::default());
    for _ in 0..65 {
        append(&*journal, "cart.expired", 1).await;
    }
    let quiet = Duration::from_secs(60);
    let running = Running::start(&journal, &bus, RelayOptions { quiet, ..quick() });
    running.reached(journal.head()).await;
    running.stop().await;
    let kept: Vec<u64> = bus.kept.lock().unwrap().iter().map(|mark| mark.position.0).collect();
    assert_eq!(kept, [21, 42, 63, 65]);
}

#[tokio::test]
async fn a_quiet_log_makes_the_position_kept_once() {
    let (_, journal) = journal();
    let bus = Arc::new(TestBus::default());
    append(&*journal, "cart.expired", 1).await;
    let running = Running::start(&journal, &bus, quick());
    until(|| bus.kept.lock().unwrap().len() == 1).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(bus.kept.lock().unwrap().len(), 1);
    append(&*journal, "cart.expired", 1).await;
    until(|| bus.kept.lock().unwrap().len() == 2).await;
    running.stop().await;
}

#[tokio::test]
async fn whatever_fails_is_tried_again_and_nothing_is_left_out() {
    let (_, journal) = journal();
    let bus = Arc::new(TestBus::default());
    let later = || BusError::Unavailable("away".to_owned());
    let errors = vec![later(), BusError::Overtaken, BusError::SetUp("wrong".to_owned()), later()];
    *bus.failures.lock().unwrap() = errors;
    for _ in 0..30 {
        append(&*journal, "order.confirmed", 1).await;
    }
    let running = Running::start(&journal, &bus, quick());
    running.reached(journal.head()).await;
    assert_eq!(bus.told(), (1..=30).collect::<Vec<_>>());
    assert_eq!(running.handle.progress().retries, 4);
    assert_eq!(running.handle.progress().state, RelayState::Leading);
    running.stop().await;
}

#[tokio::test]
async fn trouble_is_shown_while_it_lasts() {
    let (_, journal) = journal();
    let bus = Arc::new(TestBus::default());
    *bus.failures.lock().unwrap() = vec![BusError::SetUp("ask somebody".to_owned()); 500];
    append(&*journal, "order.confirmed", 1).await;
    let running = Running::start(&journal, &bus, quick());
    until(|| running.handle.progress().state == RelayState::Troubled("ask somebody".to_owned()))
        .await;
    assert_eq!(running.handle.lag(), Some(1));
    assert!(running.handle.progress().oldest_waiting.is_some());
    bus.failures.lock().unwrap().clear();
    running.reached(journal.head()).await;
    until(|| running.handle.progress().state == RelayState::Leading).await;
    running.stop().await;
}

#[tokio::test]
async fn a_fresh_bus_may_begin_at_the_head_and_then_goes_on_from_there() {
    let (_, journal) = journal();
    let bus = Arc::new(TestBus::default());
    append(&*journal, "order.confirmed", 1).await;
    let options = RelayOptions { start: Start::Head, ..quick() };
    let running = Running::start(&journal, &bus, options.clone());
    running.reached(Position(1)).await;
    running.stop().await;
    append(&*journal, "order.confirmed", 1).await;
    let running = Running::start(&journal, &bus, options);
    running.reached(Position(2)).await;
    assert_eq!(bus.told(), [2]);
    running.stop().await;
}

#[tokio::test]
async fn an_event_nobody_can_read_is_counted_and_does_not_hold_up_the_rest() {
    let (_, journal) = journal();
    let bus = Arc::new(TestBus::default());
    append(&*journal, "order.confirmed", 1).await;
    append_as(&*journal, "order.confirmed", 1, "{}").await;
    append(&*journal, "order.confirmed", 1).await;
    let running = Running::start(&journal, &bus, quick());
    running.reached(Position(3)).await;
    assert_eq!(bus.told(), [1, 3]);
    assert_eq!(running.handle.progress().unreadable, 1);
    running.stop().await;
}

#[tokio::test]
async fn an_event_of_a_newer_release_waits_for_one() {
    let (_, journal) = journal();
    let bus = Arc::new(TestBus::default());
    append(&*journal, "order.confirmed", 1).await;
    append(&*journal, "order.confirmed", 9).await;
    append(&*journal, "order.confirmed", 1).await;
    let running = Running::start(&journal, &bus, quick());
    until(|| matches!(running.handle.progress().state, RelayState::Troubled(_))).await;
    tokio::time::sleep(Duration::from_millis(40)).await;
    assert_eq!(bus.told(), [1]);
    let RelayState::Troubled(what) = running.handle.progress().state else {
        panic!("it is still there");
    };
    assert!(what.contains("upgrade"), "{what}");
    running.stop().await;
}

#[tokio::test]
async fn a_journal_that_took_another_course_is_not_told() {
    let (_, journal) = journal();
    let bus = Arc::new(TestBus::default());
    append(&*journal, "order.confirmed", 1).await;
    append(&*journal, "order.confirmed", 1).await;
    let elsewhere = Mark { position: Position(1), event: Some(Uuid::now_v7()) };
    *bus.mark.lock().unwrap() = Some(elsewhere);
    let running = Running::start(&journal, &bus, quick());
    until(|| matches!(running.handle.progress().state, RelayState::Troubled(_))).await;
    let RelayState::Troubled(what) = running.handle.progress().state else {
        panic!("it is still there");
    };
    assert!(what.contains("restored"), "{what}");
    assert_eq!(bus.told(), Vec::<u64>::new());
    running.stop().await;
}

#[tokio::test]
async fn a_journal_that_is_behind_the_bus_tells_nothing_before_it_gets_there() {
    let (_, journal) = journal();
    let bus = Arc::new(TestBus::default());
    append(&*journal, "order.confirmed", 1).await;
    *bus.mark.lock().unwrap() = Some(Mark { position: Position(2), event: None });
    let running = Running::start(&journal, &bus, quick());
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert_eq!(bus.told(), Vec::<u64>::new());
    append(&*journal, "order.confirmed", 1).await;
    append(&*journal, "order.confirmed", 1).await;
    running.reached(Position(3)).await;
    assert_eq!(bus.told(), [3]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn on_a_shared_journal_one_relay_works_and_the_next_takes_over() {
    let seconds = Arc::new(AtomicI64::new(0));
    let clock = Arc::clone(&seconds);
    let now = move || DateTime::UNIX_EPOCH + TimeDelta::seconds(clock.load(SeqCst));
    let storage = Arc::new(Storage::new(Uuid::now_v7()));
    let shared = Arc::new(MemoryJournal::over(storage).with_clock(Arc::new(now)).shared());
    let bus = Arc::new(TestBus::default());
    let node = |owner: u128| {
        let (candidate, leadership) =
            Candidate::new(Arc::clone(&shared) as _, LEASE, Uuid::from_u128(owner));
        let candidate = tokio::spawn(candidate.run(Arc::new(TokioTimer)));
        let relay = Relay::open(Arc::clone(&shared) as _, Arc::clone(&bus) as _, quick());
        (candidate, Running::of(relay.led_by(leadership)))
    };
    let (candidate, first) = node(1);
    append(&*shared, "order.confirmed", 1).await;
    first.reached(Position(1)).await;
    let (_, second) = node(2);
    until(|| second.handle.progress().state == RelayState::Standby).await;
    assert_eq!(second.handle.lag(), None);
    // As when it is paused: it does not renew.
    candidate.abort();
    seconds.fetch_add(6, SeqCst);
    append(&*shared, "order.confirmed", 1).await;
    second.reached(Position(2)).await;
    assert_eq!(bus.told().into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([1, 2]));
    second.stop().await;
}

#[tokio::test]
async fn a_closed_journal_ends_the_relay() {
    let (_, journal) = journal();
    let bus = Arc::new(TestBus::default());
    let running = Running::start(&journal, &bus, quick());
    until(|| running.handle.progress().state == RelayState::Leading).await;
    journal.close().await.unwrap();
    tokio::time::timeout(Duration::from_secs(20), running.task).await.unwrap().unwrap();
}
