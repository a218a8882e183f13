//! Damage is noticed, and files that are not ours are left alone.

use std::path::{Path, PathBuf};

use journal::{Journal, JournalError, Options, Position, SqliteJournal, verify};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::sample::{append, group, open, order, single, unit};

async fn journal_of_300(directory: &TempDir) -> PathBuf {
    let path = directory.path().join("journal");
    let journal = open(&path);
    for n in 0..100 {
        append(&journal, single(n % 7, n / 7 * 3, 3)).await.unwrap();
    }
    journal.close().await.unwrap();
    drop(journal);
    let report = verify(&path, |_, _| ()).unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
    assert_eq!((report.events, report.streams, report.head), (300, 7, Position(300)));
    path
}

fn execute(path: &Path, statement: &str) {
    let connection = Connection::open(path).unwrap();
    assert!(connection.execute(statement, []).unwrap() > 0, "{statement}");
}

#[tokio::test]
async fn one_flipped_bit_is_found() {
    let directory = TempDir::new().unwrap();
    let path = journal_of_300(&directory).await;
    let mut bytes = std::fs::read(&path).unwrap();
    let pattern = b"xxxxxxxxxxxxxxxx";
    let at = bytes.len() / 2;
    let at = at + bytes[at..].windows(pattern.len()).position(|w| w == pattern).unwrap();
    bytes[at] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let report = verify(&path, |_, _| ()).unwrap();
    assert_eq!(report.problem_count, 1, "{:?}", report.problems);
    let journal = open(&path);
    let read = journal.read_all(Position(0), usize::MAX).await;
    assert!(matches!(read, Err(JournalError::Corrupt { at: Some(_), .. })), "{read:?}");
}

#[tokio::test]
async fn tampering_with_the_tables_is_found() {
    let statements = [
        "DELETE FROM chunk WHERE first = 151",
        "DELETE FROM chunk WHERE first = 1",
        "UPDATE chunk SET count = 2 WHERE first = 151",
        "UPDATE chunk SET count = 4000000000 WHERE first = 151",
        "UPDATE chunk SET body = (SELECT body FROM chunk WHERE first = 148),
                          crc = (SELECT crc FROM chunk WHERE first = 148) WHERE first = 151",
        "UPDATE head SET version = version + 1 WHERE position = 300",
        "DELETE FROM head WHERE position = 300",
        "INSERT INTO head VALUES (x'00', 5, 1)",
    ];
    for statement in statements {
        let directory = TempDir::new().unwrap();
        let path = journal_of_300(&directory).await;
        execute(&path, statement);
        let report = verify(&path, |_, _| ()).unwrap();
        assert!(!report.is_sound(), "unnoticed: {statement}");
    }
}

#[tokio::test]
async fn a_newer_format_is_refused() {
    let directory = TempDir::new().unwrap();
    let path = journal_of_300(&directory).await;
    execute(&path, "UPDATE meta SET value = 3 WHERE name = 'format'");
    let newer = |error: Option<JournalError>| {
        matches!(error, Some(JournalError::NewerFormat { found: 3, supported: 2 }))
    };
    assert!(newer(SqliteJournal::open(&path, Options::default()).err()));
    assert!(newer(SqliteJournal::open_read_only(&path, Options::default()).err()));
    assert!(newer(verify(&path, |_, _| ()).err()));
}

#[tokio::test]
async fn files_that_are_not_journals_are_left_alone() {
    let directory = TempDir::new().unwrap();
    let text = directory.path().join("text");
    std::fs::write(&text, "dear diary, ".repeat(1000)).unwrap();
    let other = directory.path().join("other");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE diary (entry)").unwrap();
    for path in [text, other] {
        let before = std::fs::read(&path).unwrap();
        let error = SqliteJournal::open(&path, Options::default()).unwrap_err();
        assert!(error.to_string().contains("not a tillroll journal"), "{error}");
        assert!(SqliteJournal::open_read_only(&path, Options::default()).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
    let missing = directory.path().join("missing");
    let options = Options { create_if_missing: false, ..Options::default() };
    let error = SqliteJournal::open(&missing, options).unwrap_err();
    assert!(error.to_string().contains("no journal at"), "{error}");
    assert!(!missing.exists());
}

#[tokio::test]
async fn large_and_small_events_share_a_journal() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("journal");
    let journal = open(&path);
    for (n, bytes) in [1, 7_000, 9_000, 100_000, 5_000_000, 10].into_iter().enumerate() {
        append(&journal, unit(vec![group(order(1), n as u64, 1, bytes)])).await.unwrap();
    }
    drop(journal);
    assert!(verify(&path, |_, _| ()).unwrap().is_sound());
    let events = open(&path).read_stream(&order(1), 0, 9).await.unwrap();
    assert_eq!(events[4].payload.len(), 5_000_011);
}
