//! An index filled anew beside the one that serves, which goes on to be kept up meanwhile.

use std::time::Instant;

use domain::Timestamp;
use journal::Position;

use super::{IndexError, Indexer};
use crate::source::PAGE;
use crate::{Changes, Filled, Part, RefillRequest, Reporter, SearchError};

/// Times the catalogue is read, each time only what changed since the last.
const ROUNDS_MAX: usize = 5;

impl Indexer {
    /// Fills a new index beside `serving`, then puts it in its place.
    pub(super) async fn refill(
        &mut self,
        request: Option<RefillRequest>,
        generation: u64,
        serving: Option<Filled>,
    ) -> Result<(), IndexError> {
        self.known = None;
        let head = self.source.head();
        let is_ours = |it: &Filled| it.journal == self.source.journal() && it.position <= head;
        let mut serving = serving.filter(|it| !self.must_fill && is_ours(it));
        let total = self.source.products()?;
        tracing::info!(engine = self.engine.name(), products = total, "a search index is filled");
        let prices = self.options.prices.as_ref();
        let began = prices.map_or(Timestamp::MIN_UTC, |prices| (prices.clock)());
        let (tell, source) = (self.progress.clone(), self.source.clone());
        let mut progress = Reporter::new(&self.options.directory, Part::Words, &tell, total);
        self.still_leads()?;
        self.engine.begin().await?;
        let mut since = Position(0);
        let mut keeps_up = true;
        for round in 1.. {
            let mut pages = source.pages(since, generation);
            let mut changed = 0;
            while let Some(changes) = pages.next()? {
                let count = changes.documents.len();
                changed += count + changes.removed.len();
                if changes != Changes::default() {
                    self.still_leads()?;
                    self.engine.fill(changes).await?;
                }
                progress.filled(count);
                if keeps_up && !pages.is_done() {
                    self.serve_on(&mut serving, generation).await?;
                }
            }
            since = pages.position();
            // What changed meanwhile is added once more. The last time nothing is told to the one that
            // serves: what takes its place must not be behind it.
            if changed == 0 || !keeps_up {
                break;
            }
            keeps_up = changed > PAGE && round < ROUNDS_MAX;
        }
        let filled = self.filled_at(generation, since);
        self.still_leads()?;
        self.engine.swap(filled).await?;
        if let Some(request) = request {
            request.done();
        }
        progress.finished();
        self.known = Some((filled, Instant::now()));
        self.wrote = Some(filled);
        self.is_written_from(generation);
        (self.must_fill, self.is_asked, self.ahead_since) = (false, false, None);
        self.priced_until = began;
        self.freshness.advance(filled.position);
        tracing::info!(engine = self.engine.name(), position = filled.position.0, "it serves now");
        Ok(())
    }

    /// Keeps up what serves while another is filled; nothing any more once it is damaged.
    async fn serve_on(
        &mut self,
        serving: &mut Option<Filled>,
        generation: u64,
    ) -> Result<(), IndexError> {
        let Some(at) = serving else { return Ok(()) };
        let seen = self.source.position();
        match self.keep_up(at, generation, seen).await {
            Err(IndexError::Engine(SearchError::Damaged(why))) => {
                tracing::warn!(why, "what serves is damaged, and another is being filled");
                *serving = None;
                Ok(())
            }
            other => other,
        }
    }
}
