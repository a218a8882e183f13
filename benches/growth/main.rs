//! Whether a journal slows down as it grows.
//!
//! `cargo bench --bench growth [-- --gib 20] [--directory DIRECTORY]` writes the events of orders
//! through the journal port until the file has that many GiB (2 unless said), and measures at
//! 10,000, 100,000, 1,000,000 … orders and at the end. Lines should be flat: no figure may
//! depend on the journal's size, but for bytes. Start-ups and their memory are measured in
//! processes of their own. Put the directory on the disk that is meant: temporary directories
//! are often in memory.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop where it is")]

mod probes;
mod process;
mod shop;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use journal::{Journal, Options, SqliteJournal};
use tokio::runtime::Runtime;

use probes::Probes;
use shop::Shop;

/// Ticks whose units go into one append; some 480 events.
const TICKS: u64 = 32;
/// How many ticks the rate before a measurement is taken over.
const STRETCH: u64 = 6_400;
const STAGES: [u64; 4] = [10_000, 100_000, 1_000_000, 10_000_000];

struct Plan {
    bytes: u64,
    directory: Option<PathBuf>,
}

fn plan() -> Plan {
    let mut plan = Plan { bytes: 2 << 30, directory: None };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--gib" => {
                let gib: f64 = arguments.next().unwrap().parse().unwrap();
                plan.bytes = (gib * f64::from(1 << 30)) as u64;
            }
            "--directory" => plan.directory = arguments.next().map(PathBuf::from),
            "--bench" => {}
            other => panic!("unknown argument {other}"),
        }
    }
    plan
}

/// A stretch of appends, in wall and processor time.
struct Stretch {
    ticks: u64,
    events: u64,
    began: Instant,
    processor: Duration,
}

impl Stretch {
    fn begin(ticks: u64, events: u64) -> Self {
        Self { ticks, events, began: Instant::now(), processor: process::processor_time() }
    }
}

fn main() {
    if let Some((task, path)) = process::task() {
        return process::run(&task, &path);
    }
    let plan = plan();
    let directory = match &plan.directory {
        Some(parent) => tempfile::tempdir_in(parent).unwrap(),
        None => tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap(),
    };
    let path = directory.path().join("journal");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut shop = Shop::default();
    let mut probes = Probes::default();
    let mut journal = SqliteJournal::open(&path, Options::default()).unwrap();
    print!("{}", probes::HEADINGS);
    let mut stages = STAGES.into_iter().peekable();
    let mut stretch = Stretch::begin(0, 0);
    loop {
        let units = shop.units(TICKS);
        assert!(probes::all_committed(&runtime.block_on(journal.append(units)).unwrap()));
        let done = bytes(&path) >= plan.bytes;
        if done || stages.peek().is_some_and(|stage| shop.ticks() >= *stage) {
            let append = rate(&stretch, &journal);
            measure(&mut probes, &runtime, &journal, &mut shop, &append, &path);
            drop(journal);
            println!(" {} |", starts(&path));
            if done {
                break;
            }
            stages.next();
            journal = SqliteJournal::open(&path, Options::default()).unwrap();
            stretch = Stretch::begin(shop.ticks(), journal.head().0);
        } else if shop.ticks() - stretch.ticks >= STRETCH && !nearly(&stages, &shop) {
            stretch = Stretch::begin(shop.ticks(), journal.head().0);
        }
    }
}

/// Whether the stretch under way is the one to be reported.
fn nearly(stages: &std::iter::Peekable<std::array::IntoIter<u64, 4>>, shop: &Shop) -> bool {
    let mut ahead = stages.clone();
    ahead.next().is_some_and(|stage| stage.saturating_sub(shop.ticks()) < STRETCH / 2)
}

fn rate(stretch: &Stretch, journal: &SqliteJournal) -> String {
    let events = (journal.head().0 - stretch.events) as f64;
    let processor = (process::processor_time() - stretch.processor).as_secs_f64();
    let rate = events / stretch.began.elapsed().as_secs_f64();
    format!("{rate:.0} | {:.1}", processor * 1e6 / events)
}

fn measure(
    probes: &mut Probes,
    runtime: &Runtime,
    journal: &SqliteJournal,
    shop: &mut Shop,
    append: &str,
    path: &Path,
) {
    let (events, orders) = (journal.head().0, shop.ticks());
    let size = bytes(path) as f64;
    print!(
        "| {orders} | {events} | {:.2} | {:.0} ",
        size / f64::from(1 << 30),
        size / events as f64
    );
    print!("| {append} |");
    for figure in probes.run(runtime, journal, shop) {
        print!(" {figure} |");
    }
    print!(" {:.0} |", process::resident_mib());
}

/// Start-up after a clean close with the file's pages in memory and not, and after a crash.
fn starts(path: &Path) -> String {
    let warm = process::start(path);
    process::drop_cached_pages(path);
    let cold = process::start(path);
    process::crash(path);
    let crashed = process::start(path);
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    format!(
        "{:.1}, {:.1} | {:.0} | {:.0}, {:.0}",
        ms(warm.took),
        ms(cold.took),
        ms(crashed.took),
        cold.resident_mib,
        crashed.resident_mib,
    )
}

fn bytes(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |found| found.len())
}
