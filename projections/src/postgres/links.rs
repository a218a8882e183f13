//! Connections to the server, opened as they are needed and kept for the next.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_postgres::{Client, Statement};

use super::block::on_driver;
use super::faults::fault;
use super::server::Server;
use crate::StoreError;
use crate::directory::hold;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Writes what serves, under the lease.
    Write,
    /// Writes what does not serve yet, and what is about generations.
    Build,
    Read,
}

impl Role {
    /// A writer that stops in the middle of a transaction must not hold up its successor. Its
    /// statements are look-ups by key, which must not be planned by tables that are still empty.
    fn setup(self) -> &'static str {
        match self {
            Self::Write => {
                "SET idle_in_transaction_session_timeout = '5s'; SET enable_seqscan = off; \
                 SET enable_hashjoin = off; SET enable_mergejoin = off"
            }
            Self::Build => {
                "SET idle_in_transaction_session_timeout = 0; SET enable_seqscan = off; \
                 SET enable_hashjoin = off; SET enable_mergejoin = off"
            }
            Self::Read => "SET idle_in_transaction_session_timeout = 0",
        }
    }
}

/// A connection, and what was prepared on it.
pub(super) struct Link {
    pub(super) client: Arc<Client>,
    /// The schema that names are looked up in.
    pub(super) schema: String,
    /// By schema and text.
    pub(super) statements: HashMap<String, HashMap<String, (u32, Statement)>>,
    pub(super) prepared: u32,
}

/// What all sessions of a directory share.
pub(super) struct Links {
    pub(super) server: Server,
    /// Schema of what is about generations.
    pub(super) meta: String,
    /// Epoch of the lease that this process holds, or held last.
    pub(super) epoch: AtomicU64,
    readers: Mutex<Readers>,
    freed: Condvar,
    readers_max: usize,
}

#[derive(Default)]
struct Readers {
    idle: Vec<Link>,
    /// Open, idle ones too.
    open: usize,
}

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Links").field("server", &self.server).finish_non_exhaustive()
    }
}

/// How long a query waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

impl Links {
    pub(super) fn new(server: Server, meta: String, readers_max: usize) -> Self {
        Self {
            server,
            meta,
            epoch: AtomicU64::new(0),
            readers: Mutex::default(),
            freed: Condvar::new(),
            // A comparison holds two.
            readers_max: readers_max.max(2),
        }
    }

    pub(super) fn open(&self, role: Role) -> Result<Link, StoreError> {
        let server = self.server.clone();
        let client = on_driver(async move {
            let client = server.connect(None).await?;
            client.batch_execute(role.setup()).await.map_err(|error| fault(&error))?;
            Ok(client)
        })?;
        Ok(Link {
            client: Arc::new(client),
            schema: String::new(),
            statements: HashMap::new(),
            prepared: 0,
        })
    }

    /// A connection for a query: one that is idle, or else a new one, or the next to be free.
    pub(super) fn take(&self) -> Result<Link, StoreError> {
        let until = Instant::now() + PATIENCE;
        let mut readers = hold(&self.readers);
        loop {
            if let Some(link) = readers.idle.pop() {
                if !link.client.is_closed() {
                    return Ok(link);
                }
                readers.open -= 1;
            } else if readers.open < self.readers_max {
                readers.open += 1;
                drop(readers);
                return self.open(Role::Read).inspect_err(|_| self.give(None));
            } else {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(StoreError::Unavailable(format!(
                        "all {} connections for reading are busy: try again, or allow more",
                        self.readers_max
                    )));
                }
                let waited = self.freed.wait_timeout(readers, left);
                readers = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }

    /// Gives back what was taken; nothing if it cannot be used again.
    pub(super) fn give(&self, link: Option<Link>) {
        let mut readers = hold(&self.readers);
        match link.filter(|link| !link.client.is_closed()) {
            Some(link) => readers.idle.push(link),
            None => readers.open -= 1,
        }
        drop(readers);
        self.freed.notify_one();
    }

    pub(super) fn epoch(&self) -> i64 {
        self.epoch.load(Ordering::Acquire).cast_signed()
    }
}
