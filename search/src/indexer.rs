//! Keeps a search engine up with the catalogue: changes as they come, and an index filled anew
//! beside the one that serves where there is none, where it is damaged, or when somebody asks.

mod filling;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::Timestamp;
use journal::{Clock, Journal, Position};
use projections::ReadModels;
use tokio::sync::watch;

use crate::source::{Source, SourceError};
use crate::{Changes, Filled, Freshness, SearchEngine, SearchError, Shelf};

pub use filling::{FillProgress, RefillRequest};

/// Events after which an engine is told how far it is although nothing changed for it.
const BEHIND_MAX: u64 = 65_536;
/// How often an engine that others can reach is asked whether it still is what it was.
const LOOK_EVERY: Duration = Duration::from_secs(2);
const RETRY_AFTER: Duration = Duration::from_millis(500);
/// How often to look whether a price changed by itself.
const PRICE_EVERY: Duration = Duration::from_millis(500);
/// Products that are written again together.
const PRICED_AT_ONCE: usize = 1_000;
/// Least time between two changes of the engine while they come in all the time.
const LINGER: Duration = Duration::from_millis(20);

#[derive(Clone)]
pub struct IndexerOptions {
    /// Whether other nodes use the same engine, of which one at a time may write.
    pub shared: bool,
    /// Where requests to fill the index anew and the progress of it are found.
    pub directory: PathBuf,
    /// For an engine that knows prices only as they were when a product was written: tells which
    /// products have another one by now.
    pub prices: Option<(Shelf, Clock)>,
}

#[derive(Debug, thiserror::Error)]
enum IndexError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Engine(#[from] SearchError),
}

/// Says whether this node is the one that writes an engine which several share.
pub type Leads = Arc<dyn Fn() -> bool + Send + Sync>;

/// Writes one engine while `leads` says so, and knows how far it is in any case.
pub struct Indexer {
    source: Source,
    engine: Arc<dyn SearchEngine>,
    freshness: Freshness,
    leads: Leads,
    options: IndexerOptions,
    progress: watch::Sender<FillProgress>,
    /// What the engine was last seen to serve, and when.
    known: Option<(Filled, Instant)>,
    /// Up to when prices that change by themselves were written.
    priced_until: Timestamp,
}

impl Indexer {
    /// `freshness` is told how far `engine` is.
    #[must_use]
    pub fn new(
        reads: ReadModels,
        journal: Arc<dyn Journal>,
        engine: Arc<dyn SearchEngine>,
        freshness: Freshness,
        leads: Leads,
        options: IndexerOptions,
    ) -> Self {
        let source = Source::new(reads, journal);
        let progress = watch::Sender::new(FillProgress::default());
        Self {
            source,
            engine,
            freshness,
            leads,
            options,
            progress,
            known: None,
            priced_until: Timestamp::MIN_UTC,
        }
    }

    /// How far the filling of a new index is, for whoever watches.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<FillProgress> {
        self.progress.subscribe()
    }

    /// Runs until `stop` resolves. It blocks its thread while it reads the catalogue.
    pub async fn run(mut self, stop: impl Future<Output = ()> + Send) {
        let mut stop = std::pin::pin!(stop);
        let mut told = None;
        loop {
            let began = Instant::now();
            // Asked before reading: what is read holds at least this much.
            let seen = self.source.position();
            let step =
                async { if (self.leads)() { self.write(seen).await } else { self.look().await } };
            let outcome = tokio::select! {
                biased;
                () = &mut stop => return,
                outcome = step => outcome,
            };
            let wait = match outcome {
                Ok(()) => {
                    if told.take().is_some() {
                        tracing::info!(engine = self.engine.name(), "search goes on");
                    }
                    LOOK_EVERY
                }
                Err(IndexError::Source(SourceError::NotYet | SourceError::Replaced)) => RETRY_AFTER,
                Err(error) => {
                    let text = error.to_string();
                    if told.as_ref() != Some(&text) {
                        tracing::error!(
                            engine = self.engine.name(),
                            error = text,
                            "search is behind"
                        );
                    }
                    told = Some(text);
                    self.known = None;
                    RETRY_AFTER
                }
            };
            let news = async {
                let failed = told.is_some();
                if failed || !(self.leads)() {
                    tokio::time::sleep(wait.min(RETRY_AFTER)).await;
                } else {
                    let wait =
                        if self.options.prices.is_some() { wait.min(PRICE_EVERY) } else { wait };
                    let _ = tokio::time::timeout(wait, self.source.moved(seen)).await;
                    tokio::time::sleep(LINGER.saturating_sub(began.elapsed())).await;
                }
            };
            tokio::select! {
                biased;
                () = &mut stop => return,
                () = news => {}
            }
        }
    }

    /// Learns how far whoever writes has come.
    async fn look(&mut self) -> Result<(), IndexError> {
        self.known = None;
        if let Some(filled) = self.engine.filled().await? {
            self.freshness.advance(filled.position);
        }
        Ok(())
    }

    async fn write(&mut self, seen: Position) -> Result<(), IndexError> {
        let generation = self.source.generation()?;
        let filled = self.filled().await?;
        let request = RefillRequest::find(&self.options.directory);
        let since = match filled.filter(|_| request.is_none()) {
            Some(filled) => self.since(filled, generation),
            None => None,
        };
        let Some(since) = since else {
            return self.refill(request).await;
        };
        if since > seen {
            // This node's catalogue is not yet where the index is.
            return Ok(());
        }
        let mut pages = self.source.pages(since)?;
        let mut now = None;
        while let Some(changes) = pages.next()? {
            let mut reached = self.filled_at(pages.generation(), pages.position());
            let far_behind = reached.position.0.saturating_sub(since.0) >= BEHIND_MAX;
            if changes != Changes::default() || far_behind {
                if !pages.is_done() {
                    // Until the last page is in, a crash has to begin with the first again.
                    reached.position = since;
                }
                self.engine.apply(changes, reached).await?;
                self.known = Some((reached, Instant::now()));
            }
            now = Some(pages.position());
        }
        if let Some(now) = now {
            self.freshness.advance(seen.max(now));
        }
        self.reprice().await
    }

    /// Writes the products again whose price changed by itself: a sale has ended.
    async fn reprice(&mut self) -> Result<(), IndexError> {
        let (Some((shelf, clock)), Some((filled, _))) = (&self.options.prices, self.known) else {
            return Ok(());
        };
        if !shelf.is_ready() {
            return Ok(());
        }
        let now = clock();
        // The first time those of the past too: nobody knows when they were written.
        let changed = shelf.price_changes(self.priced_until, now);
        for some in changed.chunks(PRICED_AT_ONCE) {
            let changes = self.source.products_now(some)?;
            self.engine.apply(changes, filled).await?;
        }
        self.priced_until = now;
        Ok(())
    }

    /// Where to go on; `None` if the index has to be filled anew.
    fn since(&self, filled: Filled, generation: u64) -> Option<Position> {
        if filled.journal != self.source.journal() {
            return None;
        }
        // A rebuilt catalogue is one that somebody had reason to rebuild. Among several nodes it may as
        // well be another node's copy of the same: their positions mean the same.
        let rebuilt = filled.generation != generation && !self.options.shared;
        let foreign = filled.position > self.source.head();
        (!rebuilt && !foreign).then_some(filled.position)
    }

    /// What the engine serves: asked again from time to time, since an engine that others can reach
    /// may lose it.
    async fn filled(&mut self) -> Result<Option<Filled>, SearchError> {
        let fresh =
            |(_, when): &(Filled, Instant)| !self.options.shared || when.elapsed() < LOOK_EVERY;
        if let Some((filled, _)) = self.known.filter(fresh) {
            return Ok(Some(filled));
        }
        let filled = self.engine.filled().await?;
        self.known = filled.map(|filled| (filled, Instant::now()));
        Ok(filled)
    }

    fn filled_at(&self, generation: u64, position: Position) -> Filled {
        Filled { journal: self.source.journal(), generation, position }
    }

    /// Fills a new index beside the one that serves, then puts it in its place.
    async fn refill(&mut self, request: Option<RefillRequest>) -> Result<(), IndexError> {
        self.known = None;
        let total = self.source.products()?;
        tracing::info!(engine = self.engine.name(), products = total, "a search index is filled");
        let mut progress = filling::Reporter::new(&self.options.directory, &self.progress, total);
        self.engine.begin().await?;
        let mut since = Position(0);
        let mut last_round = false;
        let filled = loop {
            let mut pages = self.source.pages(since)?;
            let mut changed = 0;
            while let Some(changes) = pages.next()? {
                let count = changes.documents.len();
                changed += count + changes.removed.len();
                if changes != Changes::default() {
                    self.engine.fill(changes).await?;
                }
                progress.filled(count);
            }
            since = pages.position();
            // What changed meanwhile is added once more, then the rest comes after the swap.
            if changed == 0 || last_round {
                break self.filled_at(pages.generation(), since);
            }
            last_round = true;
        };
        self.engine.swap(filled).await?;
        if let Some(request) = request {
            request.done();
        }
        progress.finished();
        self.known = Some((filled, Instant::now()));
        self.freshness.advance(filled.position);
        tracing::info!(engine = self.engine.name(), position = filled.position.0, "it serves now");
        Ok(())
    }
}
