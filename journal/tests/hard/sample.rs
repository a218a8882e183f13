//! Units to append and ways to run a second process.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use chrono::DateTime;
use journal::{
    Category, EventType, Group, Journal, JournalError, NewEvent, Options, Position, Recorded,
    SqliteJournal, StreamId, Unit, Verdict,
};
use uuid::Uuid;

pub(crate) const CHILD_PATH: &str = "JOURNAL_TEST_CHILD_PATH";

pub(crate) fn order(n: u64) -> StreamId {
    StreamId::of_uuid(Category::new("order"), Uuid::from_u128(u128::from(n)))
}

pub(crate) fn group(stream: StreamId, expected: u64, events: usize, bytes: usize) -> Group {
    let event = || NewEvent {
        id: Uuid::now_v7(),
        event_type: EventType::new("order.noted"),
        schema_version: 1,
        payload: Arc::from(format!(r#"{{"note":"{}"}}"#, "x".repeat(bytes))),
        occurred: DateTime::UNIX_EPOCH,
    };
    Group { stream, expected, events: (0..events).map(|_| event()).collect() }
}

pub(crate) fn unit(groups: Vec<Group>) -> Unit {
    Unit::new(groups, Arc::from(format!(r#"{{"unit":"{}"}}"#, Uuid::now_v7())))
}

pub(crate) fn single(n: u64, expected: u64, events: usize) -> Unit {
    unit(vec![group(order(n), expected, events, 300)])
}

pub(crate) fn open(path: &Path) -> SqliteJournal {
    SqliteJournal::open(path, Options::default()).unwrap()
}

pub(crate) async fn append(journal: &dyn Journal, unit: Unit) -> Result<u64, JournalError> {
    match journal.append(vec![unit]).await?.remove(0) {
        Verdict::Committed { last, .. } => Ok(last.0),
        refused => panic!("{refused:?}"),
    }
}

pub(crate) async fn all(journal: &dyn Journal) -> Vec<Recorded> {
    journal.read_all(Position(0), usize::MAX).await.unwrap()
}

/// The file and the log beside it, as a power cut at this moment would leave them.
pub(crate) fn snapshot(path: &Path) -> PathBuf {
    let copy = path.with_extension("copy");
    for suffix in ["", "-wal"] {
        let with = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
        let _ = std::fs::remove_file(with(&copy));
        if with(path).exists() {
            std::fs::copy(with(path), with(&copy)).unwrap();
        }
    }
    copy
}

/// Runs one ignored test of this binary as another process.
pub(crate) fn spawn(test: &str, path: &Path) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
        .env(CHILD_PATH, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines.map_while(Result::ok))
}

pub(crate) fn child_path() -> Option<PathBuf> {
    std::env::var_os(CHILD_PATH).map(PathBuf::from)
}
