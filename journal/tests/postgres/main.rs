//! The journal in PostgreSQL: the port's promises, beside other writers and through failures.
//!
//! The tests start a PostgreSQL of their own; `TILLROLL_TEST_POSTGRES_URL` names another.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![allow(unreachable_pub, reason = "a test program exports nothing")]

mod copy;
mod errors;
mod migrations;
mod outage;
mod peer;
mod sample;
#[path = "../shared/varied.rs"]
mod varied;
mod writers;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use journal::conformance::{Factory, check_all};
use journal::{Journal, PostgresJournal, PostgresOptions};
use test_servers::postgres as server;

struct Databases {
    last: Mutex<String>,
    options: PostgresOptions,
}

#[async_trait]
impl Factory for Databases {
    async fn fresh(&self) -> Arc<dyn Journal> {
        let url = server::database().await;
        *self.last.lock().unwrap() = url.clone();
        Arc::new(PostgresJournal::open(&url, self.options.clone()).await.unwrap())
    }

    async fn reopen(&self, _: Arc<dyn Journal>) -> Option<Arc<dyn Journal>> {
        let url = self.last.lock().unwrap().clone();
        Some(Arc::new(PostgresJournal::open(&url, self.options.clone()).await.unwrap()))
    }
}

#[tokio::test]
async fn the_journal_in_postgresql_conforms() {
    let options = PostgresOptions::default();
    check_all(&Databases { last: Mutex::default(), options }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_conforms_with_next_to_no_memory_on_many_threads() {
    let options = PostgresOptions { tail_events: 2, read_connections: 1, ..Default::default() };
    check_all(&Databases { last: Mutex::default(), options }).await;
}
