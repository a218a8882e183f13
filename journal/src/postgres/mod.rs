//! A journal in PostgreSQL, on a superset of the tables of `postgres-es`.
//!
//! Order is made inside the database: positions are given out under a lock that is held until the
//! commit is visible, to programs that know nothing of positions too. See
//! `docs/adr/0008-positions-inside-postgresql.md`.

mod batch;
mod commit;
mod connect;
mod faults;
mod follow;
mod lease;
mod migrate;
mod options;
mod read;
mod resolve;
mod schemas;
mod shared;
mod tail;

use std::future::Future;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use async_trait::async_trait;
use tokio::runtime::Runtime;
use uuid::Uuid;

pub use connect::Server;
pub use migrate::migrate;
pub use options::PostgresOptions;
pub use schemas::{drop_schema, schemas};

use crate::held::{hold, read as read_lock};
use crate::{
    Epoch, Journal, JournalError, JournalId, Leases, Position, Properties, Recorded, Stats,
    StreamId, Unit, Verdict, Version, check,
};
use commit::Committer;
use shared::{Progress, Shared};

/// How long a read may take.
const READ_WITHIN: Duration = Duration::from_secs(15);
/// How long dropping an open journal waits for what is queued.
const DROP_WITHIN: Duration = Duration::from_secs(15);

/// A journal in a PostgreSQL database. Several processes may have it open and append.
///
/// It has threads of its own, so its futures need no particular executor. Dropping it closes it
/// and waits for that.
#[derive(Debug)]
pub struct PostgresJournal {
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
    /// Hears when the committing task has ended.
    ended: Mutex<mpsc::Receiver<()>>,
}

impl PostgresJournal {
    /// Opens the journal in the database at `url`: `postgres://USER:PASSWORD@HOST:5432/DATABASE`.
    ///
    /// # Errors
    /// `NewerFormat`, `Corrupt`, and `Unavailable` when there is no journal, or the server cannot
    /// be reached or used, or the database is another program's; the message says what to do.
    pub async fn open(url: &str, options: PostgresOptions) -> Result<Self, JournalError> {
        let server = Server::parse(url)?.in_schema(options.schema.as_deref())?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("journal-postgres")
            .enable_all()
            .build()
            .map_err(|error| JournalError::Unavailable(error.to_string()))?;
        let (end, ended) = mpsc::channel();
        match on(&runtime, start(server, options, end)).await {
            Ok(shared) => Ok(Self { shared, runtime: Some(runtime), ended: Mutex::new(ended) }),
            Err(error) => {
                runtime.shutdown_background();
                Err(error)
            }
        }
    }

    async fn on_runtime<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, JournalError>> + Send + 'static,
    ) -> Result<T, JournalError> {
        self.shared.ensure_open()?;
        // A connection that was cut without a word would hold its reader for ever.
        let within = async {
            tokio::time::timeout(READ_WITHIN, work).await.unwrap_or_else(|_| {
                Err(JournalError::Unavailable("PostgreSQL does not answer".to_owned()))
            })
        };
        match &self.runtime {
            Some(runtime) => on(runtime, within).await,
            None => Err(JournalError::Closed),
        }
    }
}

async fn on<T: Send + 'static>(
    runtime: &Runtime,
    work: impl Future<Output = Result<T, JournalError>> + Send + 'static,
) -> Result<T, JournalError> {
    match runtime.spawn(work).await {
        Ok(done) => done,
        Err(error) => Err(JournalError::Unavailable(format!("reading ended early: {error}"))),
    }
}

async fn start(
    server: Server,
    options: PostgresOptions,
    end: mpsc::Sender<()>,
) -> Result<Arc<Shared>, JournalError> {
    let mut session = server.connect().await?;
    if let (true, Some(schema)) = (options.migrate, &options.schema) {
        migrate::make_schema(&mut session, schema).await?;
    }
    connect::check(&mut session).await?;
    let id = if options.migrate {
        migrate::bring_up(&mut session, options.id).await?
    } else {
        migrate::journal_id(&mut session).await?
    };
    let head = read::head_by(&mut session).await?;
    let pool = server.pool(options.read_connections);
    let shared = Arc::new(Shared::new(id, server, pool, options, head));
    let committer = Committer::new(Arc::clone(&shared), session).await?;
    let following = tokio::spawn(follow::follow(Arc::clone(&shared)));
    let listening = tokio::spawn(follow::listen(Arc::clone(&shared)));
    let committing = tokio::spawn(committer.run());
    let watched = Arc::clone(&shared);
    tokio::spawn(async move {
        if let Err(error) = committing.await {
            tracing::error!(%error, "the committing task has failed");
            watched.queue.close();
            watched.queue.expire(
                Duration::ZERO,
                &JournalError::Unavailable("the committing task has failed".to_owned()),
            );
            watched.close();
        }
        following.abort();
        listening.abort();
        // Nobody waits for this unless the journal is being dropped.
        let _ = end.send(());
    });
    Ok(shared)
}

impl Drop for PostgresJournal {
    fn drop(&mut self) {
        self.shared.queue.close();
        if let Some(runtime) = self.runtime.take() {
            let _ = hold(&self.ended).recv_timeout(DROP_WITHIN);
            runtime.shutdown_background();
        }
    }
}

#[async_trait]
impl Journal for PostgresJournal {
    fn id(&self) -> JournalId {
        self.shared.id
    }

    fn properties(&self) -> Properties {
        Properties { dense_positions: true, units_span_streams: true, several_writers: true }
    }

    async fn append(&self, units: Vec<Unit>) -> Result<Vec<Verdict>, JournalError> {
        let size = check::units(&units)?;
        batch::keepable(&units)?;
        if units.is_empty() {
            self.shared.ensure_open()?;
            return Ok(Vec::new());
        }
        // Nothing is awaited before this, so the first poll decides the order.
        self.shared.queue.answer(units, size).await
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        max: usize,
    ) -> Result<Vec<Recorded>, JournalError> {
        let (shared, stream) = (Arc::clone(&self.shared), stream.clone());
        self.on_runtime(async move {
            let events = read::stream(&shared.pool, &stream, after, max).await?;
            if let Some(last) = events.last() {
                shared.saw(last.position.0);
            }
            Ok(events)
        })
        .await
    }

    async fn stream_version(&self, stream: &StreamId) -> Result<Version, JournalError> {
        let (shared, stream) = (Arc::clone(&self.shared), stream.clone());
        self.on_runtime(async move { read::version(&shared.pool, &stream).await }).await
    }

    async fn read_all(&self, after: Position, max: usize) -> Result<Vec<Recorded>, JournalError> {
        self.shared.ensure_open()?;
        let head = self.shared.head();
        if after.0 >= head || max == 0 {
            return Ok(Vec::new());
        }
        if let Some(events) = read_lock(&self.shared.tail).after(after.0, max) {
            return Ok(events);
        }
        let shared = Arc::clone(&self.shared);
        self.on_runtime(async move { read::forwards(&shared.pool, after.0, head, max).await }).await
    }

    async fn read_back(
        &self,
        before: Option<Position>,
        max: usize,
    ) -> Result<Vec<Recorded>, JournalError> {
        self.shared.ensure_open()?;
        let head = self.shared.head();
        let until = before.map_or(head, |before| before.0.saturating_sub(1).min(head));
        if until == 0 || max == 0 {
            return Ok(Vec::new());
        }
        let shared = Arc::clone(&self.shared);
        self.on_runtime(async move { read::backwards(&shared.pool, until, max).await }).await
    }

    fn head(&self) -> Position {
        Position(self.shared.head())
    }

    async fn wait_past(&self, position: Position) -> Result<Position, JournalError> {
        let past = |progress: &Progress| progress.head > position.0 || progress.closed;
        let mut news = self.shared.progress.subscribe();
        let reached = match news.wait_for(past).await {
            Ok(reached) => *reached,
            Err(_) => return Err(JournalError::Closed),
        };
        if reached.closed { Err(JournalError::Closed) } else { Ok(Position(reached.head)) }
    }

    fn stats(&self) -> Stats {
        Stats { queued_events: self.shared.queue.events() as u64, ..*hold(&self.shared.stats) }
    }

    fn out_of_reach(&self) -> Option<String> {
        hold(&self.shared.away).clone()
    }

    fn leases(&self) -> Option<&dyn Leases> {
        Some(self)
    }

    async fn close(&self) -> Result<(), JournalError> {
        self.shared.queue.close();
        let mut news = self.shared.progress.subscribe();
        // The sender lives in `self`, so this can only end by being closed.
        let _ = news.wait_for(|progress| progress.closed).await;
        Ok(())
    }
}

#[async_trait]
impl Leases for PostgresJournal {
    async fn hold(
        &self,
        lease: &str,
        owner: Uuid,
        ttl: Duration,
    ) -> Result<Option<Epoch>, JournalError> {
        let (shared, lease) = (Arc::clone(&self.shared), lease.to_owned());
        self.on_runtime(async move { lease::hold(&shared.pool, &lease, owner, ttl).await }).await
    }

    async fn release(&self, lease: &str, owner: Uuid) -> Result<(), JournalError> {
        let (shared, lease) = (Arc::clone(&self.shared), lease.to_owned());
        self.on_runtime(async move { lease::release(&shared.pool, &lease, owner).await }).await
    }
}
