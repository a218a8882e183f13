//! Taking old chunks out of the file is killed at any instant, and every event is still read.

use std::time::Duration;

use journal::{
    ArchiveBefore, CopyOptions, Journal, Options, Position, SqliteJournal, copy, remove_archived,
    seal, verify,
};
use tempfile::TempDir;

use crate::sample::{child_path, spawn};
use crate::varied::{everything, varied};

const EVENTS: u64 = 20_000;

/// Runs in the child: takes out what is sealed beside the journal.
#[tokio::test]
#[ignore = "started by the test that kills it"]
async fn child_takes_out() {
    let Some(path) = child_path() else { return };
    let mut said = false;
    let removed = remove_archived(&path, &path.with_file_name("cold"), &mut |at, end| {
        use std::io::Write;
        if at == end && !said {
            said = true;
            writeln!(std::io::stdout(), "proven").unwrap();
        }
    });
    removed.unwrap();
}

#[tokio::test]
async fn killed_while_chunks_are_taken_out_nothing_is_lost() {
    let source = varied(EVENTS).await;
    let events = everything(&source).await;
    let made = TempDir::new().unwrap();
    let path = made.path().join("journal");
    let cold = made.path().join("cold");
    std::fs::create_dir(&cold).unwrap();
    let options = Options { id: Some(source.id()), ..Options::default() };
    let journal = SqliteJournal::open(&path, options).unwrap();
    copy(&source, &journal, &CopyOptions::default(), &mut |_| ()).await.unwrap();
    journal.close().await.unwrap();
    drop(journal);
    let whole = std::fs::read(&path).unwrap();
    let before = ArchiveBefore::Position(Position(EVENTS - 1_000));
    seal(&path, &cold, before, &mut |_, _| ()).unwrap().unwrap();
    let mut unfinished = 0;
    for round in 0..6 {
        std::fs::write(&path, &whole).unwrap();
        for rest in ["journal-wal", "journal-shm"] {
            let _ = std::fs::remove_file(made.path().join(rest));
        }
        let (mut child, lines) = spawn("archive::child_takes_out", &path);
        for line in lines {
            if line.contains("proven") {
                std::thread::sleep(Duration::from_millis(round * 6));
                let _ = child.kill();
                break;
            }
        }
        unfinished += u32::from(!child.wait().unwrap().success());
        let left = SqliteJournal::open_read_only(&path, Options::default()).unwrap();
        assert!(everything(&left).await == events, "round {round}");
        drop(left);
        let report = verify(&path, |_, _| ()).unwrap();
        assert!(report.is_sound(), "round {round}: {:?}", report.problems);
    }
    assert!(unfinished > 0, "none was killed in time");
    let done = remove_archived(&path, &cold, &mut |_, _| ()).unwrap();
    assert!(done.bytes_after * 3 < whole.len() as u64, "{done:?}");
    let left = SqliteJournal::open(&path, Options::default()).unwrap();
    assert!(everything(&left).await == events);
}
