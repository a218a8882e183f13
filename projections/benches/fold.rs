//! How fast read models follow the log: decoding alone, all models catching up from the first
//! event, each model by itself, and live, one order after another.
//!
//! `cargo bench -p projections [-- ORDERS]`; figures are for the machine it runs on.
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use journal::{Journal, MemoryJournal, Position};
use projections::{
    Directory, Options, RebuildOptions, Registration, Runner, StoreError, models, rebuild,
};
use story::Teller;

mod story;

const BATCH_EVENTS: usize = 4_096;

#[derive(Debug, thiserror::Error)]
enum BenchError {
    #[error(transparent)]
    Journal(#[from] journal::JournalError),
    #[error(transparent)]
    Decode(#[from] schemas::DecodeError),
    #[error(transparent)]
    Runner(#[from] projections::RunnerError),
    #[error(transparent)]
    Rebuild(#[from] projections::RebuildError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

fn main() -> Result<(), BenchError> {
    let orders = std::env::args().find_map(|text| text.parse().ok()).unwrap_or(30_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(measure(orders))
}

async fn measure(orders: u64) -> Result<(), BenchError> {
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
    let mut teller = Teller::new(Arc::clone(&journal));
    teller.tell(story::stocked()).await;
    for number in 0..orders {
        let lines = 1 + u32::try_from(number % 3).unwrap_or(0);
        teller.tell(story::bought(number, lines)).await;
        // Orders leave the house some time after they were placed.
        if let Some(earlier) = number.checked_sub(2_000).filter(|earlier| earlier % 2 == 0) {
            let lines = 1 + u32::try_from(earlier % 3).unwrap_or(0);
            teller.tell(story::delivered(earlier, lines)).await;
        }
    }
    let events = journal.head().0;
    println!("{orders} orders, {events} events");
    decode_only(&*journal).await?;
    let all = catch_up("all models", &journal, &models::all()).await?;
    println!("  {:.1} µs for an order", all.as_secs_f64() * 1e6 / orders as f64);
    for model in models::all() {
        catch_up(model.name(), &journal, &[model]).await?;
    }
    rebuild_all(&journal).await?;
    live(journal, &mut teller, orders).await
}

async fn decode_only(journal: &dyn Journal) -> Result<(), BenchError> {
    let started = Instant::now();
    let mut after = Position(0);
    let mut decoded = 0;
    loop {
        let batch = journal.read_all(after, BATCH_EVENTS).await?;
        let Some(last) = batch.last() else { break };
        after = last.position;
        for event in &batch {
            let event = schemas::decode_any(
                event.event_type.as_str(),
                event.schema_version,
                &event.payload,
            )?;
            std::hint::black_box(&event);
            decoded += 1;
        }
    }
    print("decode only", decoded, started.elapsed());
    Ok(())
}

async fn catch_up(
    name: &str,
    journal: &Arc<dyn Journal>,
    models: &[Registration],
) -> Result<Duration, BenchError> {
    let temporary = tempfile::tempdir()?;
    let directory = Directory::on_disk(temporary.path())?;
    let mut runner = Runner::open(Arc::clone(journal), &directory, models, Options::default())?;
    let started = Instant::now();
    while runner.run_once(BATCH_EVENTS).await?.events > 0 {}
    let elapsed = started.elapsed();
    print(name, journal.head().0, elapsed);
    Ok(elapsed)
}

async fn rebuild_all(journal: &Arc<dyn Journal>) -> Result<(), BenchError> {
    let temporary = tempfile::tempdir()?;
    let directory = Directory::on_disk(temporary.path())?;
    let started = Instant::now();
    let mut replayed = Duration::ZERO;
    let mut progress = |progress: &projections::RebuildProgress| {
        if progress.phase == projections::Phase::Replaying {
            replayed = started.elapsed();
        }
        ControlFlow::Continue(())
    };
    let options = RebuildOptions::default();
    rebuild(journal, &directory, &models::all(), options, &mut progress).await?;
    print("rebuild, folding", journal.head().0, replayed);
    print("rebuild, whole", journal.head().0, started.elapsed());
    Ok(())
}

/// What following costs while orders come in: `together` orders between two steps.
async fn live(
    journal: Arc<dyn Journal>,
    teller: &mut Teller,
    orders: u64,
) -> Result<(), BenchError> {
    let temporary = tempfile::tempdir()?;
    let directory = Directory::on_disk(temporary.path())?;
    let mut runner =
        Runner::open(Arc::clone(&journal), &directory, &models::all(), Options::default())?;
    while runner.run_once(BATCH_EVENTS).await?.events > 0 {}
    let mut number = orders;
    for together in [1, 10, 50] {
        let mut busy = Duration::ZERO;
        let mut done = 0;
        while done < 2_000 {
            for part in 0..4 {
                for one in number..number + together {
                    let parts = story::bought(one, 2);
                    teller.tell(parts.into_iter().skip(part).take(1).collect()).await;
                }
                let started = Instant::now();
                runner.run_once(BATCH_EVENTS).await?;
                busy += started.elapsed();
            }
            number += together;
            done += together;
        }
        println!(
            "live, {together:>3} orders at a time, 4 appends each: {:>7.1} µs for an order",
            busy.as_secs_f64() * 1e6 / done as f64
        );
    }
    Ok(())
}

fn print(name: &str, events: u64, elapsed: Duration) {
    let rate = events as f64 / elapsed.as_secs_f64();
    println!("{name:<28} {rate:>10.0} events/s  {:>6.2} µs each", 1e6 / rate);
}
