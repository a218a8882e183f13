//! A copy that is killed goes on where it was, and nothing is lost or doubled.

use journal::{CopyError, CopyOptions, Journal, Options, SqliteJournal, check_copy, copy, verify};
use tempfile::TempDir;

use crate::sample::{child_path, spawn};
use crate::varied::{everything, varied};

const EVENTS: u64 = 60_000;

/// Runs in the child: copies a journal that is the same each time.
#[tokio::test]
#[ignore = "started by the test that kills it"]
async fn child_copies() {
    let Some(path) = child_path() else { return };
    let source = varied(EVENTS).await;
    let options = Options { id: Some(source.id()), ..Options::default() };
    let target = SqliteJournal::open(&path, options).unwrap();
    let options = CopyOptions { batch_events: 256 };
    let said = &mut |at: journal::CopyProgress| {
        use std::io::Write;
        writeln!(std::io::stdout(), "at {:?} {}", at.stage, at.done).unwrap();
    };
    copy(&source, &target, &options, said).await.unwrap();
}

#[tokio::test]
async fn a_copy_killed_in_the_middle_is_finished_by_the_next() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("journal");
    let source = varied(EVENTS).await;
    let mut reached = 0;
    for round in 1..=3 {
        let (mut child, lines) = spawn("copy::child_copies", &path);
        let mut copying = 0;
        for line in lines {
            copying += usize::from(line.contains("at Copying"));
            if copying == 20 * round {
                child.kill().unwrap();
                break;
            }
        }
        child.wait().unwrap();
        let target = SqliteJournal::open_read_only(&path, Options::default()).unwrap();
        let head = target.head().0;
        assert!(head > reached && head < EVENTS, "{head} after {reached}");
        reached = head;
    }
    let target = SqliteJournal::open(&path, Options::default()).unwrap();
    let options = CopyOptions::default();
    let done = copy(&source, &target, &options, &mut |_| ()).await.unwrap();
    assert_eq!(done.found, reached);
    target.close().await.unwrap();
    let target = SqliteJournal::open_read_only(&path, Options::default()).unwrap();
    check_copy(&done, &target, &options, &mut |_| ()).await.unwrap();
    assert_eq!(everything(&target).await, everything(&source).await);
    assert!(verify(&path, |_, _| ()).unwrap().is_sound());
}

/// What damages a file is found by its sums, and never copied over.
#[tokio::test]
async fn a_damaged_target_is_noticed_before_anything_is_added() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("journal");
    let source = varied(2_000).await;
    let options = Options { id: Some(source.id()), ..Options::default() };
    let target = SqliteJournal::open(&path, options.clone()).unwrap();
    copy(&varied(1_000).await, &target, &CopyOptions::default(), &mut |_| ()).await.unwrap();
    target.close().await.unwrap();
    drop(target);
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute(
            "UPDATE chunk SET body = substr(body, 1, length(body) - 1) || x'ff' WHERE first = 1",
            [],
        )
        .unwrap();
    drop(connection);
    let target = SqliteJournal::open(&path, options).unwrap();
    let head = target.head();
    let refused = copy(&source, &target, &CopyOptions::default(), &mut |_| ()).await.unwrap_err();
    assert!(matches!(refused, CopyError::Journal { .. }), "{refused}");
    assert_eq!(target.head(), head);
}
