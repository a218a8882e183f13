//! A process killed at any instant loses nothing it acknowledged and invents nothing.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use journal::{Injected, Journal, JournalError, Options, SqliteJournal, verify};
use tempfile::TempDir;

use crate::sample::{all, append, child_path, group, open, order, single, spawn, unit};

const TASKS: u64 = 8;
const UNIT_EVENTS: usize = 6;

/// Runs in the child: appends from several tasks and says what was acknowledged.
#[tokio::test]
#[ignore = "started by the tests that kill it"]
async fn child_appends() {
    let Some(path) = child_path() else { return };
    let journal = Arc::new(open(&path));
    let tasks = (0..TASKS).map(|task| {
        let journal = Arc::clone(&journal);
        tokio::spawn(async move {
            let mut version = journal.stream_version(&order(task)).await.unwrap();
            while journal.head().0 < u64::MAX {
                let fresh = 1_000_000 * (task + 1) + version;
                let groups = vec![
                    group(order(task), version, 3, 200),
                    group(order(fresh), 0, 2, 3000),
                    group(order(fresh + 500_000), 0, 1, 10),
                ];
                let last = append(&*journal, unit(groups)).await.unwrap();
                version += 3;
                writeln!(std::io::stdout(), "ack {last}").unwrap();
            }
        })
    });
    let tasks: Vec<tokio::task::JoinHandle<()>> = tasks.collect();
    // None of them ends: what comes first is the kill, or a panic.
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn a_killed_writer_loses_nothing_and_leaves_no_half_unit() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("journal");
    let mut acknowledged = 0;
    for round in 0..6 {
        let (mut child, lines) = spawn("crash::child_appends", &path);
        let mut seen = 0;
        for line in lines {
            let Some(position) = line.split("ack ").nth(1) else {
                continue;
            };
            // The last line may be cut short by the kill.
            acknowledged = acknowledged.max(position.parse().unwrap_or(0));
            seen += 1;
            if seen == 40 + round * 111 {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        let journal = open(&path);
        assert!(journal.head().0 >= acknowledged, "acknowledged {acknowledged} but not there");
        let mut units = BTreeMap::new();
        for event in all(&journal).await {
            *units.entry(event.metadata).or_insert(0) += 1;
        }
        assert!(units.values().all(|events| *events == UNIT_EVENTS), "a half unit is there");
        for task in 0..TASKS {
            let events = journal.read_stream(&order(task), 0, usize::MAX).await.unwrap();
            assert_eq!(events.len() as u64, journal.stream_version(&order(task)).await.unwrap());
        }
        drop(journal);
        let report = verify(&path, |_, _| ()).unwrap();
        assert!(report.is_sound(), "{:?}", report.problems);
    }
    assert!(acknowledged > 1000);
}

async fn failing_syncs(injected: Injected) -> (u64, u64) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("journal");
    let countdown = Arc::new(AtomicU8::new(0));
    let fault = Arc::clone(&countdown);
    let options = Options {
        commit_fault: Some(Arc::new(move || {
            let left = fault.load(Ordering::Relaxed);
            fault.store(left.saturating_sub(1), Ordering::Relaxed);
            (left == 1).then_some(injected)
        })),
        ..Options::default()
    };
    let journal = SqliteJournal::open(&path, options).unwrap();
    append(&journal, single(1, 0, 3)).await.unwrap();
    countdown.store(1, Ordering::Relaxed);
    let answer = append(&journal, single(1, 3, 2)).await;
    assert!(matches!(answer, Err(JournalError::Unavailable(_))), "{answer:?}");
    // Who reads now reads the truth, and can go on from there.
    let version = journal.stream_version(&order(1)).await.unwrap();
    let head = journal.head().0;
    assert_eq!(all(&journal).await.len() as u64, head);
    assert_eq!(append(&journal, single(1, version, 1)).await.unwrap(), head + 1);
    assert_eq!(all(&journal).await.len() as u64, head + 1);
    assert_eq!(journal.stats().reopens, 1);
    drop(journal);
    assert!(verify(&path, |_, _| ()).unwrap().is_sound());
    (version, head)
}

#[tokio::test]
async fn a_failed_sync_is_final_and_the_truth_is_read_again() {
    assert_eq!(failing_syncs(Injected::SyncLost).await, (3, 3));
    assert_eq!(failing_syncs(Injected::SyncKept).await, (5, 5));
}
