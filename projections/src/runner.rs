//! Feeds all models in one pass over the log, and owns their directory.
//!
//! Models at the front get each event decoded once for all of them. A model that is behind (new,
//! or of a new version) catches up by one batch a step, so the others never wait for it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use journal::{Journal, JournalError, Position};

use crate::decode::{Item, decode};
use crate::directory::{Directory, HeldLock, OWNER};
use crate::feed::{Feed, FeedError};
use crate::models::Registration;
use crate::progress::{ModelPosition, Progress};
use crate::read_models::Leading;
use crate::{ReadModels, StoreError};

#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Most events folded in one step. A step never waits for more than there are.
    pub batch_events_max: usize,
    /// Most events of a step of [`Runner::run`] while it is far behind: larger batches save each
    /// row less often.
    pub catch_up_events_max: usize,
    /// Least time between the beginnings of two steps of [`Runner::run`] while events come in all
    /// the time, so that rows which change again at once are saved once. It holds up nobody: an
    /// event after a pause is folded at once, and so is everything when a reader waits for it.
    pub linger: Duration,
    /// A model whose rows did not change writes its position once it is this far behind.
    pub position_behind_max: u64,
    /// How often [`Runner::run`] looks for rebuilt files and requests, and writes positions.
    pub housekeeping_every: Duration,
    /// Whether [`Runner::run`], told to stop, first does all work that models put off, such as
    /// ranking: for a process that fills the models, after which nobody may come for long.
    pub upkeep_at_end: bool,
    /// How long [`Runner::run`] waits after a failure before it tries again.
    pub retry_after: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            batch_events_max: 4_096,
            catch_up_events_max: 16_384,
            linger: Duration::from_millis(10),
            position_behind_max: 20_000,
            housekeeping_every: Duration::from_secs(1),
            upkeep_at_end: false,
            retry_after: Duration::from_millis(200),
        }
    }
}

/// Why the models could not be opened, or did not get on.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// Another process runs or swaps these read models.
    #[error("the read models are in use by another process")]
    InUse,
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The model's store failed; its batch is taken back and comes again.
    #[error("read model {model}")]
    Store {
        model: &'static str,
        #[source]
        source: StoreError,
    },
    #[error(transparent)]
    Directory(#[from] StoreError),
}

impl RunnerError {
    /// Whether another node writes by now.
    fn is_fenced(&self) -> bool {
        matches!(
            self,
            Self::Store { source: StoreError::Fenced, .. } | Self::Directory(StoreError::Fenced)
        )
    }
}

/// What one step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Step {
    /// Events read from the journal, by models at the front and by one that is behind.
    pub events: usize,
    /// Rows saved in all models.
    pub rows: usize,
    /// What every model has seen now.
    pub position: Position,
}

/// When [`Runner::run`] takes its next step.
enum Next {
    AtOnce,
    /// Then, or as soon as a reader waits.
    Soon(Instant),
    /// When the journal has more, or after this long.
    WithNews(Duration),
}

/// The one writer of a directory of read models.
pub struct Runner {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) directory: Directory,
    pub(crate) feeds: Vec<Feed>,
    pub(crate) read_models: ReadModels,
    progress: Arc<Progress>,
    options: Options,
    _leading: Leading,
    _owner: HeldLock,
}

impl Runner {
    /// Opens the serving file of every model. A model without one, or whose file is of another
    /// journal, another version, or ahead of the journal, starts anew from the first event.
    ///
    /// # Errors
    /// `InUse` while another process owns the directory (see [`Follower`](crate::Follower));
    /// `Store` and `Directory`.
    pub fn open(
        journal: Arc<dyn Journal>,
        directory: &Directory,
        models: &[Registration],
        options: Options,
    ) -> Result<Self, RunnerError> {
        let owner = directory.lock(OWNER)?.ok_or(RunnerError::InUse)?;
        let read_models = ReadModels::new(directory, models);
        Self::lead(journal, read_models, models, options, owner)
    }

    /// As [`Self::open`] for whoever has the directory's lock.
    pub(crate) fn lead(
        journal: Arc<dyn Journal>,
        read_models: ReadModels,
        models: &[Registration],
        options: Options,
        owner: HeldLock,
    ) -> Result<Self, RunnerError> {
        let leading = read_models.lead();
        let directory = read_models.directory().clone();
        let mut feeds = Vec::with_capacity(models.len());
        for model in models {
            let feed = crate::serving::open(&directory, model, &*journal)
                .map_err(|source| RunnerError::Store { model: model.name(), source })?;
            read_models.switch(feed.name(), feed.generation());
            feeds.push(feed);
        }
        let runner = Self {
            journal,
            directory,
            feeds,
            progress: Arc::clone(read_models.progress()),
            read_models,
            options,
            _leading: leading,
            _owner: owner,
        };
        runner.publish();
        Ok(runner)
    }

    /// The handle for queries and waiting.
    #[must_use]
    pub fn read_models(&self) -> ReadModels {
        self.read_models.clone()
    }

    /// What every model has seen.
    #[must_use]
    pub fn position(&self) -> Position {
        self.feeds.iter().map(Feed::position).min().unwrap_or_default()
    }

    /// Folds at most `max` events into the models at the front, and at most `max` into a model
    /// that is behind. Blocks its thread while it writes; starts no threads and reads no clock
    /// that changes what it does.
    ///
    /// # Errors
    /// The first failure. Models that did not fail have moved on.
    pub async fn run_once(&mut self, max: usize) -> Result<Step, RunnerError> {
        let front = self.feeds.iter().map(Feed::position).max().unwrap_or_default();
        let behind = self.position();
        let mut step = Step::default();
        let mut failure = None;
        if behind < front {
            self.feed(behind, Some(front), max, &mut step, &mut failure).await?;
        }
        self.feed(front, None, max, &mut step, &mut failure).await?;
        if step.events > 0 || failure.is_some() {
            self.publish();
        }
        step.position = self.position();
        let metrics = &self.progress.metrics;
        let lag = self.journal.head().0.saturating_sub(step.position.0);
        metrics.lag_events.store(lag, Ordering::Relaxed);
        match failure {
            Some(failure) => {
                metrics.failures.fetch_add(1, Ordering::Relaxed);
                Err(failure)
            }
            None => Ok(step),
        }
    }

    /// Runs until `stop` resolves, then writes all positions. Failures of the journal or a store
    /// are logged and tried again; only a closed journal ends it.
    ///
    /// It blocks its thread while it writes: give it one of its own.
    ///
    /// # Errors
    /// `Journal(Closed)`, `InUse` when another node writes by now, and what the last write of
    /// positions says.
    pub async fn run(mut self, stop: impl Future<Output = ()> + Send) -> Result<(), RunnerError> {
        let mut stop = std::pin::pin!(stop);
        let mut looked = Instant::now();
        let outcome = loop {
            let began = Instant::now();
            let next = match self.run_once(self.batch_events()).await {
                Ok(step) if step.events >= self.options.batch_events_max => Next::AtOnce,
                Ok(step) if step.events > 0 => Next::Soon(began + self.options.linger),
                Ok(_) => Next::WithNews(self.options.housekeeping_every),
                Err(RunnerError::Journal(JournalError::Closed)) => {
                    break Err(RunnerError::Journal(JournalError::Closed));
                }
                Err(error) if error.is_fenced() => return Err(RunnerError::InUse),
                Err(error) => {
                    tracing::error!(error = %chain(&error), "read models do not get on");
                    Next::Soon(began + self.options.retry_after)
                }
            };
            tokio::select! {
                biased;
                () = &mut stop => break Ok(()),
                waited = self.wait(next) => if let Err(error) = waited { break Err(error) },
            }
            if looked.elapsed() >= self.options.housekeeping_every {
                looked = Instant::now();
                if let Err(error) = self.keep_house().await {
                    if error.is_fenced() {
                        return Err(RunnerError::InUse);
                    }
                    tracing::error!(error = %chain(&error), "read models: upkeep failed");
                }
            }
        };
        self.store_positions()?;
        if self.options.upkeep_at_end && outcome.is_ok() {
            self.finish_upkeep()?;
        }
        outcome
    }

    fn batch_events(&self) -> usize {
        let lag = self.journal.head().0.saturating_sub(self.position().0);
        if lag > self.options.catch_up_events_max as u64 {
            self.options.catch_up_events_max
        } else {
            self.options.batch_events_max
        }
    }

    async fn wait(&mut self, next: Next) -> Result<(), RunnerError> {
        match next {
            Next::AtOnce => tokio::task::yield_now().await,
            Next::Soon(at) => {
                let pause = at.saturating_duration_since(Instant::now());
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = self.progress.somebody_waits() => {}
                }
            }
            Next::WithNews(longest) => {
                let front = self.feeds.iter().map(Feed::position).max().unwrap_or_default();
                let news = self.journal.wait_past(front);
                if let Ok(outcome) = tokio::time::timeout(longest, news).await {
                    outcome?;
                }
            }
        }
        Ok(())
    }

    /// Feeds one batch after `from` to the models that are there, none past `limit`.
    async fn feed(
        &mut self,
        from: Position,
        limit: Option<Position>,
        max: usize,
        step: &mut Step,
        failure: &mut Option<RunnerError>,
    ) -> Result<(), RunnerError> {
        let mut recorded = self.journal.read_all(from, max).await?;
        if let Some(limit) = limit {
            recorded.truncate(recorded.partition_point(|event| event.position <= limit));
        }
        let Some(end) = recorded.last().map(|event| event.position) else {
            return Ok(());
        };
        let started = Instant::now();
        step.events += recorded.len();
        let items = decode(recorded);
        let mut rows = 0;
        for feed in &mut self.feeds {
            let here = match limit {
                Some(limit) => feed.position() < limit && feed.position() < end,
                None => feed.position() == from,
            };
            if !here {
                continue;
            }
            match apply(feed, &items, end, self.options.position_behind_max) {
                Ok(saved) => rows += saved,
                Err(error) => *failure = failure.take().or(Some(error)),
            }
        }
        step.rows += rows;
        let metrics = &self.progress.metrics;
        let busy_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        metrics.busy_us.fetch_add(busy_us, Ordering::Relaxed);
        metrics.events.fetch_add(items.len() as u64, Ordering::Relaxed);
        metrics.rows.fetch_add(rows as u64, Ordering::Relaxed);
        metrics.batches.fetch_add(1, Ordering::Relaxed);
        metrics.last_batch_events.store(items.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn publish(&self) {
        let positions = self
            .feeds
            .iter()
            .map(|feed| ModelPosition { model: feed.name(), position: feed.position() });
        let parked = self.feeds.iter().flat_map(|feed| feed.parked().iter().cloned());
        let positions: Vec<ModelPosition> = positions.collect();
        self.directory.place().announce(&positions);
        self.progress.set_parked(parked.collect());
        self.progress.publish(positions);
    }
}

pub(crate) fn apply(
    feed: &mut Feed,
    items: &[Item],
    end: Position,
    behind_max: u64,
) -> Result<usize, RunnerError> {
    let model = feed.name();
    let rows = feed.apply(items, end).map_err(|error| match error {
        FeedError::Store(source) => RunnerError::Store { model, source },
        bad @ FeedError::BadEvent { .. } => {
            RunnerError::Store { model, source: StoreError::Other(bad.to_string()) }
        }
    })?;
    if feed.position().0 - feed.stored().0 >= behind_max {
        feed.store_position().map_err(store(model))?;
    }
    Ok(rows)
}

pub(crate) fn store(model: &'static str) -> impl Fn(StoreError) -> RunnerError {
    move |source| RunnerError::Store { model, source }
}

pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

mod upkeep;

pub use upkeep::retry_parked;

#[cfg(test)]
pub(crate) mod tests;
