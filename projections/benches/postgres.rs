//! Folding into PostgreSQL beside folding into SQLite files, in one run: catching up from the
//! first event, and live, some orders at a time.
//!
//! `cargo bench -p projections --features postgres --bench postgres [-- ORDERS]`; it starts a
//! PostgreSQL of its own. `TILLROLL_TEST_POSTGRES_URL` names another, whose distance then counts.
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]
#![allow(unreachable_pub, reason = "a benchmark exports nothing")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use journal::{Journal, MemoryJournal};
use projections::{Directory, Options, PostgresOptions, Registration, Runner, models, orders};
use story::Teller;

mod story;

const BATCHES: [usize; 2] = [4_096, 16_384];

fn main() {
    let orders = std::env::args().find_map(|text| text.parse().ok()).unwrap_or(10_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(measure(orders));
}

async fn measure(orders: u64) {
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
    let mut teller = Teller::new(Arc::clone(&journal));
    teller.tell(story::stocked()).await;
    for number in 0..orders {
        let lines = 1 + u32::try_from(number % 3).unwrap_or(0);
        teller.tell(story::bought(number, lines)).await;
        if let Some(earlier) = number.checked_sub(2_000).filter(|earlier| earlier % 2 == 0) {
            let lines = 1 + u32::try_from(earlier % 3).unwrap_or(0);
            teller.tell(story::delivered(earlier, lines)).await;
        }
    }
    println!("{orders} orders, {} events", journal.head().0);
    for batch in BATCHES {
        let all = models::all();
        let (_kept, files) = files();
        let sqlite = catch_up(&journal, &files, &all, batch).await;
        let postgres = catch_up(&journal, &postgres().await, &all, batch).await;
        compare(&format!("all models, {batch} at a time"), journal.head().0, sqlite, postgres);
    }
    for model in models::all() {
        let (_kept, files) = files();
        let sqlite = catch_up(&journal, &files, &[model], BATCHES[0]).await;
        let postgres = catch_up(&journal, &postgres().await, &[model], BATCHES[0]).await;
        compare(model.name(), journal.head().0, sqlite, postgres);
    }
    live(&journal, &mut teller, orders).await;
}

fn files() -> (tempfile::TempDir, Directory) {
    let temporary = tempfile::tempdir().unwrap();
    let directory = Directory::on_disk(temporary.path()).unwrap();
    (temporary, directory)
}

async fn postgres() -> Directory {
    let url = test_servers::postgres::database().await;
    Directory::in_postgres(&url, &PostgresOptions::default()).unwrap()
}

async fn catch_up(
    journal: &Arc<dyn Journal>,
    directory: &Directory,
    models: &[Registration],
    batch: usize,
) -> Duration {
    let mut runner =
        Runner::open(Arc::clone(journal), directory, models, Options::default()).unwrap();
    let started = Instant::now();
    while runner.run_once(batch).await.unwrap().events > 0 {}
    started.elapsed()
}

fn compare(what: &str, events: u64, sqlite: Duration, postgres: Duration) {
    let rate = |time: Duration| events as f64 / time.as_secs_f64();
    println!(
        "{what:<34} SQLite {:>8.0} events/s, PostgreSQL {:>8.0} events/s ({:.2} of it)",
        rate(sqlite),
        rate(postgres),
        sqlite.as_secs_f64() / postgres.as_secs_f64()
    );
}

/// How long it takes from an order's last event to its being read, with all models following.
async fn live(journal: &Arc<dyn Journal>, teller: &mut Teller, orders: u64) {
    let mut number = orders;
    for together in [1, 20, 200] {
        for (name, directory) in
            [("SQLite", files()), ("PostgreSQL", (files().0, postgres().await))]
        {
            let (_kept, directory) = directory;
            let options = Options::default();
            let all = models::all();
            let mut runner = Runner::open(Arc::clone(journal), &directory, &all, options).unwrap();
            while runner.run_once(BATCHES[1]).await.unwrap().events > 0 {}
            let read_models = runner.read_models();
            let (steps, mut folding, mut reading) = (20, Duration::ZERO, Duration::ZERO);
            for _ in 0..steps {
                for one in number..number + together {
                    teller.tell(story::bought(one, 2)).await;
                }
                let started = Instant::now();
                while runner.run_once(BATCHES[0]).await.unwrap().events > 0 {}
                folding += started.elapsed();
                let started = Instant::now();
                for one in number..number + together {
                    assert!(orders::by_id(&read_models, story::order(one)).unwrap().is_some());
                }
                reading += started.elapsed();
                number += together;
            }
            let each = |time: Duration, count: u64| time.as_secs_f64() * 1e6 / count as f64;
            println!(
                "live, {together:>3} orders at a time, {name:<10} {:>9.0} µs a step, {:>8.1} µs an \
                 order; reading one {:>7.1} µs",
                each(folding, steps),
                each(folding, steps * together),
                each(reading, steps * together)
            );
        }
    }
}
