//! What can be set on a journal in EventStoreDB.

use std::path::PathBuf;
use std::time::Duration;

use crate::Options;

/// Settings of an [`EventStoreJournal`](crate::EventStoreJournal).
#[derive(Debug, Clone)]
pub struct EventStoreOptions {
    /// The file of this node's mirror, which is made when it is not there. It holds nothing that
    /// the server has not, so it can be deleted while the journal is closed.
    pub mirror: PathBuf,
    /// Caches of the mirror, the limits of what may wait to be appended (`queue_events_max`,
    /// `queue_bytes_max`), and the clock that says when an event is recorded.
    pub embedded: Options,
    /// Most bytes sent in one append, names and metadata with them. Keep it below the server's
    /// `MaxAppendSize` (1 MiB unless it was changed); a larger unit is sent in parts.
    pub append_bytes_max: usize,
    /// How long an append waits for a server that is away before it is `Unavailable`.
    pub patience: Duration,
    /// A server that has not answered by then is taken for lost.
    pub answer_within: Duration,
    /// How often to look for the events of others while nothing is appended here.
    pub poll_every: Duration,
}

impl EventStoreOptions {
    /// The defaults, with the mirror in this file.
    #[must_use]
    pub fn new(mirror: PathBuf) -> Self {
        Self {
            mirror,
            embedded: Options::default(),
            append_bytes_max: 900_000,
            patience: Duration::from_secs(10),
            answer_within: Duration::from_secs(10),
            poll_every: Duration::from_millis(50),
        }
    }
}
