//! A full disk refuses appends, serves reads, and is forgotten once there is room.

use std::path::Path;
use std::process::Command;

use journal::{Journal, JournalError, Options, SqliteJournal, verify};
use tempfile::TempDir;

use crate::sample::{all, append, group, open, order, single, unit};

/// Appends until the disk is full; returns how many events went in.
async fn fill(journal: &SqliteJournal, bytes: usize) -> u64 {
    for n in 0..100_000 {
        match append(journal, unit(vec![group(order(1_000 + n), 0, 2, bytes)])).await {
            Ok(_) => {}
            Err(JournalError::Full) => return n * 2,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the disk does not get full");
}

async fn assert_consistent(journal: &SqliteJournal, events: u64) {
    assert_eq!(journal.head().0, events);
    assert_eq!(all(journal).await.len() as u64, events);
    let last = order(1_000 + events / 2);
    assert_eq!(journal.stream_version(&last).await.unwrap(), 0, "the refused stream is not there");
    assert_eq!(journal.read_stream(&order(1_000), 0, 9).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_journal_at_its_size_limit_answers_full_and_reads_on() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("journal");
    let options = Options { pages_max: Some(60), ..Options::default() };
    let journal = SqliteJournal::open(&path, options).unwrap();
    let events = fill(&journal, 900).await;
    assert!(events > 100);
    for _ in 0..3 {
        let answer = append(&journal, single(1, 0, 200)).await;
        assert!(matches!(answer, Err(JournalError::Full)), "{answer:?}");
        assert_consistent(&journal, events).await;
    }
    assert!(journal.stats().full >= 4);
    drop(journal);
    let journal = open(&path);
    assert_consistent(&journal, events).await;
    append(&journal, single(1, 0, 200)).await.unwrap();
    drop(journal);
    assert!(verify(&path, |_, _| ()).unwrap().is_sound());
}

struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

/// A real disk of `size`; `None` where this may not be made.
fn mount<'a>(directory: &'a Path, size: &str) -> Option<Mounted<'a>> {
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", &format!("size={size}"), "journal-test"])
        .arg(directory)
        .output();
    mounted.is_ok_and(|done| done.status.success()).then(|| Mounted(directory))
}

#[tokio::test]
async fn a_full_disk_answers_full_and_appends_again_once_there_is_room() {
    let directory = TempDir::new().unwrap();
    let Some(_mounted) = mount(directory.path(), "6m") else {
        return;
    };
    let ballast = directory.path().join("ballast");
    std::fs::write(&ballast, vec![0; 2 << 20]).unwrap();
    let path = directory.path().join("journal");
    let options = Options { checkpoint_pages: 100, ..Options::default() };
    let journal = SqliteJournal::open(&path, options).unwrap();
    let events = fill(&journal, 3000).await;
    assert_consistent(&journal, events).await;
    // A small append may still find room where a large one did not, so a large one again.
    let large = || unit(vec![group(order(1), 0, 300, 2000)]);
    let answer = append(&journal, large()).await;
    assert!(matches!(answer, Err(JournalError::Full)), "{answer:?}");
    std::fs::remove_file(&ballast).unwrap();
    append(&journal, large()).await.unwrap();
    let after = events + 300;
    assert_eq!(journal.head().0, after);
    fill_again(&journal).await;
    let last = journal.head().0;
    drop(journal);
    let report = verify(&path, |_, _| ()).unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
    assert_eq!(report.head.0, last);
}

async fn fill_again(journal: &SqliteJournal) {
    let mut version = 0;
    while append(journal, unit(vec![group(order(2), version, 5, 2000)])).await.is_ok() {
        version += 5;
    }
    assert_eq!(journal.stream_version(&order(2)).await.unwrap(), version);
}
