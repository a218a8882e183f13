//! Browsing taken in, written and caught up with: `cargo bench -p commands --bench browsing`.
//!
//! A month of a shop: windows in each of which so many customers look at a product, in a file. Counted
//! is what a shopper's request pays for a view, what a window costs to write, how much disk a view takes,
//! and how fast a node that starts reads all of it.

#![expect(clippy::print_stdout, reason = "a benchmark says its figures")]

use std::error::Error;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};
use std::time::Instant;

use chrono::TimeDelta;
use commands::browsing::{BrowsingJournals, BrowsingLog, BrowsingOptions, BrowsingReader, Period};
use commands::{Clock, SystemIds, TokioTimer};
use domain::browsing::BrowsingEvent;
use domain::{CustomerId, ProductId, Timestamp};
use journal::{Journal, JournalError, Options, SqliteJournal};
use uuid::Uuid;

const WINDOWS: u32 = 2_000;
const VIEWS: u32 = 500;
const CUSTOMERS: u32 = 50_000;
const PRODUCTS: u32 = 20_000;

/// One file for all periods.
struct OneFile {
    path: PathBuf,
    open: Mutex<Option<Weak<dyn Journal>>>,
}

impl BrowsingJournals for OneFile {
    fn open(&self, _: Period) -> Result<Arc<dyn Journal>, JournalError> {
        let mut open = self.open.lock().map_err(|_| JournalError::Closed)?;
        if let Some(journal) = open.as_ref().and_then(Weak::upgrade) {
            return Ok(journal);
        }
        let options = Options { realtime_priority: false, ..Options::default() };
        let journal: Arc<dyn Journal> = Arc::new(SqliteJournal::open(&self.path, options)?);
        *open = Some(Arc::downgrade(&journal));
        Ok(journal)
    }

    fn list(&self) -> Result<Vec<Period>, JournalError> {
        Ok(Vec::new())
    }

    fn remove(&self, _: Period) -> Result<(), JournalError> {
        Ok(())
    }
}

struct Fixed(Timestamp);

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        self.0
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("month.db");
    let journals = Arc::new(OneFile { path: path.clone(), open: Mutex::default() });
    let clock = Arc::new(Fixed("2026-11-20T12:00:00Z".parse()?));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut chance = 1_u64;
    let mut below = |max: u32| {
        // A linear congruential generator (Knuth, MMIX) is chance enough for a load.
        chance =
            chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (chance >> 33) as u32 % max
    };

    // Kept open from window to window, as a node does.
    let open = journals.open(Period::of(clock.0))?;
    let (mut taking, mut writing) = (0, 0);
    for window in 0..WINDOWS {
        // A writer that is stopped at once writes one window.
        let (log, writer) = BrowsingLog::new(
            BrowsingOptions::default(),
            journals.clone(),
            clock.clone(),
            Arc::new(SystemIds::default()),
        );
        let at = clock.0 + TimeDelta::seconds(i64::from(window));
        let views: Vec<(CustomerId, ProductId)> = (0..VIEWS)
            .map(|_| (id(below(CUSTOMERS)).into(), id(1_000_000 + below(PRODUCTS)).into()))
            .collect();
        let began = Instant::now();
        for (customer, product) in views {
            log.viewed(Some(customer), product, at);
        }
        taking += began.elapsed().as_nanos();
        let began = Instant::now();
        runtime.block_on(writer.run(Arc::new(TokioTimer), std::future::ready(())));
        writing += began.elapsed().as_micros();
    }
    // Closed, the file has all of it.
    drop(open);
    let views = u128::from(WINDOWS * VIEWS);
    println!("a view taken in: {} ns", taking / views);
    println!("a window of {VIEWS} views written: {} us", writing / u128::from(WINDOWS));
    let bytes = std::fs::metadata(&path)?.len();
    println!("{views} views in {bytes} bytes: {} a view", u128::from(bytes) / views);

    let mut reader = BrowsingReader::new(journals, clock, BrowsingOptions::default());
    let mut products = 0;
    let began = Instant::now();
    let events = runtime.block_on(reader.catch_up(&mut |event, _| {
        if let BrowsingEvent::Viewed { products: viewed, .. } = event {
            products += viewed.len();
        }
    }))?;
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{events} events with {products} views read in {seconds:.2} s: {:.0} events a second",
        events as f64 / seconds
    );
    Ok(())
}

/// Time-ordered, as real ones are.
fn id(number: u32) -> Uuid {
    Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0000 | u128::from(number))
}
