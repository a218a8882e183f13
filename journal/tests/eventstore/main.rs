//! The journal in EventStoreDB: the port's promises, beside other nodes and through failures.
//!
//! The tests run against a double of the server, which speaks its protocol over real sockets. Where
//! `TILLROLL_TEST_ESDB_URL` names a server, those that need no failures run against that too.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![allow(clippy::print_stderr, reason = "it says what it did not test")]
#![allow(unreachable_pub, dead_code, reason = "a test program exports nothing")]

mod errors;
mod large;
mod leases;
mod mirror;
mod nodes;
mod outage;
mod sample;

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use journal::conformance::{Factory, check_all};
use journal::{EventStoreJournal, EventStoreOptions, Journal};
use sample::{fresh_stream, options};
use test_servers::eventstore::Double;

struct Streams {
    url: Box<dyn Fn(&str) -> String + Send + Sync>,
    last: Mutex<Option<(String, EventStoreOptions)>>,
    /// The mirror is deleted before the journal is opened again.
    forget: bool,
    directory: tempfile::TempDir,
}

impl Streams {
    fn at(url: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { url: Box::new(url), last: Mutex::default(), forget: false, directory }
    }
}

#[async_trait]
impl Factory for Streams {
    async fn fresh(&self) -> Arc<dyn Journal> {
        let stream = fresh_stream();
        let url = (self.url)(&stream);
        let options = options(&self.directory.path().join(&stream));
        *self.last.lock().unwrap() = Some((url.clone(), options.clone()));
        Arc::new(EventStoreJournal::open(&url, options).await.unwrap())
    }

    async fn reopen(&self, _: Arc<dyn Journal>) -> Option<Arc<dyn Journal>> {
        let (url, mut options) = self.last.lock().unwrap().clone().unwrap();
        if self.forget {
            options.mirror.set_extension("new");
        }
        Some(Arc::new(EventStoreJournal::open(&url, options).await.unwrap()))
    }
}

#[tokio::test]
async fn the_journal_in_eventstoredb_conforms() {
    let double = Double::start();
    let address = double.address();
    let url = move |stream: &str| format!("esdb://{address}?tls=false&stream={stream}");
    check_all(&Streams::at(url)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_conforms_with_connections_cut_at_random_and_mirrors_lost() {
    let double = Double::start();
    double.shared.faults.cut_of_1000.store(60, Relaxed);
    let address = double.address();
    let url = move |stream: &str| format!("esdb://{address}?tls=false&stream={stream}");
    check_all(&Streams { forget: true, ..Streams::at(url) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_conforms_without_batches() {
    let double = Double::start();
    double.shared.no_batches.store(true, Relaxed);
    let address = double.address();
    let url = move |stream: &str| format!("esdb://{address}?tls=false&stream={stream}");
    check_all(&Streams::at(url)).await;
}

#[tokio::test]
async fn it_conforms_on_the_server_that_is_given() {
    let Ok(given) = std::env::var("TILLROLL_TEST_ESDB_URL") else {
        eprintln!("not run against a real server: set TILLROLL_TEST_ESDB_URL=esdb://… for that");
        return;
    };
    let joint = if given.contains('?') { '&' } else { '?' };
    check_all(&Streams::at(move |stream| format!("{given}{joint}stream={stream}"))).await;
}
