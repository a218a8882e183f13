//! What every node keeps of each product in memory: kept up with the catalogue.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use journal::{Journal, Position};
use projections::ReadModels;

use crate::source::{Source, SourceError};
use crate::{Changes, Freshness, Shelf};

/// How often to look for what nobody tells: a rebuilt catalogue.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// Keeps something of every product for sale, beside the shelf.
pub trait KeepsProducts: Send + Sync + 'static {
    /// Called with one state of the catalogue after the other.
    fn apply(&self, changes: &Changes);

    /// Every product for sale has been told since the start, or since the catalogue was built anew:
    /// there are no others.
    fn all_told(&self);
}

/// Tells those who keep products what changed.
pub struct LocalFollower {
    source: Source,
    shelf: Shelf,
    keepers: Vec<Arc<dyn KeepsProducts>>,
    freshness: Freshness,
    /// Generation and position that were read last.
    at: Option<(u64, Position)>,
}

impl LocalFollower {
    /// `freshness` is told how far the shelf and all `keepers` are.
    #[must_use]
    pub fn new(
        reads: ReadModels,
        journal: Arc<dyn Journal>,
        shelf: Shelf,
        keepers: Vec<Arc<dyn KeepsProducts>>,
        freshness: Freshness,
    ) -> Self {
        Self { source: Source::new(reads, journal), shelf, keepers, freshness, at: None }
    }

    /// Follows until `stop` resolves. It blocks its thread while it reads.
    pub async fn run(mut self, stop: impl Future<Output = ()> + Send) {
        let mut stop = std::pin::pin!(stop);
        let mut is_told = false;
        loop {
            // Asked before reading: what is read holds at least this much.
            let seen = self.source.position();
            let wait = match self.step() {
                Ok(position) => {
                    is_told = false;
                    self.freshness.advance(seen.max(position));
                    LOOK_EVERY
                }
                Err(SourceError::NotYet | SourceError::Replaced) => RETRY_AFTER,
                Err(SourceError::Store(error)) => {
                    if !is_told {
                        tracing::error!(%error, "products cannot be read for search");
                    }
                    is_told = true;
                    LOOK_EVERY
                }
            };
            let news = tokio::time::timeout(wait, self.source.moved(seen));
            tokio::select! {
                biased;
                () = &mut stop => return,
                _ = news => {}
            }
        }
    }

    /// Reads what changed since the last step; all, if the catalogue is another one.
    fn step(&mut self) -> Result<Position, SourceError> {
        let generation = self.source.generation()?;
        let position = match self.at.filter(|(known, _)| *known == generation) {
            Some((_, since)) => {
                let mut pages = self.source.pages(since)?;
                while let Some(changes) = pages.next()? {
                    if changes != Changes::default() {
                        self.shelf.apply(&changes);
                        self.keepers.iter().for_each(|keeper| keeper.apply(&changes));
                    }
                }
                pages.position()
            }
            None => self.read_all()?,
        };
        self.at = Some((generation, position));
        Ok(position)
    }

    fn read_all(&self) -> Result<Position, SourceError> {
        let mut pages = self.source.pages(Position(0))?;
        let mut refill = None;
        while let Some(changes) = pages.next()? {
            let categories = changes.categories.as_deref().unwrap_or_default();
            refill.get_or_insert_with(|| self.shelf.refill(categories)).add(&changes.documents);
            self.keepers.iter().for_each(|keeper| keeper.apply(&changes));
        }
        if let Some(refill) = refill {
            refill.finish();
        }
        self.keepers.iter().for_each(|keeper| keeper.all_told());
        Ok(pages.position())
    }
}
