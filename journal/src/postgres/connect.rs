//! Sessions with the server: where it is, what it must be, and how each session is set up.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, Row};

use super::faults::{connect_error, read_error};
use crate::JournalError;

/// Oldest server whose functions and triggers this adapter was made for.
const SERVER_MIN: i32 = 140_000;
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// What every session needs, whatever the server's defaults are. No plan made while the table
/// was small may read all of it once it is large.
const SETUP: &str = "SET synchronous_commit = on; \
     SET default_transaction_isolation = 'read committed'; \
     SET default_transaction_read_only = off; \
     SET idle_in_transaction_session_timeout = 0; SET statement_timeout = 0; \
     SET lock_timeout = '10s'; SET enable_seqscan = off; SET enable_bitmapscan = off; \
     SET jit = off; SET client_min_messages = warning";

/// A server and a database on it: the journal's, or that of a store kept beside the journal.
#[derive(Debug, Clone)]
pub struct Server {
    options: PgConnectOptions,
    /// Where it is, for messages: without a password.
    place: String,
}

impl Server {
    /// Reads `postgres://USER:PASSWORD@HOST:5432/DATABASE`.
    ///
    /// # Errors
    /// `Unavailable`, without repeating the URL: it may hold a password.
    pub fn parse(url: &str) -> Result<Self, JournalError> {
        const FORM: &str = "expected postgres://USER:PASSWORD@HOST:5432/DATABASE";
        // The URL itself may hold a password, so it is not repeated.
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(JournalError::Unavailable(format!("not a PostgreSQL URL: {FORM}")));
        }
        let options = PgConnectOptions::from_str(url)
            .map_err(|error| {
                JournalError::Unavailable(format!("not a PostgreSQL URL ({error}): {FORM}"))
            })?
            .application_name("tillroll")
            .disable_statement_logging();
        let host = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => options.get_host().to_owned(),
        };
        let database = options.get_database().unwrap_or_else(|| options.get_username());
        let place = format!("{host}:{}/{database}", options.get_port());
        Ok(Self { options, place })
    }

    /// The same with `schema` for its search_path.
    pub(super) fn in_schema(mut self, schema: Option<&str>) -> Result<Self, JournalError> {
        match schema {
            Some(schema) if !is_plain(schema) => Err(JournalError::Unavailable(format!(
                "the schema name `{schema}`: use lower-case letters, digits and underscores"
            ))),
            Some(schema) => {
                self.options = self.options.options([("search_path", schema)]);
                Ok(self)
            }
            None => Ok(self),
        }
    }

    /// Host, port and database, for messages: without a password.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// As [`Self::connect`], for a server that keeps what it has acknowledged.
    ///
    /// # Errors
    /// `Unavailable`: also when the server is too old, a standby, or runs without `fsync`.
    pub async fn connect_checked(&self) -> Result<PgConnection, JournalError> {
        let mut session = self.connect().await?;
        check(&mut session).await?;
        Ok(session)
    }

    /// A session of its own, set up for durable commits and for lookups by index.
    ///
    /// # Errors
    /// `Unavailable`; the message says what to do.
    pub async fn connect(&self) -> Result<PgConnection, JournalError> {
        let connecting = async {
            let mut session = PgConnection::connect_with(&self.options).await?;
            set_up(&mut session).await?;
            Ok(session)
        };
        match tokio::time::timeout(CONNECT_WITHIN, connecting).await {
            Ok(Ok(session)) => Ok(session),
            Ok(Err(error)) => Err(connect_error(&self.place, self.options.get_username(), &error)),
            Err(_) => Err(JournalError::Unavailable(format!(
                "no answer from {} within {} s: check host, port and the network between",
                self.place,
                CONNECT_WITHIN.as_secs()
            ))),
        }
    }

    /// Sessions for reading, opened as they are needed.
    #[must_use]
    pub fn pool(&self, connections: u32) -> PgPool {
        PgPoolOptions::new()
            // One is for listening.
            .max_connections(connections.max(1) + 1)
            .acquire_timeout(CONNECT_WITHIN)
            .after_connect(|session, _| Box::pin(async move { set_up(session).await }))
            .connect_lazy_with(self.options.clone())
    }
}

/// A name that means the same with and without quotes.
pub(super) fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty()
        && name.len() < 64
        && name.bytes().all(plain)
        && !name.as_bytes()[0].is_ascii_digit()
}

async fn set_up(session: &mut PgConnection) -> Result<(), sqlx::Error> {
    session.execute(SETUP).await.map(drop)
}

/// Refuses a server that cannot keep the port's promises.
pub(super) async fn check(session: &mut PgConnection) -> Result<(), JournalError> {
    let found = sqlx::query(
        "SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), \
         current_setting('fsync')::bool, current_setting('full_page_writes')::bool, \
         pg_is_in_recovery(), current_schema()",
    )
    .fetch_one(session)
    .await
    .map_err(|error| read_error(&error))?;
    let get = |error: sqlx::Error| read_error(&error);
    suitable(&Traits {
        version: found.try_get(0).map_err(get)?,
        encoding: found.try_get(1).map_err(get)?,
        fsync: found.try_get(2).map_err(get)?,
        full_page_writes: found.try_get(3).map_err(get)?,
        standby: found.try_get(4).map_err(get)?,
        schema: found.try_get(5).map_err(get)?,
    })
    .map_err(JournalError::Unavailable)
}

struct Traits {
    version: i32,
    encoding: String,
    fsync: bool,
    full_page_writes: bool,
    standby: bool,
    schema: Option<String>,
}

fn suitable(server: &Traits) -> Result<(), String> {
    if server.version < SERVER_MIN {
        return Err(format!(
            "the server is PostgreSQL {}: {} or newer is needed; upgrade the server",
            server.version / 10_000,
            SERVER_MIN / 10_000
        ));
    }
    if server.encoding != "UTF8" {
        return Err(format!(
            "the database's encoding is {}: make one with `createdb -E UTF8 -T template0`",
            server.encoding
        ));
    }
    if server.standby {
        return Err("the server is a standby: point the URL at the primary".to_owned());
    }
    if !server.fsync || !server.full_page_writes {
        return Err("the server runs with fsync or full_page_writes off, so a power cut loses \
                    what was acknowledged: set both to on in postgresql.conf"
            .to_owned());
    }
    if server.schema.is_none() {
        return Err("no schema of the search_path exists: `tillroll migrate` makes the ones it needs; else \
                    create it, or fix search_path"
            .to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Server, Traits, suitable};

    fn good() -> Traits {
        Traits {
            version: 150_018,
            encoding: "UTF8".to_owned(),
            fsync: true,
            full_page_writes: true,
            standby: false,
            schema: Some("public".to_owned()),
        }
    }

    #[test]
    fn what_a_server_must_be() {
        assert_eq!(suitable(&good()), Ok(()));
        let refused = |server: Traits, word: &str| {
            let said = suitable(&server).expect_err("refused");
            assert!(said.contains(word), "{said}");
        };
        refused(Traits { version: 130_010, ..good() }, "PostgreSQL 13: 14 or newer");
        refused(Traits { encoding: "SQL_ASCII".to_owned(), ..good() }, "createdb -E UTF8");
        refused(Traits { fsync: false, ..good() }, "fsync");
        refused(Traits { full_page_writes: false, ..good() }, "full_page_writes");
        refused(Traits { standby: true, ..good() }, "primary");
        refused(Traits { schema: None, ..good() }, "search_path");
    }

    #[test]
    fn a_wrong_url_is_told_without_its_password() {
        for url in ["mysql://me:secret@there/db", "postgres://me:secret@there:port/db", "secret"] {
            let said = Server::parse(url).expect_err("refused").to_string();
            assert!(said.contains("postgres://USER:PASSWORD@HOST:5432/DATABASE"), "{said}");
            assert!(!said.contains("secret"), "{said}");
        }
    }
}
