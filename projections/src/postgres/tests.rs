//! Read models in PostgreSQL: through failures, beside other nodes, and as people read them.
//!
//! The tests start a PostgreSQL of their own; `TILLROLL_TEST_POSTGRES_URL` names another.

mod errors;
mod nodes;
mod outage;
mod people;
mod same_rows;
#[allow(unreachable_pub, reason = "benchmarks use it too")]
#[allow(dead_code, reason = "benchmarks use it too")]
pub(crate) mod server;

use crate::{Directory, PostgresOptions};

/// A directory in a database of its own.
pub(crate) fn fresh() -> (String, Directory) {
    let url = server::database();
    let directory = open(&url);
    (url, directory)
}

/// Another process's directory in the same database.
pub(crate) fn open(url: &str) -> Directory {
    Directory::in_postgres(url, &PostgresOptions::default()).unwrap()
}
