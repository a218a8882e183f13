//! Builds models anew from the first event into files beside those that serve.
//!
//! It needs nothing of the process that serves: it adds a file and marks it as ready. Whoever
//! owns the directory takes it over: the running server within about a second, or this process
//! when no server runs. Stopped at any time, even killed, it goes on where its file ends.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use journal::{Journal, JournalError, Position, StreamId};

use crate::compare::{Difference, compare_with};
use crate::decode::decode;
use crate::directory::{Directory, Generation, HeldLock, hold};
use crate::feed::{Feed, FeedError, OnBadEvent};
use crate::models::Registration;
use crate::serving::rebuild_lock;
use crate::{Options, Runner, RunnerError, StoreError, file};

#[derive(Debug, Clone, Copy)]
pub struct RebuildOptions {
    /// Events folded in one transaction.
    pub batch_events: usize,
    /// Whether to compare the new rows with those that serve, before they take their place.
    pub compare: bool,
    /// How long to wait until a running server has taken the files over; zero does not wait.
    pub wait_for_swap: Duration,
}

impl Default for RebuildOptions {
    fn default() -> Self {
        Self { batch_events: 32_768, compare: false, wait_for_swap: Duration::from_secs(30) }
    }
}

/// How far a rebuild is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RebuildProgress {
    pub phase: Phase,
    /// Events that all chosen models have seen, of `events_total`.
    pub events_done: u64,
    pub events_total: u64,
    /// Since this run began; 0 before the first batch.
    pub events_per_s: u64,
    /// At this rate; `None` before the first batch.
    pub seconds_left: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Folding the log into the new files.
    Replaying,
    /// Comparing new rows with old ones.
    Comparing,
    /// Waiting for the new files to be taken over.
    Swapping,
}

/// What became of a rebuild.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rebuilt {
    /// The caller stopped it; the next rebuild goes on after this position.
    Stopped { position: Position },
    /// All files are finished.
    Finished(Vec<RebuiltModel>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebuiltModel {
    pub model: &'static str,
    pub generation: Generation,
    /// Whether it answers queries by now; else it will once the directory's owner takes it over.
    pub serves: bool,
    /// Rows that differ from those that served, at most some; `None` if not compared.
    pub differences: Option<Vec<Difference>>,
}

#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    #[error("read model {model} is being rebuilt by another process")]
    Busy { model: &'static str },
    /// The model cannot be built without this event; nothing was swapped.
    #[error("read model {model} cannot digest event {} of stream {stream}: {error}", position.0)]
    BadEvent { model: &'static str, position: Position, stream: StreamId, error: String },
    /// The file that serves did not come far enough to be compared with.
    #[error("read model {model} serves rows of an earlier position and does not get on")]
    ServingBehind { model: &'static str },
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Runner(#[from] RunnerError),
}

/// A file being built, and the lock that keeps others from building it too.
struct Shadow {
    feed: Feed,
    model: Registration,
    _lock: HeldLock,
}

/// Rebuilds `models`, reading and decoding the log once for all of them. `progress` is told after
/// each batch and may stop it.
///
/// # Errors
/// `BadEvent` for an event that a running model would set aside; see [`RebuildError`].
pub async fn rebuild(
    journal: &Arc<dyn Journal>,
    directory: &Directory,
    models: &[Registration],
    options: RebuildOptions,
    progress: &mut (dyn FnMut(&RebuildProgress) -> ControlFlow<()> + Send),
) -> Result<Rebuilt, RebuildError> {
    let mut shadows = Vec::with_capacity(models.len());
    for model in models {
        shadows.push(open_shadow(&**journal, directory, *model)?);
    }
    let mut pace = Pace::new(&shadows);
    loop {
        let from = behind(&shadows);
        let recorded = journal.read_all(from, options.batch_events.max(1)).await?;
        let Some(end) = recorded.last().map(|event| event.position) else { break };
        let items = decode(recorded);
        for shadow in &mut shadows {
            if shadow.feed.position() < end {
                shadow.feed.apply(&items, end).map_err(refused(shadow.model.name()))?;
            }
        }
        let now = pace.at(behind(&shadows), journal.head(), Phase::Replaying);
        if progress(&now).is_break() {
            for shadow in &mut shadows {
                shadow.feed.store_position()?;
            }
            return Ok(Rebuilt::Stopped { position: behind(&shadows) });
        }
    }
    finish(journal, directory, models, options, shadows, &mut |phase| {
        let _ = progress(&pace.at(journal.head(), journal.head(), phase));
    })
    .await
    .map(Rebuilt::Finished)
}

async fn finish(
    journal: &Arc<dyn Journal>,
    directory: &Directory,
    models: &[Registration],
    options: RebuildOptions,
    mut shadows: Vec<Shadow>,
    tell: &mut (dyn FnMut(Phase) + Send),
) -> Result<Vec<RebuiltModel>, RebuildError> {
    // Without a server this process owns the directory, and brings its files up to date first.
    let mut owner = match Runner::open(Arc::clone(journal), directory, models, Options::default()) {
        Ok(mut runner) if options.compare => {
            while runner.run_once(options.batch_events).await?.events > 0 {}
            runner.store_positions()?;
            Some(runner)
        }
        Ok(runner) => Some(runner),
        Err(RunnerError::InUse) => None,
        Err(error) => return Err(error.into()),
    };
    let mut rebuilt = Vec::with_capacity(shadows.len());
    for shadow in &mut shadows {
        let mut differences = None;
        if options.compare {
            tell(Phase::Comparing);
            differences = Some(compare_at_one_position(&**journal, directory, shadow).await?);
        }
        shadow.feed.finish()?;
        directory.mark_ready(shadow.model.name(), shadow.feed.generation())?;
        rebuilt.push(RebuiltModel {
            model: shadow.model.name(),
            generation: shadow.feed.generation(),
            serves: false,
            differences,
        });
    }
    drop(shadows);
    tell(Phase::Swapping);
    if let Some(owner) = &mut owner {
        owner.adopt_ready().await?;
    }
    let began = Instant::now();
    loop {
        for model in &mut rebuilt {
            model.serves = directory.serving(model.model)? == Some(model.generation);
        }
        let all = rebuilt.iter().all(|model| model.serves);
        if all || owner.is_some() || began.elapsed() >= options.wait_for_swap {
            return Ok(rebuilt);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Takes up an unfinished file, or begins a new one.
fn open_shadow(
    journal: &dyn Journal,
    directory: &Directory,
    model: Registration,
) -> Result<Shadow, RebuildError> {
    let name = model.name();
    let lock = directory.lock(&rebuild_lock(name))?.ok_or(RebuildError::Busy { model: name })?;
    let serving = directory.serving(name)?;
    let generations = directory.generations(name)?;
    for &generation in generations.iter().rev().filter(|known| Some(**known) != serving) {
        directory.unmark_ready(name, generation)?;
        let feed = Feed::open(directory, &model, generation, journal.id(), OnBadEvent::Fail);
        if let Ok(feed) = feed
            && feed.belongs_to(journal.id())
            && feed.position() <= journal.head()
            && feed.parked().is_empty()
        {
            return Ok(Shadow { feed, model, _lock: lock });
        }
        directory.remove(name, generation)?;
    }
    let generation = 1 + generations.last().copied().max(serving).unwrap_or(0);
    let feed = Feed::open(directory, &model, generation, journal.id(), OnBadEvent::Fail)?;
    Ok(Shadow { feed, model, _lock: lock })
}

/// Brings the new file to where the serving one is, and compares them there.
async fn compare_at_one_position(
    journal: &dyn Journal,
    directory: &Directory,
    shadow: &mut Shadow,
) -> Result<Vec<Difference>, RebuildError> {
    let name = shadow.model.name();
    let patience = Instant::now();
    while patience.elapsed() < Duration::from_secs(30) {
        let Some(generation) = directory.serving(name)? else { break };
        let serving = directory.reader(name, generation)?;
        // Within this transaction the serving rows stand still, whatever the server writes.
        hold(&serving).begin_read()?;
        let at = file::checkpoint(&hold(&serving))?.map(|checkpoint| checkpoint.position);
        let outcome = match at.filter(|at| *at >= shadow.feed.position()) {
            Some(at) => {
                catch_up(journal, shadow, at).await?;
                let rebuilt = shadow.feed.connection();
                Some(compare_with(&serving, &rebuilt, shadow.model.derived_tables())?)
            }
            None => None,
        };
        hold(&serving).commit()?;
        if let Some(differences) = outcome {
            return Ok(differences);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(RebuildError::ServingBehind { model: name })
}

async fn catch_up(
    journal: &dyn Journal,
    shadow: &mut Shadow,
    to: Position,
) -> Result<(), RebuildError> {
    // The writer may have folded what this reader of the journal has not heard of yet.
    let news = journal.wait_past(Position(to.0.saturating_sub(1)));
    match tokio::time::timeout(NEWS_WITHIN, news).await {
        Ok(heard) => drop(heard?),
        Err(_) if to.0 > 0 => {
            return Err(RebuildError::ServingBehind { model: shadow.model.name() });
        }
        Err(_) => {}
    }
    while shadow.feed.position() < to {
        let mut recorded = journal.read_all(shadow.feed.position(), 4_096).await?;
        recorded.truncate(recorded.partition_point(|event| event.position <= to));
        let end = recorded.last().map_or(to, |event| event.position);
        let applied = shadow.feed.apply(&decode(recorded), end);
        applied.map_err(refused(shadow.model.name()))?;
    }
    Ok(())
}

fn behind(shadows: &[Shadow]) -> Position {
    shadows.iter().map(|shadow| shadow.feed.position()).min().unwrap_or_default()
}

fn refused(model: &'static str) -> impl Fn(FeedError) -> RebuildError {
    move |error| match error {
        FeedError::Store(error) => error.into(),
        FeedError::BadEvent { position, stream, error } => {
            RebuildError::BadEvent { model, position, stream, error }
        }
    }
}

/// How long events that are in the serving rows may take to be seen here too.
const NEWS_WITHIN: Duration = Duration::from_secs(10);

/// Works out rate and time left.
struct Pace {
    began: Instant,
    first: Position,
}

impl Pace {
    fn new(shadows: &[Shadow]) -> Self {
        Self { began: Instant::now(), first: behind(shadows) }
    }

    fn at(&mut self, done: Position, total: Position, phase: Phase) -> RebuildProgress {
        let elapsed_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        let folded = done.0.saturating_sub(self.first.0);
        let events_per_s = folded.saturating_mul(1_000) / elapsed_ms;
        RebuildProgress {
            phase,
            events_done: done.0,
            events_total: total.0.max(done.0),
            events_per_s,
            seconds_left: (total.0.saturating_sub(done.0)).checked_div(events_per_s),
        }
    }
}
