//! A server and a database on it: where it is, what it must be, how a session with it is set up.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{AsyncMessage, Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::faults::{connect_fault, fault};
use super::tls;
use crate::StoreError;

/// Oldest server this store was made for.
const SERVER_MIN: i32 = 140_000;
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const FORM: &str = "expected postgres://USER:PASSWORD@HOST:5432/DATABASE";

/// What every session needs, whatever the server's defaults are. A loss of power may take the
/// last commits along, rows and positions together: they are folded again.
const SETUP: &str = "SET synchronous_commit = off; \
     SET default_transaction_isolation = 'read committed'; \
     SET default_transaction_read_only = off; SET client_min_messages = warning; \
     SET statement_timeout = 0; SET lock_timeout = '10s'; SET jit = off";

#[derive(Clone)]
pub(super) struct Server {
    config: Config,
    tls: MakeRustlsConnect,
    /// Where it is, for messages: without a password.
    place: Arc<str>,
    user: Arc<str>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Server({})", self.place)
    }
}

impl Server {
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let wrong =
            |why: String| StoreError::Unavailable(format!("not a PostgreSQL URL{why}: {FORM}"));
        // The URL itself may hold a password, so it is not repeated.
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(wrong(String::new()));
        }
        let (url, wanted) = tls::split(url)?;
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            wrong(format!(" ({})", cause.unwrap_or_else(|| error.to_string())))
        })?;
        config
            .ssl_mode(wanted.mode())
            .connect_timeout(CONNECT_WITHIN)
            .tcp_user_timeout(Duration::from_secs(10))
            .keepalives_idle(Duration::from_secs(5))
            .keepalives_interval(Duration::from_secs(2))
            .keepalives_retries(3);
        if config.get_application_name().is_none() {
            config.application_name("tillroll");
        }
        let user = config.get_user().map(ToOwned::to_owned).or_else(|| std::env::var("USER").ok());
        let user = user.unwrap_or_else(|| "postgres".to_owned());
        config.user(&user);
        let host = match config.get_hosts().first() {
            Some(Host::Tcp(name)) => name.clone(),
            #[cfg(unix)]
            Some(Host::Unix(path)) => path.display().to_string(),
            None => return Err(wrong(" (it names no host)".to_owned())),
        };
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let database = config.get_dbname().unwrap_or(&user);
        let place = format!("{host}:{port}/{database}");
        Ok(Self { tls: wanted.connector()?, place: place.into(), user: user.into(), config })
    }

    /// A session, driven by the thread this runs on; what it is told by others goes to `news`.
    pub(super) async fn connect(
        &self,
        news: Option<mpsc::UnboundedSender<String>>,
    ) -> Result<Client, StoreError> {
        let connecting = async {
            let connected = self.config.connect(self.tls.clone()).await;
            let (client, mut connection) = connected.map_err(|error| self.fault(&error))?;
            tokio::spawn(async move {
                while let Some(Ok(message)) =
                    std::future::poll_fn(|context| connection.poll_message(context)).await
                {
                    if let (AsyncMessage::Notification(told), Some(news)) = (message, &news) {
                        let _ = news.send(told.payload().to_owned());
                    }
                }
            });
            client.batch_execute(SETUP).await.map_err(|error| fault(&error))?;
            Ok(client)
        };
        match tokio::time::timeout(CONNECT_WITHIN, connecting).await {
            Ok(outcome) => outcome,
            Err(_) => Err(StoreError::Unavailable(format!(
                "no answer from {} within {} s: check host, port and the network between",
                self.place,
                CONNECT_WITHIN.as_secs()
            ))),
        }
    }

    fn fault(&self, error: &tokio_postgres::Error) -> StoreError {
        connect_fault(&self.place, &self.user, error)
    }
}

/// Refuses a server that read models cannot live on.
pub(super) async fn check(client: &Client) -> Result<(), StoreError> {
    let row = client
        .query_one(
            "SELECT current_setting('server_version_num')::int, \
             current_setting('server_encoding'), pg_is_in_recovery()",
            &[],
        )
        .await
        .map_err(|error| fault(&error))?;
    suitable(row.get(0), row.get(1), row.get(2)).map_err(StoreError::Unavailable)
}

fn suitable(version: i32, encoding: &str, standby: bool) -> Result<(), String> {
    if version < SERVER_MIN {
        return Err(format!(
            "the server is PostgreSQL {}: read models need {} or newer; upgrade the server",
            version / 10_000,
            SERVER_MIN / 10_000
        ));
    }
    if encoding != "UTF8" {
        return Err(format!(
            "the database's encoding is {encoding}: make one with `createdb -E UTF8 -T template0`"
        ));
    }
    if standby {
        return Err("the server is a standby: point the URL at the primary".to_owned());
    }
    Ok(())
}

/// How a session is to be encrypted, as `sslmode` says.
impl tls::Wanted {
    fn mode(&self) -> SslMode {
        match self.mode {
            tls::Mode::Disable => SslMode::Disable,
            tls::Mode::Prefer => SslMode::Prefer,
            tls::Mode::Require | tls::Mode::VerifyCa | tls::Mode::VerifyFull => SslMode::Require,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Server, suitable};

    #[test]
    fn what_a_server_must_be() {
        assert_eq!(suitable(150_018, "UTF8", false), Ok(()));
        for (found, word) in [
            (suitable(130_010, "UTF8", false), "PostgreSQL 13: read models need 14"),
            (suitable(150_018, "SQL_ASCII", false), "createdb -E UTF8"),
            (suitable(150_018, "UTF8", true), "primary"),
        ] {
            let said = found.expect_err("refused");
            assert!(said.contains(word), "{said}");
        }
    }

    #[test]
    fn a_wrong_url_is_told_without_its_password() {
        for url in [
            "mysql://me:secret@there/db",
            "postgres://me:secret@there:port/db",
            "postgres://me:secret@there/db?sslmode=secret",
            "secret",
        ] {
            let said = Server::parse(url).expect_err("refused").to_string();
            assert!(said.contains("postgres://USER:PASSWORD@HOST:5432/DATABASE"), "{said}");
            assert!(!said.contains("secret"), "{said}");
        }
    }
}
