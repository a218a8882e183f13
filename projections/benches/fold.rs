//! How fast read models follow the log: decoding alone, all models catching up from the first
//! event, each model by itself, and live, one order after another.
//!
//! `cargo bench -p projections [-- ORDERS [live]]`; figures are for the machine it runs on.
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::ops::{ControlFlow, Range};
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
    if std::env::args().any(|argument| argument == "live") {
        return live(journal, &mut teller, orders).await;
    }
    decode_only(&*journal).await?;
    let all = catch_up("all models", &journal, &models::all()).await?;
    println!("  {:.1} µs of processor time for an order", micros(all.processor, orders));
    for model in models::all() {
        catch_up(model.name(), &journal, &[model]).await?;
    }
    rebuild_all(&journal).await?;
    live(journal, &mut teller, orders).await
}

async fn decode_only(journal: &dyn Journal) -> Result<(), BenchError> {
    let started = Stopwatch::start();
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
    started.stop().print("decode only", decoded);
    Ok(())
}

async fn catch_up(
    name: &str,
    journal: &Arc<dyn Journal>,
    models: &[Registration],
) -> Result<Cost, BenchError> {
    let temporary = tempfile::tempdir()?;
    let directory = Directory::on_disk(temporary.path())?;
    let mut runner = Runner::open(Arc::clone(journal), &directory, models, Options::default())?;
    let started = Stopwatch::start();
    while runner.run_once(BATCH_EVENTS).await?.events > 0 {}
    let cost = started.stop();
    cost.print(name, journal.head().0);
    Ok(cost)
}

async fn rebuild_all(journal: &Arc<dyn Journal>) -> Result<(), BenchError> {
    let temporary = tempfile::tempdir()?;
    let directory = Directory::on_disk(temporary.path())?;
    let started = Stopwatch::start();
    let mut replayed = Cost::NONE;
    let mut progress = |progress: &projections::RebuildProgress| {
        if progress.phase == projections::Phase::Replaying {
            replayed = started.stop();
        }
        ControlFlow::Continue(())
    };
    let options = RebuildOptions::default();
    rebuild(journal, &directory, &models::all(), options, &mut progress).await?;
    replayed.print("rebuild, folding", journal.head().0);
    started.stop().print("rebuild, whole", journal.head().0);
    Ok(())
}

/// What following costs while orders come in, with all models and with each by itself.
async fn live(
    journal: Arc<dyn Journal>,
    teller: &mut Teller,
    orders: u64,
) -> Result<(), BenchError> {
    let mut number = orders;
    for together in [1, 10, 50, 200] {
        let models = models::all();
        follow("all models", &models, &journal, teller, &mut number, together, EACH).await?;
    }
    let linger = &[0..3, 3..4];
    follow("steps of 10 ms", &models::all(), &journal, teller, &mut number, 20, linger).await?;
    for model in models::all() {
        follow(model.name(), &[model], &journal, teller, &mut number, 50, EACH).await?;
    }
    Ok(())
}

/// The four appends of an order, each seen by a step of its own.
const EACH: &[Range<usize>] = &[0..1, 1..2, 2..3, 3..4];

/// An order is four appends; a step follows after each of the `parts`, for `together` orders at a
/// time.
async fn follow(
    name: &str,
    models: &[Registration],
    journal: &Arc<dyn Journal>,
    teller: &mut Teller,
    number: &mut u64,
    together: u64,
    parts: &[Range<usize>],
) -> Result<(), BenchError> {
    let temporary = tempfile::tempdir()?;
    let directory = Directory::on_disk(temporary.path())?;
    let mut runner = Runner::open(Arc::clone(journal), &directory, models, Options::default())?;
    while runner.run_once(BATCH_EVENTS).await?.events > 0 {}
    let mut cost = Cost::NONE;
    let orders = 2_000;
    for _ in 0..orders / together {
        for part in parts {
            for one in *number..*number + together {
                let mut all = story::bought(one, 2);
                teller.tell(all.drain(part.clone()).collect()).await;
            }
            let started = Stopwatch::start();
            runner.run_once(BATCH_EVENTS).await?;
            cost.add(started.stop());
        }
        *number += together;
    }
    println!(
        "live, {together:>3} orders at a time, {name:<28} {:>7.1} µs for an order \
         ({:>6.1} of processor time)",
        micros(cost.wall, orders),
        micros(cost.processor, orders)
    );
    Ok(())
}

fn micros(time: Duration, count: u64) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}

/// Time by the wall, and what this thread had of a processor in it: on a busy machine the one
/// says how long it took, the other what it costs.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    processor: Duration,
}

impl Cost {
    const NONE: Self = Self { wall: Duration::ZERO, processor: Duration::ZERO };

    fn add(&mut self, other: Self) {
        self.wall += other.wall;
        self.processor += other.processor;
    }

    fn print(&self, name: &str, events: u64) {
        let rate = |time: Duration| events as f64 / time.as_secs_f64();
        println!(
            "{name:<28} {:>9.0} events/s by the wall, {:>9.0} of processor time ({:>5.2} µs each)",
            rate(self.wall),
            rate(self.processor),
            1e6 / rate(self.processor)
        );
    }
}

struct Stopwatch {
    wall: Instant,
    processor: Option<Duration>,
}

impl Stopwatch {
    fn start() -> Self {
        Self { wall: Instant::now(), processor: processor_time() }
    }

    fn stop(&self) -> Cost {
        let wall = self.wall.elapsed();
        let processor = processor_time().zip(self.processor).map(|(now, then)| now - then);
        Cost { wall, processor: processor.unwrap_or(wall) }
    }
}

/// What this thread has had of a processor; `None` where the system does not tell.
fn processor_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    stat.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
