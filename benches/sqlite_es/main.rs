//! The journal beside `sqlite-es`, the SQLite event store of cqrs-es, both durable at each commit.
//!
//! `cargo run --release --manifest-path benches/sqlite_es/Cargo.toml [-- SECONDS [DIRECTORY]]`.
//! Writers in a closed loop record one event of about 400 bytes at a time, half of them into new
//! streams, half into streams of up to five events. `sqlite-es` is set to `synchronous=FULL` (its
//! default may lose commits) and gets one connection, with which it is quickest: several only get
//! in each other's way. Its commands read their stream first, as its framework does; the journal
//! is told the version, as the command bus does. The two take turns in short slices and the ratio
//! is the median over them.

use std::collections::HashMap;
use std::future::Future;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent};
use journal::{
    Category, EventType, Group, Journal, NewEvent, Options, SqliteJournal, StreamId, Unit, Verdict,
};
use serde::{Deserialize, Serialize};
use sqlite_es::{SqliteCqrs, sqlite_cqrs};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use uuid::Uuid;

const WRITERS: [usize; 4] = [1, 8, 32, 128];
const SLICES: u32 = 8;
const EVENTS_IN_A_STREAM: u64 = 5;

const EVENTS_TABLE: &str = "CREATE TABLE events (
    aggregate_type text NOT NULL, aggregate_id text NOT NULL, sequence integer NOT NULL,
    event_type text NOT NULL, event_version text NOT NULL, payload text NOT NULL,
    metadata text NOT NULL, PRIMARY KEY (aggregate_type, aggregate_id, sequence)) STRICT";

#[derive(Debug, Default, Serialize, Deserialize)]
struct Noted;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Said {
    text: String,
}

impl DomainEvent for Said {
    fn event_type(&self) -> String {
        "said".to_owned()
    }
    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

#[derive(Debug)]
struct Never;

impl std::fmt::Display for Never {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("never")
    }
}

impl std::error::Error for Never {}

impl Aggregate for Noted {
    const TYPE: &'static str = "note";
    type Command = Said;
    type Event = Said;
    type Error = Never;
    type Services = ();

    async fn handle(
        &mut self,
        command: Said,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Never> {
        sink.write(command, self).await;
        Ok(())
    }

    fn apply(&mut self, _: Said) {}
}

/// What a writer says next: half of the events open a stream, the rest go to those opened before.
struct Script {
    open: Vec<(Uuid, u64)>,
    turn: u64,
}

impl Script {
    fn next(&mut self) -> (Uuid, u64) {
        self.turn += 1;
        if self.open.is_empty() || self.turn.is_multiple_of(2) {
            let id = Uuid::now_v7();
            self.open.push((id, 1));
            return (id, 0);
        }
        let index =
            (self.turn.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) as usize % self.open.len();
        let (id, version) = self.open[index];
        if version + 1 == EVENTS_IN_A_STREAM {
            self.open.swap_remove(index);
        } else {
            self.open[index].1 = version + 1;
        }
        (id, version)
    }
}

fn payload() -> String {
    "sku-4711-blue ".repeat(20)
}

const METADATA: &str = "command 01900000-0000-7000-8000-000000000001 of customer 4711";

async fn peer(path: &Path) -> SqliteCqrs<Noted> {
    let options = SqliteConnectOptions::from_str(&format!("sqlite://{}", path.display()))
        .unwrap()
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
    sqlx::query(EVENTS_TABLE).execute(&pool).await.unwrap();
    sqlite_cqrs(pool, Vec::new(), ())
}

/// Lets so many writers go on until the time is over; events a second.
async fn run<F>(
    scripts: &mut Vec<Script>,
    time: Duration,
    write: impl Fn(Uuid, u64) -> F + Send + Sync + 'static,
) -> f64
where
    F: Future<Output = ()> + Send,
{
    let (write, done) = (Arc::new(write), Arc::new(AtomicU64::new(0)));
    let began = Instant::now();
    let mut running = Vec::new();
    for mut script in scripts.drain(..) {
        let (write, done) = (Arc::clone(&write), Arc::clone(&done));
        running.push(tokio::spawn(async move {
            while began.elapsed() < time {
                let (id, version) = script.next();
                write(id, version).await;
                done.fetch_add(1, Ordering::Relaxed);
            }
            script
        }));
    }
    for one in running {
        scripts.push(one.await.unwrap());
    }
    done.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64()
}

fn scripts(writers: usize) -> Vec<Script> {
    (0..writers as u64).map(|turn| Script { open: Vec::new(), turn: turn * 1_001 }).collect()
}

fn unit(id: Uuid, version: u64) -> Unit {
    let event = NewEvent {
        id: Uuid::now_v7(),
        event_type: EventType::new("note.said"),
        schema_version: 1,
        payload: Arc::from(format!("{{\"text\":\"{}\"}}", payload())),
        occurred: chrono::DateTime::UNIX_EPOCH,
    };
    let stream = StreamId::of_uuid(Category::new("note"), id);
    let groups = vec![Group { stream, expected: version, events: vec![event] }];
    Unit::new(groups, Arc::from(format!("{{\"metadata\":\"{METADATA}\"}}")))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let seconds: f64 = arguments.next().map_or(4.0, |seconds| seconds.parse().unwrap());
    let parent = arguments.next().unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").to_owned());
    let slice = Duration::from_secs_f64(seconds) / SLICES;
    println!("| writers | journal events/s | sqlite-es events/s | ratio |");
    println!("|---|---|---|---|");
    for writers in WRITERS {
        let directory = tempfile::tempdir_in(&parent).unwrap();
        let ours = SqliteJournal::open(&directory.path().join("ours"), Options::default()).unwrap();
        let ours = Arc::new(ours);
        let peer = Arc::new(peer(&directory.path().join("peer")).await);
        let (mut our_scripts, mut peer_scripts) = (scripts(writers), scripts(writers));
        let (mut our_rates, mut peer_rates) = (Vec::new(), Vec::new());
        for _ in 0..SLICES {
            let journal = Arc::clone(&ours);
            let write = move |id, version| {
                let journal = Arc::clone(&journal);
                async move {
                    let verdicts = journal.append(vec![unit(id, version)]).await.unwrap();
                    assert!(matches!(verdicts[..], [Verdict::Committed { .. }]));
                }
            };
            our_rates.push(run(&mut our_scripts, slice, write).await);
            let store = Arc::clone(&peer);
            let write = move |id: Uuid, _| {
                let store = Arc::clone(&store);
                async move {
                    let said = Said { text: payload() };
                    let metadata = HashMap::from([("metadata".to_owned(), METADATA.to_owned())]);
                    store.execute_with_metadata(&id.to_string(), said, metadata).await.unwrap();
                }
            };
            peer_rates.push(run(&mut peer_scripts, slice, write).await);
        }
        let ratios = our_rates.iter().zip(&peer_rates).map(|(ours, peer)| ours / peer).collect();
        println!(
            "| {writers} | {:.0} | {:.0} | {:.1} |",
            median(our_rates),
            median(peer_rates),
            median(ratios)
        );
        ours.close().await.unwrap();
    }
}
