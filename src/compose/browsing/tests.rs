//! Browsing where it is really kept: in files, in PostgreSQL, in EventStoreDB.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

#[cfg(any(feature = "postgres", feature = "eventstore"))]
use commands::browsing::remove_expired;
use commands::browsing::{BrowsingJournals, BrowsingLog, BrowsingOptions, BrowsingReader, Period};
use commands::{Clock, SystemIds, TokioTimer};
use domain::browsing::BrowsingEvent;
use domain::{CustomerId, ProductId, Timestamp};
use tempfile::TempDir;
#[cfg(feature = "eventstore")]
use test_servers::eventstore;
#[cfg(feature = "postgres")]
use test_servers::postgres;
use tokio::sync::oneshot;
use uuid::Uuid;

#[cfg(any(feature = "postgres", feature = "eventstore"))]
use crate::compose::stores::JournalPlace;
use crate::compose::stores::Stores;
use crate::compose::{Node, NodeOptions};

struct SetClock(Mutex<Timestamp>);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// One node's side of it.
struct Side {
    data: TempDir,
    clock: Arc<SetClock>,
    journals: Arc<dyn BrowsingJournals>,
}

impl Side {
    fn in_files() -> Self {
        let data = tempfile::tempdir().unwrap();
        let stores = Stores::in_directory(data.path());
        Self::new(data, &stores)
    }

    /// A node of several.
    #[cfg(any(feature = "postgres", feature = "eventstore"))]
    fn at(journal: JournalPlace) -> Self {
        let data = tempfile::tempdir().unwrap();
        let stores = Stores { journal, ..Stores::in_directory(data.path()) };
        Self::new(data, &stores)
    }

    fn new(data: TempDir, stores: &Stores) -> Self {
        let clock = Arc::new(SetClock(Mutex::new("2026-11-20T12:00:00Z".parse().unwrap())));
        let journals = stores.browsing(
            &journal::Options::default(),
            BrowsingOptions::default(),
            Arc::clone(&clock) as Arc<dyn Clock>,
        );
        Self { data, clock, journals }
    }

    fn set(&self, time: &str) {
        *self.clock.0.lock().unwrap() = time.parse().unwrap();
    }

    /// A node runs, sees this customer look at something, and ends.
    async fn looked(&self, customer: CustomerId) {
        let (log, writer) = BrowsingLog::new(
            BrowsingOptions::default(),
            Arc::clone(&self.journals),
            Arc::clone(&self.clock) as Arc<dyn Clock>,
            Arc::new(SystemIds::default()),
        );
        log.viewed(Some(customer), ProductId::new(Uuid::now_v7()), self.clock.now());
        writer.run(Arc::new(TokioTimer), std::future::ready(())).await;
        assert_eq!(log.stats().written, 1, "{:?}", log.stats());
    }

    fn reader(&self) -> BrowsingReader {
        let journals = Arc::clone(&self.journals);
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        BrowsingReader::new(journals, clock, BrowsingOptions::default())
    }

    fn periods(&self) -> Vec<String> {
        self.journals.list().unwrap().iter().map(Period::to_string).collect()
    }
}

fn customer(number: u128) -> CustomerId {
    CustomerId::new(Uuid::from_u128(number))
}

/// Whose views come, by number, in order; several are waited for.
async fn seen(reader: &mut BrowsingReader, enough: usize) -> Vec<u128> {
    let mut all = Vec::new();
    for _ in 0..1_200 {
        let mut take = |event: BrowsingEvent, _| match event {
            BrowsingEvent::Viewed { customer_id: Some(customer), .. } => {
                all.push(customer.uuid().as_u128());
            }
            other => panic!("{other:?}"),
        };
        reader.catch_up(&mut take).await.unwrap();
        if all.len() >= enough {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    all
}

/// Two nodes look through the months, and the older one goes.
#[cfg(any(feature = "postgres", feature = "eventstore"))]
async fn comes_and_goes(one: &Side, two: &Side) {
    assert_eq!(one.periods(), Vec::<String>::new());
    one.set("2026-07-31T23:59:59Z");
    one.looked(customer(1)).await;
    for side in [one, two] {
        side.set("2026-10-28T12:00:00Z");
    }
    one.looked(customer(2)).await;
    assert_eq!(one.periods(), ["2026-07", "2026-10"]);
    let mut reader = two.reader();
    assert_eq!(seen(&mut reader, 2).await, [1, 2]);
    // Both have the month open.
    two.looked(customer(3)).await;
    one.looked(customer(4)).await;
    assert_eq!(seen(&mut reader, 2).await, [3, 4]);
    drop(reader);

    for side in [one, two] {
        side.set("2026-11-20T12:00:00Z");
    }
    let options = BrowsingOptions::default();
    let now = one.clock.now();
    let removed = remove_expired(&*one.journals, &options, now).unwrap();
    assert_eq!(removed.iter().map(Period::to_string).collect::<Vec<_>>(), ["2026-07"]);
    assert_eq!(one.periods(), ["2026-10"]);
    // A node that has a mirror of it removes that.
    remove_expired(&*two.journals, &options, now).unwrap();
    assert_eq!(two.periods(), ["2026-10"]);
    one.journals.remove("2026-07".parse().unwrap()).unwrap();
    assert_eq!(seen(&mut one.reader(), 3).await, [2, 3, 4]);
}

#[tokio::test]
async fn in_files() {
    let side = Side::in_files();
    let directory = side.data.path().join("browsing");
    assert_eq!(side.periods(), Vec::<String>::new());
    assert!(!directory.exists());
    side.set("2026-07-31T23:59:59Z");
    side.looked(customer(1)).await;
    // What a crash leaves, and what is none of ours.
    std::fs::write(directory.join("2026-07.db-shm"), "").unwrap();
    std::fs::write(directory.join("notes.db"), "").unwrap();
    assert_eq!(side.periods(), ["2026-07"]);
    side.set("2026-11-20T12:00:00Z");
    // The node that starts clears away what is too old.
    side.looked(customer(2)).await;
    assert_eq!(side.periods(), ["2026-11"]);
    let mut left: Vec<String> = std::fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".lock"))
        .collect();
    left.sort();
    left.retain(|name| !name.starts_with("2026-11.db-"));
    assert_eq!(left, ["2026-11.db", "notes.db"]);
    assert!(!directory.join("2026-07.db.lock").exists());
    assert_eq!(seen(&mut side.reader(), 1).await, [2]);
}

#[tokio::test]
async fn whoever_opens_a_month_shares_it() {
    let side = Side::in_files();
    let november: Period = "2026-11".parse().unwrap();
    let one = side.journals.open(november).unwrap();
    let two = side.journals.open(november).unwrap();
    assert!(Arc::ptr_eq(&one, &two));
    drop((one, two));
    // It is closed by now, so it can be opened anew.
    side.journals.open(november).unwrap();
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_postgresql_for_several_nodes() {
    let url = postgres::database().await;
    let place = || JournalPlace::Postgres(url.clone());
    let (one, two) = (Side::at(place()), Side::at(place()));
    comes_and_goes(&one, &two).await;
    let schemas = journal::postgres_schemas(&url, "tillroll").await.unwrap();
    // Whoever reads follows the month that is now.
    assert_eq!(schemas, ["tillroll_browsing_2026_10", "tillroll_browsing_2026_11"]);
    // The shop's own journal, and what has no journal, are left alone.
    journal::migrate_postgres(&url, None).await.unwrap();
    journal::drop_postgres_schema(&url, "pg_catalog").await.unwrap();
    journal::drop_postgres_schema(&url, "information_schema; x").await.unwrap();
    assert_eq!(one.periods(), ["2026-10", "2026-11"]);
    assert_eq!(journal::postgres_schemas(&url, "public").await.unwrap(), ["public"]);
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_that_is_dropped_under_a_reader_is_passed_over() {
    let url = postgres::database().await;
    let side = Side::at(JournalPlace::Postgres(url.clone()));
    side.set("2026-10-31T12:00:00Z");
    side.looked(customer(1)).await;
    let mut reader = side.reader();
    assert_eq!(seen(&mut reader, 1).await, [1]);
    side.set("2026-11-01T00:30:00Z");
    journal::drop_postgres_schema(&url, "tillroll_browsing_2026_10").await.unwrap();
    side.looked(customer(2)).await;
    assert_eq!(seen(&mut reader, 1).await, [2]);
}

#[cfg(feature = "eventstore")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_eventstoredb_for_several_nodes() {
    let double = eventstore::Double::start();
    let place = || JournalPlace::EventStore(double.url("shop"));
    let (one, two) = (Side::at(place()), Side::at(place()));
    comes_and_goes(&one, &two).await;
    for side in [&one, &two] {
        let mirrors: Vec<String> = std::fs::read_dir(side.data.path().join("browsing"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("2026-07"))
            .collect();
        assert_eq!(mirrors, Vec::<String>::new());
    }
}

#[test]
fn a_node_keeps_what_was_looked_at_and_reads_it_again() {
    let data = tempfile::tempdir().unwrap();
    let options = NodeOptions { realtime_priority: false, ..NodeOptions::new(data.path()) };
    let node = Node::open(&options).unwrap();
    node.browsing.viewed(Some(customer(1)), ProductId::new(Uuid::now_v7()), options.clock.now());
    crate::block_on::block_on(node.close()).unwrap();

    let node = Node::open(&options).unwrap();
    let (caught_up, told) = oneshot::channel();
    let given = Arc::new(Mutex::new(Vec::new()));
    let (give, reader) = (Arc::clone(&given), node.browsing_reader());
    let reading = std::thread::spawn(move || {
        let runtime = super::super::runtime().unwrap();
        runtime.block_on(reader.run(
            Arc::new(TokioTimer),
            async move { told.await.unwrap() },
            move || caught_up.send(()).unwrap(),
            move |event, _| give.lock().unwrap().push(event),
        ));
    });
    reading.join().unwrap();
    assert!(matches!(given.lock().unwrap()[..], [BrowsingEvent::Viewed { .. }]));
    crate::block_on::block_on(node.close()).unwrap();
}
