//! A whole process with journal, orders and relay in it, killed and started again.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use journal::{Journal, SqliteJournal};
use sagas::relay::JetStreamOptions;
use test_servers::nats::Server;

use crate::running::{PATIENCE, Running};
use crate::shop;

const JOURNAL: &str = "TILLROLL_TEST_BUS_JOURNAL";
const SERVERS: &str = "TILLROLL_TEST_BUS_SERVERS";
const NAME: &str = "TILLROLL_TEST_BUS_NAME";

fn open(path: &Path) -> Arc<SqliteJournal> {
    let options = journal::Options { realtime_priority: false, ..journal::Options::default() };
    Arc::new(SqliteJournal::open(path, options).unwrap())
}

fn named(servers: &str, name: &str) -> JetStreamOptions {
    JetStreamOptions {
        prefix: name.to_owned(),
        stream: format!("{name}-stream"),
        bucket: format!("{name}-relay"),
        ..JetStreamOptions::new(servers)
    }
}

/// Runs in the child.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by the test that kills it"]
async fn child_sells_and_tells() {
    let Some(path) = std::env::var_os(JOURNAL) else { return };
    let journal = open(Path::new(&path));
    let options = named(&std::env::var(SERVERS).unwrap(), &std::env::var(NAME).unwrap());
    let _relay = Running::start(Arc::clone(&journal) as _, &options);
    loop {
        shop::one_order(&*journal).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_anywhere_has_told_what_it_committed_once_it_is_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let mut nats = Server::start();
    let options = named(&nats.url(), "killed");
    for round in 0..10_u32 {
        let before = messages(&options).await;
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "process::child_sells_and_tells", "--ignored"])
            .env(JOURNAL, &path)
            .env(SERVERS, nats.url())
            .env(NAME, "killed")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Until it has told something, so that each round kills it at work.
        let at_work = async {
            while messages(&options).await <= before + 20 {
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
        };
        tokio::time::timeout(PATIENCE, at_work).await.expect("the child tells something");
        tokio::time::sleep(Duration::from_millis(u64::from(round * 7 % 40))).await;
        child.kill().unwrap();
        child.wait().unwrap();
        if round % 4 == 3 {
            nats.kill();
            nats.run();
        }
    }
    let journal = open(&path);
    let relay = Running::start(Arc::clone(&journal) as _, &options);
    relay.reached(journal.head()).await;
    relay.stop().await;
    shop::exactly_once(&*journal, &options).await;
    journal.close().await.unwrap();
}

/// How many messages the stream has; 0 while there is none.
async fn messages(options: &JetStreamOptions) -> u64 {
    let client = async_nats::connect(&options.servers).await.unwrap();
    let context = async_nats::jetstream::new(client);
    match context.get_stream(&options.stream).await {
        Ok(stream) => stream.cached_info().state.messages,
        Err(_) => 0,
    }
}
