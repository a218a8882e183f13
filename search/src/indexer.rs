//! Keeps a search engine up with the catalogue: changes as they come, and an index filled anew
//! beside the one that serves where there is none, where it is damaged, or when somebody asks.

mod refilling;
#[cfg(test)]
pub(crate) mod tests;
mod writing;
mod written_from;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::Timestamp;
use journal::{Clock, Journal, Position};
use projections::ReadModels;
use tokio::sync::watch;
use written_from::WrittenFrom;

use crate::source::{Source, SourceError};
use crate::{FillProgress, Filled, Freshness, SearchEngine, SearchError, Shelf};

/// How often an engine that others can reach is asked whether it still is what it was.
const LOOK_EVERY: Duration = Duration::from_secs(2);
const RETRY_AFTER: Duration = Duration::from_millis(500);
/// How often to look whether a price changed by itself.
const PRICE_EVERY: Duration = Duration::from_millis(500);
/// Least time between two changes of the engine while they come in all the time.
const LINGER: Duration = Duration::from_millis(20);

#[derive(Clone)]
pub struct IndexerOptions {
    /// Whether other nodes use the same engine, of which one at a time may write.
    pub shared: bool,
    /// Whether those nodes have one catalogue, and not each its own.
    pub one_catalogue: bool,
    /// Where requests to fill the index anew and the progress of it are found.
    pub directory: PathBuf,
    /// For an engine that knows prices only as they were when a product was written.
    pub prices: Option<Prices>,
}

/// Tells which products have another price by now.
#[derive(Clone)]
pub struct Prices {
    pub shelf: Shelf,
    /// How far the shelf is.
    pub shelf_at: Freshness,
    /// The one the engine decides by which prices hold.
    pub clock: Clock,
}

#[derive(Debug, thiserror::Error)]
enum IndexError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Engine(#[from] SearchError),
    /// Another node writes by now.
    #[error("another node writes the index by now")]
    Deposed,
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
    /// What the engine serves, and when it was last asked.
    known: Option<(Filled, Instant)>,
    /// What this node last made of it.
    wrote: Option<Filled>,
    /// Generation of this node's catalogue that it was last written from, also by this node before it
    /// was started.
    written_from: Option<u64>,
    /// The engine said that what serves is damaged.
    must_fill: bool,
    /// Somebody asked through the engine.
    is_asked: bool,
    /// Since when what serves is ahead of the journal.
    ahead_since: Option<Instant>,
    /// When the engine was last told how far it is, and nothing else.
    position_told: Option<Instant>,
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
        let written_from = WrittenFrom::read(&options.directory)
            .filter(|from| options.shared && from.journal == source.journal())
            .map(|from| from.generation);
        Self {
            source,
            engine,
            freshness,
            leads,
            options,
            progress,
            known: None,
            wrote: None,
            written_from,
            must_fill: false,
            is_asked: false,
            ahead_since: None,
            position_told: None,
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
            let outcome = tokio::select! {
                biased;
                () = &mut stop => return,
                outcome = self.step(seen) => outcome,
            };
            let wait = match outcome {
                Ok(()) => {
                    if told.take().is_some() {
                        tracing::info!(engine = self.engine.name(), "search goes on");
                    }
                    LOOK_EVERY
                }
                Err(
                    IndexError::Source(SourceError::NotYet | SourceError::Replaced)
                    | IndexError::Deposed,
                ) => RETRY_AFTER,
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

    async fn step(&mut self, seen: Position) -> Result<(), IndexError> {
        let outcome = if (self.leads)() { self.write(seen).await } else { self.look(seen).await };
        if let Err(error) = &outcome {
            // What serves may be something else by now.
            self.known = None;
            self.must_fill |= matches!(error, IndexError::Engine(SearchError::Damaged(_)));
        }
        outcome
    }

    /// Learns how far whoever writes has come.
    async fn look(&mut self, seen: Position) -> Result<(), IndexError> {
        // Whatever comes to lead next asks what serves, and cannot tell which prices are in it.
        self.known = None;
        self.wrote = None;
        self.must_fill = false;
        let Some(filled) = self.engine.filled().await? else { return Ok(()) };
        if filled.journal != self.source.journal() {
            return Ok(());
        }
        self.freshness.advance(filled.position);
        // Whoever writes tells its position late where nothing changed for the engine.
        if filled.position < seen && self.source.stands_since(filled.position)? {
            self.freshness.advance(seen);
        }
        Ok(())
    }

    /// To be asked right before writing: what was read since may have taken long.
    fn still_leads(&self) -> Result<(), IndexError> {
        if (self.leads)() { Ok(()) } else { Err(IndexError::Deposed) }
    }

    /// To be called once nothing that this node wrote from another generation is left.
    fn is_written_from(&mut self, generation: u64) {
        if self.written_from != Some(generation) {
            self.written_from = Some(generation);
            if self.options.shared {
                let from = WrittenFrom { journal: self.source.journal(), generation };
                from.note(&self.options.directory);
            }
        }
    }

    fn filled_at(&self, generation: u64, position: Position) -> Filled {
        Filled { journal: self.source.journal(), generation, position }
    }
}
