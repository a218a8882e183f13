//! Many seeds, one after another; each that fails says how to run it again.

use std::collections::BTreeMap;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::faults::Counts;
use super::run::{Outcome, run};
use super::world::Setting;

/// Seeds that once found something, kept for ever.
const REGRESSIONS: &[u64] = &[6, 9, 17];
const SEEDS: u64 = 200;
/// No further seed is begun after this long, so that a slow machine does not wait for ever.
const PATIENCE: Duration = Duration::from_secs(60);

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Straight to the terminal: a test's own output is held back until it ends.
fn say(line: &str) {
    let mut out = std::io::stderr().lock();
    // Nobody listening is no reason to fail.
    let _ = writeln!(out, "{line}");
}

fn run_seed(seed: u64, traced: bool) -> Outcome {
    let ended = catch_unwind(AssertUnwindSafe(|| run(Setting::drawn(seed, traced))));
    ended.unwrap_or_else(|panic| {
        let why = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_default();
        Outcome { broken: vec![format!("panic: {why}")], ..Outcome::default() }
    })
}

#[test]
fn seeds() {
    let one = number("TILLROLL_SEED");
    let many = number("TILLROLL_SEEDS").unwrap_or(SEEDS);
    let traced = std::env::var_os("TILLROLL_TRACE").is_some();
    let seeds: Vec<u64> = match one {
        Some(seed) => vec![seed],
        None => {
            let first = number("TILLROLL_FIRST").unwrap_or(1);
            REGRESSIONS.iter().copied().chain(first..first + many).collect()
        }
    };
    let begun = Instant::now();
    let mut faults = Counts::default();
    let mut tally: BTreeMap<String, u64> = BTreeMap::new();
    let (mut runs, mut events, mut turns) = (0_u64, 0, 0);
    let mut failed = Vec::new();
    for seed in seeds {
        if begun.elapsed() > PATIENCE && number("TILLROLL_SEEDS").is_none() {
            say(&format!("simulation: out of patience after {runs} seeds"));
            break;
        }
        let outcome = run_seed(seed, traced);
        runs += 1;
        events += outcome.events;
        turns += outcome.turns;
        faults.add(&outcome.faults);
        for (what, times) in outcome.tally {
            *tally.entry(what).or_default() += times;
        }
        outcome.trace.iter().for_each(|line| say(line));
        if !outcome.broken.is_empty() {
            say(&format!(
                "simulation: seed {seed} fails; again with TILLROLL_SEED={seed} TILLROLL_TRACE=1"
            ));
            outcome.broken.iter().take(8).for_each(|what| say(&format!("    {what}")));
            failed.push(seed);
        }
    }
    say(&format!(
        "simulation: {runs} seeds in {:?}: {events} events in {turns} turns",
        begun.elapsed()
    ));
    say(&format!("simulation: faults {:?}", faults.0));
    say(&format!("simulation: answers {tally:?}"));
    assert!(failed.is_empty(), "seeds {failed:?} fail; run one with TILLROLL_SEED=…");
}

#[test]
fn a_seed_is_the_same_run_every_time() {
    for seed in [3, 11] {
        let digests = [run_seed(seed, false).digest, run_seed(seed, false).digest];
        assert_eq!(digests[0], digests[1], "seed {seed}");
    }
}
