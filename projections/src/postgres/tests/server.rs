//! The tests' PostgreSQL, for tests that are no futures.

use tokio_postgres::{NoTls, SimpleQueryMessage};

pub use test_servers::postgres::{Server, shared};

/// The URL of a new and empty database, on the server that all tests share.
pub fn database() -> String {
    on_a_thread(test_servers::postgres::database())
}

/// Also where the caller is on a runtime's thread already.
fn on_a_thread<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let working = scope.spawn(|| {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(work)
        });
        working.join().unwrap()
    })
}

/// The first column of what `sql` answers.
pub fn ask(url: &str, sql: &str) -> Vec<String> {
    try_ask(url, sql).unwrap()
}

/// As [`ask`], where it may be refused.
pub fn try_ask(url: &str, sql: &str) -> Result<Vec<String>, String> {
    on_a_thread(async {
        let (client, connection) =
            tokio_postgres::connect(url, NoTls).await.map_err(|error| error.to_string())?;
        tokio::spawn(connection);
        let answer = client.simple_query(sql).await.map_err(|error| {
            error.as_db_error().map_or(error.to_string(), |error| error.message().to_owned())
        })?;
        Ok(answer
            .into_iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("null").to_owned()),
                _ => None,
            })
            .collect())
    })
}
