//! What can be set on the bus over JetStream.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::BusError;

/// Settings of a [`JetStreamBus`](super::JetStreamBus). The defaults suit production on one server.
#[derive(Clone)]
pub struct JetStreamOptions {
    /// One address or several with commas between them: `nats://[user:password@]host[:port]`,
    /// `nats://token@host`, `tls://…`. May hold a secret.
    pub servers: String,
    /// A credentials file (JWT and seed), instead of what is in the address.
    pub credentials: Option<PathBuf>,
    /// Certificates (PEM) of the authorities to trust, instead of the system's.
    pub authorities: Option<PathBuf>,
    /// A certificate and its key (PEM) that this client shows.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// What subjects begin with: `tillroll` gives `tillroll.orders.placed`.
    pub prefix: String,
    /// Name of the stream. It is made if there is none, with the settings below.
    pub stream: String,
    /// Name of the key-value bucket that keeps how far the stream has been told.
    pub bucket: String,
    /// Copies of stream and bucket in a cluster, 1 to 5.
    pub replicas: usize,
    /// How long messages are kept; zero for ever.
    pub max_age: Duration,
    /// How much is kept, in bytes; −1 as much as the server has.
    pub max_bytes: i64,
    /// How long the server itself recognizes a repeat by its id.
    pub duplicate_window: Duration,
    /// Most messages sent and not confirmed.
    pub window_messages: usize,
    /// Most bytes sent and not confirmed, unless one message alone is larger.
    pub window_bytes: usize,
    /// How long to wait for the server's answer.
    pub answer_timeout: Duration,
}

impl JetStreamOptions {
    /// The defaults for these servers.
    #[must_use]
    pub fn new(servers: &str) -> Self {
        Self {
            servers: servers.to_owned(),
            credentials: None,
            authorities: None,
            identity: None,
            prefix: "tillroll".to_owned(),
            stream: "TILLROLL".to_owned(),
            bucket: "TILLROLL_RELAY".to_owned(),
            replicas: 1,
            max_age: Duration::from_secs(14 * 24 * 60 * 60),
            max_bytes: -1,
            duplicate_window: Duration::from_secs(120),
            window_messages: 512,
            window_bytes: 4 << 20,
            answer_timeout: Duration::from_secs(5),
        }
    }

    /// The subjects of all messages.
    #[must_use]
    pub fn subjects(&self) -> String {
        format!("{}.>", self.prefix)
    }

    pub(super) fn check(&self) -> Result<(), BusError> {
        let name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let token = |text: &str| !text.is_empty() && text.chars().all(name);
        let wrong = |what: &str, given: &str| {
            Err(BusError::SetUp(format!(
                "`{given}` is no {what} of the bus: letters, digits, `_` and `-` are"
            )))
        };
        if !self.prefix.split('.').all(token) {
            return wrong("prefix", &self.prefix);
        }
        if !token(&self.stream) {
            return wrong("stream name", &self.stream);
        }
        if !token(&self.bucket) {
            return wrong("bucket name", &self.bucket);
        }
        if !(1..=5).contains(&self.replicas) {
            return Err(BusError::SetUp(format!(
                "the bus may have 1 to 5 replicas, not {}",
                self.replicas
            )));
        }
        Ok(())
    }

    /// What to say when the server does not let this user do something.
    pub(super) fn refused(&self, what: &str) -> BusError {
        BusError::SetUp(format!(
            "NATS does not let this user do what the relay needs ({what}): allow it to publish to \
             `{}`, `$JS.API.>` and `$KV.{}.>`, and to subscribe to `_INBOX.>`",
            self.subjects(),
            self.bucket
        ))
    }
}

impl fmt::Debug for JetStreamOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a password.
        f.debug_struct("JetStreamOptions")
            .field("prefix", &self.prefix)
            .field("stream", &self.stream)
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}
