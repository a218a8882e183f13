//! One writer, and readers beside it from other processes.

use std::time::Duration;

use journal::{Journal, JournalError, Options, Position, SqliteJournal};
use tempfile::TempDir;

use crate::sample::{all, append, open, order, single, snapshot, spawn};

#[tokio::test]
async fn a_second_writer_is_refused_and_told_who_writes() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("journal");
    let journal = open(&path);
    let refused = SqliteJournal::open(&path, Options::default()).err();
    let Some(JournalError::InUse { holder: Some(holder), .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(holder, format!("pid {}", std::process::id()));
    journal.close().await.unwrap();
    open(&path);
}

#[tokio::test]
async fn a_reader_beside_a_writing_process_sees_all_and_only_what_is_durable() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("journal");
    let (mut child, mut lines) = spawn("crash::child_appends", &path);
    lines.find(|line| line.contains("ack ")).unwrap();
    let refused = SqliteJournal::open(&path, Options::default()).err();
    assert!(matches!(refused, Some(JournalError::InUse { .. })), "{refused:?}");
    let reader = SqliteJournal::open_read_only(&path, Options::default()).unwrap();
    let mut after = Position(0);
    while after.0 < 2000 {
        reader.wait_past(after).await.unwrap();
        for event in reader.read_all(after, 500).await.unwrap() {
            assert_eq!(event.position.0, after.0 + 1, "no gap, no repeat");
            after = event.position;
        }
        let version = reader.stream_version(&order(1)).await.unwrap();
        let events = reader.read_stream(&order(1), 0, usize::MAX).await.unwrap();
        assert!(events.len() as u64 >= version);
        assert!(events.iter().zip(1..).all(|(event, n)| event.version == n));
        lines.next();
    }
    child.kill().unwrap();
    lines.for_each(drop);
    child.wait().unwrap();
    // The writer is dead and has not tidied up: reading goes on, also from anew.
    let head = reader.head();
    assert_eq!(all(&reader).await.len() as u64, head.0);
    drop(reader);
    let copy = snapshot(&path);
    let again = SqliteJournal::open_read_only(&copy, Options::default()).unwrap();
    // A commit whose writer died before it could say so may turn up, never less than was seen.
    assert!(all(&again).await.len() as u64 >= head.0);
    assert!(again.append(vec![single(1, 0, 1)]).await.is_err(), "a reader appends nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_reader_is_woken_by_another_ones_append() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("journal");
    let writer = open(&path);
    let reader =
        std::sync::Arc::new(SqliteJournal::open_read_only(&path, Options::default()).unwrap());
    let waiting = tokio::spawn({
        let reader = std::sync::Arc::clone(&reader);
        async move { reader.wait_past(Position(0)).await }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    append(&writer, single(1, 0, 3)).await.unwrap();
    let woken = tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap();
    assert_eq!(woken.unwrap(), Position(3));
    assert_eq!(reader.stream_version(&order(1)).await.unwrap(), 3);
    append(&writer, single(1, 3, 2)).await.unwrap();
    assert_eq!(reader.stream_version(&order(1)).await.unwrap(), 5);
    writer.close().await.unwrap();
    assert_eq!(reader.stream_version(&order(1)).await.unwrap(), 5);
    reader.close().await.unwrap();
    assert!(matches!(reader.wait_past(Position(9)).await, Err(JournalError::Closed)));
}
