//! Durable appends to a journal in PostgreSQL, beside bare multi-row inserts of the same rows into
//! the same columns and indexes, and beside stock `postgres-es` writes.
//!
//! `cargo bench -p journal --features postgres --bench postgres`; starts a server of its own, or
//! takes that of `TILLROLL_TEST_POSTGRES_URL`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise"
)]
#![allow(unreachable_pub, dead_code, reason = "shared with the tests")]

#[path = "../../tests/postgres/sample.rs"]
mod sample;

use std::time::{Duration, Instant};

use journal::{Journal, Unit};
use sample::{PLAIN_INSERT, cart, connect, open, unit};
use sqlx::{Connection, Executor, PgConnection};
use test_servers::postgres as server;
use uuid::Uuid;

const RUN: Duration = Duration::from_secs(4);
const ROUNDS: usize = 2;

/// The journal's table without what makes it a journal: no trigger, no lock, no check.
const BARE: &str = "CREATE TABLE bare (aggregate_type text NOT NULL, aggregate_id text NOT NULL, \
    sequence bigint NOT NULL, event_type text NOT NULL, event_version text NOT NULL, \
    payload json NOT NULL, metadata json NOT NULL, \
    position bigint GENERATED ALWAYS AS IDENTITY UNIQUE, \
    event_id uuid NOT NULL, occurred_at timestamptz NOT NULL, recorded_at timestamptz NOT NULL, \
    PRIMARY KEY (aggregate_type, aggregate_id, sequence))";

/// Both take turns, so that what else the disk does falls on both alike.
const SLICE: Duration = Duration::from_millis(500);
const SLICES: u32 = 12;

/// One call at a time, of `batch` units of one event to new streams: events a second of the journal
/// and of bare inserts.
async fn compare(url: &str, batch: usize) -> (f64, f64) {
    let journal = open(url).await;
    let mut session = connect(url).await;
    session.execute(BARE).await.unwrap();
    let (mut ours, mut bare) = (0, 0);
    for _ in 0..SLICES {
        let began = Instant::now();
        while began.elapsed() < SLICE {
            journal.append(units(batch)).await.unwrap();
            ours += batch;
        }
        let began = Instant::now();
        while began.elapsed() < SLICE {
            insert(&mut session, &units(batch)).await;
            bare += batch;
        }
    }
    let seconds = (SLICE * SLICES).as_secs_f64();
    (ours as f64 / seconds, bare as f64 / seconds)
}

fn units(batch: usize) -> Vec<Unit> {
    (0..batch).map(|_| unit(&cart(Uuid::now_v7().as_u128()), 0, 1)).collect()
}

async fn insert(session: &mut PgConnection, units: &[Unit]) {
    let events = || units.iter().map(|unit| &unit.groups[0].events[0]);
    sqlx::query(
        "INSERT INTO bare (aggregate_type, aggregate_id, sequence, event_type, event_version, \
         payload, metadata, event_id, occurred_at, recorded_at) \
         SELECT 'cart', n.key, 1, n.type, '1', n.payload::json, n.metadata::json, n.id, n.at, \
         clock_timestamp() FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], \
         $5::uuid[], $6::timestamptz[]) AS n (key, type, payload, metadata, id, at)",
    )
    .bind(units.iter().map(|unit| unit.groups[0].stream.key.to_string()).collect::<Vec<_>>())
    .bind(events().map(|event| event.event_type.as_str()).collect::<Vec<_>>())
    .bind(events().map(|event| &*event.payload).collect::<Vec<_>>())
    .bind(units.iter().map(|unit| &*unit.metadata).collect::<Vec<_>>())
    .bind(events().map(|event| event.id).collect::<Vec<_>>())
    .bind(events().map(|event| event.occurred).collect::<Vec<_>>())
    .execute(session)
    .await
    .unwrap();
}

/// As `postgres-es` writes: a statement for each event, in a transaction for each command.
async fn peer_rate(url: &str, events: usize) -> f64 {
    let mut session = connect(url).await;
    let began = Instant::now();
    let mut done = 0;
    while began.elapsed() < RUN {
        let id = Uuid::now_v7().to_string();
        let mut work = session.begin().await.unwrap();
        for sequence in 1..=events as i64 {
            let query = sqlx::query(PLAIN_INSERT).bind("note").bind(&id).bind(sequence);
            query.execute(&mut *work).await.unwrap();
        }
        work.commit().await.unwrap();
        done += events;
    }
    done as f64 / began.elapsed().as_secs_f64()
}

/// Units of one event, each asked for by a caller of its own.
async fn callers_rate(url: &str, callers: usize) -> f64 {
    let journal = open(url).await;
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
                version
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += task.await.unwrap();
    }
    done as f64 / began.elapsed().as_secs_f64()
}

#[tokio::main]
async fn main() {
    // The bench harness is also started by `cargo test --benches`; then there is nothing to measure.
    if !std::env::args().any(|word| word == "--bench") {
        return;
    }
    for round in 1..=ROUNDS {
        println!("round {round}: events/s, durable, one writer");
        for batch in [1, 16, 256] {
            let url = server::database().await;
            let (journal, bare) = compare(&url, batch).await;
            println!(
                "  batch {batch:>3}: journal {journal:>8.0}   bare insert {bare:>8.0}   {:>3.0} %",
                100.0 * journal / bare
            );
        }
        let url = server::database().await;
        for callers in [16, 256] {
            println!("  {callers:>3} callers: journal {:>8.0}", callers_rate(&url, callers).await);
        }
        println!(
            "  stock writer beside the triggers, one event: {:>8.0}",
            peer_rate(&url, 1).await
        );
        println!(
            "  stock writer beside the triggers, ten events: {:>7.0}",
            peer_rate(&url, 10).await
        );
    }
}
