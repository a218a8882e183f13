//! Stream heads are saved lazily, so they must be found again whatever happens.

use std::time::{Duration, Instant};

use journal::{Journal, Options, SqliteJournal, Unit, verify};
use tempfile::TempDir;

use crate::sample::{append, open, order, single, snapshot};

#[tokio::test]
async fn heads_are_completed_from_the_tail_after_a_power_cut() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("journal");
    let journal = open(&path);
    for n in 0..50 {
        append(&journal, single(n % 5, n / 5 * 2, 2)).await.unwrap();
    }
    let copy = snapshot(&path);
    drop(journal);
    let copied = open(&copy);
    assert_eq!(copied.head().0, 100);
    for n in 0..5 {
        assert_eq!(copied.stream_version(&order(n)).await.unwrap(), 20);
        append(&copied, single(n, 20, 1)).await.unwrap();
    }
    drop(copied);
    assert!(verify(&copy, |_, _| ()).unwrap().is_sound());
}

/// Enough events for several rounds of saving, in old and new streams, with tiny caches.
#[tokio::test]
async fn heads_stay_right_over_many_rounds_of_saving() {
    const STREAMS: u64 = 3_000;
    const ROUNDS: u64 = 50;
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("journal");
    let options = Options { head_cache_streams: 10, tail_events: 10, ..Options::default() };
    let journal = SqliteJournal::open(&path, options.clone()).unwrap();
    for round in 0..ROUNDS {
        for part in 0..3 {
            let units: Vec<Unit> = (0..STREAMS / 3)
                .map(|n| single(part + 3 * n, round, 1))
                .chain((0..10).map(|n| single(1_000_000 + round * 100 + part * 10 + n, 0, 1)))
                .collect();
            let verdicts = journal.append(units).await.unwrap();
            assert!(verdicts.iter().all(|v| matches!(v, journal::Verdict::Committed { .. })));
        }
        if round % 16 == 5 {
            let copy = snapshot(&path);
            let report = verify(&copy, |_, _| ()).unwrap();
            assert!(report.is_sound(), "{:?}", report.problems);
            let reader = SqliteJournal::open_read_only(&copy, options.clone()).unwrap();
            for n in [0, 1, 7, STREAMS - 1] {
                assert_eq!(reader.stream_version(&order(n)).await.unwrap(), round + 1);
            }
            let began = Instant::now();
            let copied = SqliteJournal::open(&copy, options.clone()).unwrap();
            assert!(began.elapsed() < Duration::from_secs(3), "start-up reads too much");
            assert_eq!(copied.stream_version(&order(5)).await.unwrap(), round + 1);
        }
    }
    for n in (0..STREAMS).step_by(97) {
        let events = journal.read_stream(&order(n), ROUNDS - 3, 9).await.unwrap();
        assert_eq!(events.len(), 3);
    }
    drop(journal);
    let report = verify(&path, |_, _| ()).unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
    assert_eq!(report.streams, STREAMS + ROUNDS * 30);
}

/// Small pages of a long stream, in order, past its growing end, and after a start.
#[tokio::test]
async fn a_long_stream_can_be_read_in_small_pages_in_linear_time() {
    const EVENTS: usize = 20_000;
    const PAGE: usize = 10;
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("journal");
    let journal = open(&path);
    for n in 0..EVENTS / 100 {
        let units = vec![single(1, n as u64 * 100, 100), single(2 + n as u64, 0, 1)];
        journal.append(units).await.unwrap();
    }
    drop(journal);
    let journal = open(&path);
    let mut seen = 0;
    let began = Instant::now();
    loop {
        let page = journal.read_stream(&order(1), seen, PAGE).await.unwrap();
        for (event, version) in page.iter().zip(seen + 1..) {
            assert_eq!((event.version, &event.stream), (version, &order(1)));
        }
        seen += page.len() as u64;
        if page.len() < PAGE {
            break;
        }
        if seen == 10_000 {
            append(&journal, single(1, EVENTS as u64, 7)).await.unwrap();
        }
    }
    assert_eq!(seen, EVENTS as u64 + 7);
    // Walking back from the head for each page would take 20 million steps.
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}
