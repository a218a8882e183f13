//! Sessions that end and servers that fall, in the middle of folding.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use journal::{Journal, MemoryJournal};

use super::server::{Server, ask, try_ask};
use crate::runner::tests::{assert_same, open, rows, rows_from_scratch, tell_some};
use crate::story::Teller;
use crate::{Directory, PostgresOptions, ReadModels, Runner};

async fn told(orders: u64) -> Arc<dyn Journal> {
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
    let mut teller = Teller::new(Arc::clone(&journal));
    tell_some(&mut teller, 0..orders).await;
    journal
}

/// Folds to the end in small batches, whatever happens; returns how often it failed.
async fn fold_through(runner: &mut Runner, journal: &Arc<dyn Journal>) -> usize {
    let mut failures = 0;
    while runner.position() < journal.head() {
        if let Err(error) = runner.run_once(16).await {
            failures += 1;
            assert!(failures < 2_000, "it does not get on: {error:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    failures
}

#[tokio::test]
async fn sessions_that_are_ended_in_the_middle_lose_and_repeat_nothing() {
    let journal = told(60).await;
    let (url, directory) = super::fresh();
    let mut runner = open(&journal, &directory);
    let models = runner.read_models();
    let done = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&done);
    let killer = std::thread::spawn(move || {
        let mut killed = 0;
        while !over.load(Ordering::Relaxed) {
            // Whatever session is at work on rows just now, wherever it is.
            let ended = ask(
                &url,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE datname = current_database() AND pid <> pg_backend_pid() \
                 AND application_name = 'tillroll' ORDER BY random() LIMIT 2",
            );
            killed += ended.len();
            std::thread::sleep(Duration::from_millis(15));
        }
        killed
    });
    let failures = fold_through(&mut runner, &journal).await;
    done.store(true, Ordering::Relaxed);
    assert!(killer.join().unwrap() > 10 && failures > 0);
    let mut read = models.read("orders", |_| Ok(()));
    while read.is_err() {
        read = models.read("orders", |_| Ok(()));
    }
    assert_same(&rows(&models), &rows_from_scratch(&journal).await);
}

#[tokio::test]
async fn a_server_that_falls_and_comes_back_loses_and_repeats_nothing() {
    let journal = told(40).await;
    let mut server = Server::start();
    let url = server.url("postgres");
    let directory = Directory::in_postgres(&url, &PostgresOptions::default()).unwrap();
    let mut runner = open(&journal, &directory);
    let reader = ReadModels::open(
        &Directory::in_postgres(&url, &PostgresOptions::default()).unwrap(),
        &crate::models::all(),
    )
    .unwrap();
    for how in ["immediate", "fast"] {
        // After a fall the first steps may find that the last commits are lost.
        let mut steps = 0;
        while steps < 5 {
            steps += usize::from(runner.run_once(16).await.is_ok());
        }
        server.halt(how);
        let failed = runner.run_once(16).await.expect_err("nobody is there");
        let said = crate::runner::chain(&failed);
        assert!(
            said.contains("lost")
                || said.contains("broke")
                || said.contains("no PostgreSQL socket"),
            "{said}"
        );
        assert!(reader.read("orders", |rows| rows.prepare("SELECT 1")?.exists([])).is_err());
        server.run();
    }
    fold_through(&mut runner, &journal).await;
    runner.store_positions().unwrap();
    assert_same(&rows(&runner.read_models()), &rows_from_scratch(&journal).await);
    reader.wait_for(journal.head(), Duration::from_secs(10)).await.unwrap();
    assert_same(&rows(&reader), &rows(&runner.read_models()));
    assert!(try_ask(&url, "SELECT 1").is_ok());
}
