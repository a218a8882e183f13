//! Changes, as they come, made part of what serves.

use std::time::{Duration, Instant};

use domain::Timestamp;
use journal::Position;

use super::{IndexError, Indexer, LOOK_EVERY};
use crate::{Changes, Filled, Part, RefillRequest, SearchError};

/// Events after which an engine of this node alone is told how far it is although nothing changed for it.
const BEHIND_MAX: u64 = 65_536;
/// How often an engine that others look at is told.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// How long an index may be ahead of the journal: this node may not have heard yet how far that is.
const AHEAD_MAX: Duration = Duration::from_secs(10);
/// Products that are written again together.
const PRICED_AT_ONCE: usize = 1_000;
/// Clocks may be set back by so much, in seconds, without a price being left as it was.
const PRICED_AGAIN_S: i64 = 2;

/// What is to be done about what serves.
enum Next {
    KeepUp,
    Wait,
    Fill,
}

impl Indexer {
    pub(super) async fn write(&mut self, seen: Position) -> Result<(), IndexError> {
        let generation = self.source.generation()?;
        let before = self.filled().await?;
        if self.wrote != before {
            // Written by another node, or before this one started: nobody knows when.
            self.priced_until = Timestamp::MIN_UTC;
        }
        let request = RefillRequest::find(&self.options.directory, Part::Words);
        let is_wanted = request.is_some() || self.is_asked || self.must_fill;
        match before {
            Some(mut serving) if !is_wanted => match self.next(serving, generation) {
                Next::KeepUp => {
                    // Noted before the first is written: a crash must not leave what nobody knows of.
                    self.is_written_from(generation);
                    self.keep_up(&mut serving, generation, seen).await
                }
                Next::Wait => Ok(()),
                Next::Fill => self.refill(request, generation, before).await,
            },
            _ => self.refill(request, generation, before).await,
        }
    }

    /// Brings what serves to where the catalogue is; `serving` is what it says of itself.
    pub(super) async fn keep_up(
        &mut self,
        serving: &mut Filled,
        generation: u64,
        seen: Position,
    ) -> Result<(), IndexError> {
        let since = serving.position;
        if since > seen {
            // This node's catalogue is not yet where the index is.
            self.freshness.advance(since);
            return Ok(());
        }
        // An index from an older generation goes on to say so until it is filled anew.
        let says = if self.has_own_catalogue() { generation } else { serving.generation };
        let source = self.source.clone();
        let mut pages = source.pages(since, generation);
        while let Some(changes) = pages.next()? {
            let mut reached = self.filled_at(says, pages.position());
            if !pages.is_done() {
                // Until the last page is in, a crash has to begin with the first again.
                reached.position = since;
            }
            if changes != Changes::default() {
                self.apply(changes, serving, reached).await?;
            }
        }
        let now = seen.max(pages.position());
        if self.is_to_be_told(serving.position, now) {
            self.apply(Changes::default(), serving, self.filled_at(says, now)).await?;
            self.position_told = Some(Instant::now());
        }
        self.freshness.advance(now);
        self.reprice(serving, now).await
    }

    async fn apply(
        &mut self,
        changes: Changes,
        serving: &mut Filled,
        reached: Filled,
    ) -> Result<(), IndexError> {
        self.still_leads()?;
        self.engine.apply(changes, *serving, reached).await?;
        *serving = reached;
        // To write is not to ask: what only asking tells is not put off while changes come in.
        let asked = self.known.map_or_else(Instant::now, |(_, asked)| asked);
        self.known = Some((reached, asked));
        self.wrote = Some(reached);
        Ok(())
    }

    /// Whether the engine is to be told how far it is although nothing changed for it.
    fn is_to_be_told(&self, told: Position, now: Position) -> bool {
        if self.options.shared {
            let is_time = self.position_told.is_none_or(|when| when.elapsed() >= TELL_EVERY);
            now > told && is_time
        } else {
            now.0.saturating_sub(told.0) >= BEHIND_MAX
        }
    }

    /// Writes the products again whose price changed by itself: a sale has ended.
    async fn reprice(&mut self, serving: &mut Filled, now: Position) -> Result<(), IndexError> {
        let Some(prices) = self.options.prices.clone() else { return Ok(()) };
        if !prices.shelf.is_ready() || prices.shelf_at.reached() < now {
            // It does not know yet of all prices that were written. Soon it will.
            return Ok(());
        }
        let at = (prices.clock)();
        // The first time those of the past too: nobody knows when they were written.
        let again = chrono::TimeDelta::seconds(PRICED_AGAIN_S);
        let after = self.priced_until.checked_sub_signed(again).unwrap_or(Timestamp::MIN_UTC);
        let changed = prices.shelf.price_changes(after, at);
        for some in changed.chunks(PRICED_AT_ONCE) {
            let changes = self.source.products_now(some)?;
            self.apply(changes, serving, *serving).await?;
        }
        self.priced_until = at;
        Ok(())
    }

    /// Whether other nodes write the index from catalogues of their own.
    fn has_own_catalogue(&self) -> bool {
        self.options.shared && !self.options.one_catalogue
    }

    fn next(&mut self, filled: Filled, generation: u64) -> Next {
        if filled.journal != self.source.journal() {
            return Next::Fill;
        }
        // A rebuilt catalogue is one that somebody had reason to rebuild. Among several nodes with a copy
        // each, another generation may as well be another node's: their positions mean the same. Only who
        // does not know from which it wrote the index, if it ever did, goes by what that says.
        let noted = self.written_from.filter(|_| self.has_own_catalogue());
        if noted.unwrap_or(filled.generation) != generation {
            return Next::Fill;
        }
        if filled.position <= self.source.head() {
            self.ahead_since = None;
            return Next::KeepUp;
        }
        let since = *self.ahead_since.get_or_insert_with(Instant::now);
        if since.elapsed() < AHEAD_MAX { Next::Wait } else { Next::Fill }
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
        if filled.is_some() && self.options.shared {
            self.is_asked = self.engine.refilling().await?.is_requested;
        }
        self.known = filled.map(|filled| (filled, Instant::now()));
        Ok(filled)
    }
}
