//! The sample consumer, beside a relay, killed again and again.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use journal::{Category, Group, Journal, MemoryJournal, NewEvent, Storage, StreamId, Unit};
use sagas::relay::{JetStreamBus, JetStreamOptions, Relay, RelayOptions};
use test_servers::nats::Server;
use uuid::Uuid;

const ORDERS: u64 = 120;
const KILLS: usize = 4;

/// Where cargo puts examples, beside the tests' own folder.
fn example() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let example = test.parent().unwrap().with_file_name("examples").join("consumer");
    // `cargo test` builds it, but not if it is told to build this test alone.
    assert!(example.exists(), "first run `cargo build --example consumer`");
    example
}

fn consumer(
    url: &str,
    file: &Path,
    subject: &str,
) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut child = Command::new(example())
        .args([url, "books"])
        .arg(file)
        .arg(subject)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines.map_while(Result::ok))
}

async fn place(journal: &dyn Journal) {
    let sample = |event_type: &str| {
        let entry = schemas::catalogue().into_iter().find(|e| e.event_type == event_type).unwrap();
        NewEvent {
            id: Uuid::now_v7(),
            event_type: Category::from_static(entry.event_type),
            schema_version: 1,
            payload: Arc::from(entry.versions[0].full_sample),
            occurred: chrono::Utc::now(),
        }
    };
    let stream = StreamId::of_uuid(Category::from_static("order"), Uuid::now_v7());
    let events = vec![sample("order.placed"), sample("order.confirmed")];
    let unit = Unit::new(vec![Group { stream, expected: 0, events }], Arc::from("{}"));
    journal.append(vec![unit]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sample_consumer_takes_every_message_in_order_through_kills() {
    let nats = Server::start();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("position");
    let journal = Arc::new(MemoryJournal::over(Arc::new(Storage::new(Uuid::now_v7()))));
    for _ in 0..ORDERS {
        place(&*journal).await;
    }
    let bus = Arc::new(JetStreamBus::new(JetStreamOptions::new(&nats.url())).unwrap());
    let relay = Relay::open(Arc::clone(&journal) as _, bus, RelayOptions::default());
    let handle = relay.handle();
    let relay = tokio::spawn(relay.run(std::future::pending()));
    let reached = handle.reached(journal.head());
    tokio::time::timeout(Duration::from_secs(60), reached).await.expect("all is published");

    let url = nats.url();
    let taken = tokio::task::spawn_blocking(move || {
        let mut taken: Vec<u64> = Vec::new();
        for kill in 0..=KILLS {
            let (mut child, lines) = consumer(&url, &file, "tillroll.orders.*");
            let mut seen = 0;
            for line in lines {
                taken.push(line.split_whitespace().nth(1).unwrap().parse().unwrap());
                seen += 1;
                // What it has printed by then is read to the end.
                if (kill < KILLS && seen == 20 + kill) || taken.last() == Some(&(2 * ORDERS)) {
                    child.kill().unwrap();
                }
            }
            child.wait().unwrap();
        }
        taken
    });
    let mut taken = taken.await.unwrap();
    // Killed between doing something and noting it, it does it once more.
    let repeats = taken.windows(2).filter(|pair| pair[0] >= pair[1]).count();
    assert!(repeats <= KILLS, "{repeats} of {KILLS}");
    taken.dedup();
    assert_eq!(taken, (1..=2 * ORDERS).collect::<Vec<_>>());
    relay.abort();
}
