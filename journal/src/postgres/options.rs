//! What can be set on a journal in PostgreSQL.

use std::time::Duration;

use crate::JournalId;

/// Settings of a [`PostgresJournal`](crate::PostgresJournal).
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// Make or upgrade the tables on opening; else a database without them, or with older ones,
    /// is `Unavailable` until [`migrate`](crate::migrate_postgres) has run.
    pub migrate: bool,
    /// The id a journal gets that is made on opening, or is empty; `None` makes one up.
    pub id: Option<JournalId>,
    /// The schema the tables are in; `None` is what the URL's search_path says, else `public`.
    pub schema: Option<String>,
    /// Most events kept in memory for readers near the head.
    pub tail_events: usize,
    /// Most bytes of payload and metadata kept in memory for readers near the head.
    pub tail_bytes: usize,
    /// Connections for reading; two more are open, for appends and for news.
    pub read_connections: u32,
    /// Most events waiting to be committed. An append past it is `Unavailable`.
    pub queue_events_max: usize,
    /// Most bytes of payload and metadata waiting to be committed.
    pub queue_bytes_max: usize,
    /// How long an append waits for a server that is away before it is `Unavailable`.
    pub patience: Duration,
    /// How often to look for the events of others when the server tells of none.
    pub poll_every: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            migrate: true,
            id: None,
            schema: None,
            tail_events: 65_536,
            tail_bytes: 64 << 20,
            read_connections: 4,
            queue_events_max: 65_536,
            queue_bytes_max: 64 << 20,
            patience: Duration::from_secs(10),
            poll_every: Duration::from_secs(1),
        }
    }
}
