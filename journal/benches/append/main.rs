//! How fast events become durable, beside bare SQLite with the usual table.
//!
//! `cargo bench -p journal [-- SECONDS [DIRECTORY [BATCH]]]`. All three stores get the same events of
//! about 400 bytes, half of them into new streams, in the same batches; each batch is durable
//! before the next one begins. The three take turns in short slices, so that a busy machine
//! slows all of them alike, and the ratios are medians over the slices. `chrt -f 1 cargo bench …`
//! gives the load the priority which the journal's committing thread asks for by itself.

#![allow(clippy::print_stdout, reason = "a benchmark's table is its output")]
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

mod bare;
mod load;

use std::path::Path;
use std::time::{Duration, Instant};

use bare::Bare;
use journal::{Journal, Options, Position, SqliteJournal, Unit, Verdict};
use load::Load;

const BATCHES: [usize; 5] = [1, 16, 64, 256, 512];
/// Turns of each store; all together take SECONDS for a store and a size of batch.
const SLICES: u32 = 40;

/// A store that takes one batch and returns when it is durable.
trait Store {
    fn append(&mut self, units: Vec<Unit>);
}

struct Ours {
    journal: SqliteJournal,
    runtime: tokio::runtime::Runtime,
    /// How long the committing thread took, without the way to it and back.
    commits: Vec<Duration>,
}

impl Store for Ours {
    fn append(&mut self, units: Vec<Unit>) {
        let verdicts = self.runtime.block_on(self.journal.append(units)).unwrap();
        self.commits.push(Duration::from_micros(self.journal.stats().last_commit_micros));
        assert!(verdicts.iter().all(|v| matches!(v, Verdict::Committed { .. })));
    }
}

impl Store for Bare {
    fn append(&mut self, units: Vec<Unit>) {
        self.insert(&units);
    }
}

struct Figures {
    rate: f64,
    p50: Duration,
    p99: Duration,
}

fn run(
    store: &mut dyn Store,
    load: &mut Load,
    batch: usize,
    time: Duration,
) -> (usize, Vec<Duration>) {
    let (mut events, mut took, began) = (0, Vec::new(), Instant::now());
    while began.elapsed() < time {
        let units = load.units(batch);
        let one = Instant::now();
        store.append(units);
        took.push(one.elapsed());
        events += batch;
    }
    (events, took)
}

/// How much faster `a` was than `b` in the middle one of their slices.
fn ratio(a: &[(usize, Vec<Duration>)], b: &[(usize, Vec<Duration>)]) -> f64 {
    let rate = |(events, took): &(usize, Vec<Duration>)| {
        *events as f64 / took.iter().sum::<Duration>().as_secs_f64()
    };
    let mut ratios: Vec<f64> = a.iter().zip(b).map(|(a, b)| rate(a) / rate(b)).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

fn figures(rounds: Vec<(usize, Vec<Duration>)>) -> Figures {
    let events: usize = rounds.iter().map(|(events, _)| events).sum();
    let mut took: Vec<_> = rounds.into_iter().flat_map(|(_, took)| took).collect();
    let total: Duration = took.iter().sum();
    took.sort_unstable();
    Figures {
        rate: events as f64 / total.as_secs_f64(),
        p50: took[took.len() / 2],
        p99: took[took.len() * 99 / 100],
    }
}

fn open(path: &Path) -> Ours {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let journal = SqliteJournal::open(path, Options::default()).unwrap();
    Ours { journal, runtime, commits: Vec::new() }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let seconds: f64 = arguments.next().map_or(4.0, |seconds| seconds.parse().unwrap());
    let directory = match arguments.next() {
        Some(parent) => tempfile::tempdir_in(parent).unwrap(),
        None => tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap(),
    };
    let time = Duration::from_secs_f64(seconds);
    println!(
        "| events a batch | journal events/s | p50, p99 ms | committing alone p50 ms | bare SQLite | p50, p99 ms | ratio | without index | ratio |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let only: Option<usize> = arguments.next().map(|batch| batch.parse().unwrap());
    for batch in BATCHES.into_iter().filter(|batch| only.is_none_or(|only| only == *batch)) {
        let path = |name: &str| directory.path().join(format!("{batch}.{name}"));
        let mut ours = open(&path("journal"));
        let mut bare = Bare::open(&path("bare"), true);
        let mut plain = Bare::open(&path("plain"), false);
        let mut stores: [&mut dyn Store; 3] = [&mut ours, &mut bare, &mut plain];
        let mut loads = [Load::new(1), Load::new(1), Load::new(1)];
        let mut rounds = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..SLICES {
            for ((store, load), rounds) in stores.iter_mut().zip(&mut loads).zip(&mut rounds) {
                rounds.push(run(*store, load, batch, time / SLICES));
            }
        }
        let mut commits = std::mem::take(&mut ours.commits);
        commits.sort_unstable();
        let commit = commits[commits.len() / 2];
        let ratios = [ratio(&rounds[0], &rounds[1]), ratio(&rounds[0], &rounds[2])];
        let [ours, bare, plain] = rounds.map(figures);
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        println!(
            "| {batch} | {:.0} | {:.2}, {:.2} | {:.2} | {:.0} | {:.2}, {:.2} | {:.2} | {:.0} | {:.2} |",
            ours.rate,
            ms(ours.p50),
            ms(ours.p99),
            ms(commit),
            bare.rate,
            ms(bare.p50),
            ms(bare.p99),
            ratios[0],
            plain.rate,
            ratios[1],
        );
    }
    reads(&directory.path().join("512.journal"));
}

/// Reading the largest journal of the run.
fn reads(path: &Path) {
    let began = Instant::now();
    let journal = open(path);
    let started = began.elapsed();
    let head = journal.journal.head().0;
    let (mut after, mut streams, began) = (0, Vec::new(), Instant::now());
    loop {
        let events = journal.journal.scan(Position(after), 4096).unwrap();
        let Some(last) = events.last() else { break };
        after = last.position.0;
        streams.extend(events.into_iter().filter(|e| e.version == 1).map(|e| e.stream).step_by(64));
    }
    assert_eq!(after, head);
    let rate = head as f64 / began.elapsed().as_secs_f64();
    println!("\nsequential read and decode: {rate:.0} events/s over {head} events");
    let bytes = std::fs::metadata(path).unwrap().len();
    println!("on disk: {:.0} bytes an event; start-up {started:.1?}", bytes as f64 / head as f64);
    let mut random = Load::new(7);
    let (mut loads, mut events, began) = (0, 0, Instant::now());
    while began.elapsed() < Duration::from_secs(1) {
        let stream = &streams[random.below(streams.len())];
        let read = journal.journal.read_stream(stream, 0, usize::MAX);
        events += journal.runtime.block_on(read).unwrap().len();
        loads += 1;
    }
    let each = began.elapsed().as_secs_f64() * 1e6 / f64::from(loads);
    println!(
        "random stream load: {loads} streams/s, {each:.1} us each, {:.1} events each",
        events as f64 / f64::from(loads)
    );
}
