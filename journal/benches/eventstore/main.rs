//! Appends to a journal in EventStoreDB. `cargo bench -p journal --features eventstore --bench
//! eventstore` runs it over the double of the tests, which keeps everything in memory: what it shows
//! is the cost of the client and of this adapter, not of a server. `TILLROLL_TEST_ESDB_URL` names one.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise"
)]
#![allow(unreachable_pub, dead_code, reason = "shared with the tests")]

#[path = "../../tests/eventstore/sample.rs"]
mod sample;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use journal::{EventStoreJournal, EventStoreOptions, Journal, Position, Unit};
use sample::{cart, fresh_stream, unit};
use test_servers::eventstore::Double;
use uuid::Uuid;

const RUN: Duration = Duration::from_secs(4);

fn units(batch: usize) -> Vec<Unit> {
    (0..batch).map(|_| unit(&cart(Uuid::now_v7().as_u128()), 0, 1)).collect()
}

struct Bench {
    double: Option<Double>,
    given: String,
    directory: tempfile::TempDir,
}

impl Bench {
    fn url(&self, stream: &str) -> String {
        let Some(double) = &self.double else {
            let joint = if self.given.contains('?') { '&' } else { '?' };
            return format!("{}{joint}stream={stream}", self.given);
        };
        double.url(stream)
    }

    async fn open(&self, stream: &str, mirror: &str) -> Arc<EventStoreJournal> {
        let options = EventStoreOptions::new(self.directory.path().join(mirror));
        Arc::new(EventStoreJournal::open(&self.url(stream), options).await.unwrap())
    }

    /// One call at a time, of so many units of one event.
    async fn calls(&self, batch: usize) {
        let stream = fresh_stream();
        let journal = self.open(&stream, &stream).await;
        let (began, before) = (Instant::now(), journal.stats().commits);
        let mut calls = 0;
        while began.elapsed() < RUN {
            journal.append(units(batch)).await.unwrap();
            calls += 1;
        }
        let appends = journal.stats().commits - before;
        tell(&format!("{batch} events a call"), calls * batch, appends, began);
    }

    /// Units of one event, each asked for by a caller of its own.
    async fn callers(&self, callers: usize) {
        let stream = fresh_stream();
        let journal = self.open(&stream, &stream).await;
        let began = Instant::now();
        let tasks: Vec<_> = (0..callers)
            .map(|_| {
                let journal = journal.clone();
                tokio::spawn(async move {
                    let stream = cart(Uuid::now_v7().as_u128());
                    let mut version = 0;
                    while began.elapsed() < RUN {
                        journal.append(vec![unit(&stream, version, 1)]).await.unwrap();
                        version += 1;
                    }
                    version as usize
                })
            })
            .collect();
        let mut done = 0;
        for task in tasks {
            done += task.await.unwrap();
        }
        tell(&format!("{callers} callers"), done, journal.stats().commits, began);
    }

    /// How soon a second node hears of an event, and how fast one without a mirror makes it.
    async fn readers(&self) {
        let stream = fresh_stream();
        let writer = self.open(&stream, "writer").await;
        let reader = self.open(&stream, "reader").await;
        let mut waits = Vec::new();
        for n in 0..60_u64 {
            let began = Instant::now();
            writer.append(units(1)).await.unwrap();
            reader.wait_past(Position(n)).await.unwrap();
            waits.push(began.elapsed());
            tokio::time::sleep(Duration::from_millis(37)).await;
        }
        waits.sort();
        println!("  another node hears of an event after {:?}, half of the time", waits[30]);
        for _ in 0..200 {
            writer.append(units(256)).await.unwrap();
        }
        let events = writer.head().0;
        let began = Instant::now();
        let late = self.open(&stream, "late").await;
        assert_eq!(late.head().0, events);
        let rate = events as f64 / began.elapsed().as_secs_f64();
        println!("  a mirror is made at {rate:.0} events/s");
    }
}

fn tell(what: &str, events: usize, appends: u64, began: Instant) {
    let seconds = began.elapsed().as_secs_f64();
    let (events, appends) = (events as f64 / seconds, appends as f64 / seconds);
    println!("  {what:>20} {events:>8.0} events/s {appends:>7.0} appends/s");
}

#[tokio::main]
async fn main() {
    // The bench harness is also started by `cargo test --benches`; then there is nothing to measure.
    if !std::env::args().any(|word| word == "--bench") {
        return;
    }
    let given = std::env::var("TILLROLL_TEST_ESDB_URL").unwrap_or_default();
    let double = given.is_empty().then(Double::start);
    println!("over {}:", if double.is_some() { "the double, in memory" } else { "a server" });
    let bench = Bench { double, given, directory: tempfile::tempdir().unwrap() };
    for batch in [1, 16, 256] {
        bench.calls(batch).await;
    }
    for callers in [16, 256] {
        bench.callers(callers).await;
    }
    bench.readers().await;
    if let Some(double) = &bench.double {
        double.shared.no_batches.store(true, Relaxed);
        println!("with a call of its own for each append:");
        bench.calls(1).await;
        bench.calls(256).await;
    }
}
