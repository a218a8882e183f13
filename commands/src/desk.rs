//! The desk: one loop that decides all commands of a node, one after another, in memory.
//!
//! While an append is on its way to the disk the desk goes on deciding, on states that are ahead
//! of it; what was decided meanwhile is the next append. So a hot aggregate is not held up by the
//! disk, commits grow with the load, and several aggregates need no lock. Every answer, refusals
//! included, waits until the events it may rest on are durable.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::Timestamp;
use futures::future::BoxFuture;
use journal::{Journal, JournalError, Position, Recorded, StreamId, Unit, Verdict, Version};
use tokio::sync::mpsc;

use crate::bus::{Attempt, Attempted, BusOptions, BusStats, Job};
use crate::cache::{BatchNumber, Cache};
use crate::ports::{Clock, IdSource};
use crate::refusal::CommandError;
use crate::snapshots::{Snapshot, SnapshotStore};
use crate::unit::Loader;

/// How often a command is decided again when another writer keeps getting in first.
const ATTEMPTS_MAX: u32 = 16;
/// Commands decided between two looks at the append under way.
const DRAIN_JOBS: usize = 128;
/// Events of a stream read at a time.
const LOAD_EVENTS: usize = 4_096;

/// A job and what it waits for.
struct Pending {
    job: Job,
    attempts: u32,
    /// Index of its unit in the append; none if it decided nothing.
    unit: Option<usize>,
    refusal: Option<CommandError>,
}

/// What will be, or is being, appended together.
#[derive(Default)]
struct Batch {
    units: Vec<Unit>,
    pending: Vec<Pending>,
    snapshots: Vec<(usize, Snapshot)>,
    events: usize,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }
}

/// An append on its way.
struct InFlight {
    pending: Vec<Pending>,
    snapshots: Vec<(usize, Snapshot)>,
    streams: Vec<Vec<StreamId>>,
    result: BoxFuture<'static, Result<Vec<Verdict>, JournalError>>,
}

pub(crate) struct Desk {
    journal: Arc<dyn Journal>,
    snapshots: Arc<dyn SnapshotStore>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    options: BusOptions,
    stats: Arc<BusStats>,
    cache: Cache,
    staged: Batch,
    in_flight: Option<InFlight>,
    retry: VecDeque<(Job, u32)>,
    /// Number of the batch that is being staged.
    batch: BatchNumber,
    now: Timestamp,
}

impl Desk {
    pub(crate) fn new(
        journal: Arc<dyn Journal>,
        snapshots: Arc<dyn SnapshotStore>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        options: BusOptions,
        stats: Arc<BusStats>,
    ) -> Self {
        let now = clock.now();
        Self {
            journal,
            snapshots,
            clock,
            ids,
            options,
            stats,
            cache: Cache::new(),
            staged: Batch::default(),
            in_flight: None,
            retry: VecDeque::new(),
            batch: 1,
            now,
        }
    }

    pub(crate) async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut open = true;
        while open || self.in_flight.is_some() || !self.staged.is_empty() {
            while let Some((job, attempts)) = self.retry.pop_front() {
                self.decide(job, attempts).await;
            }
            for _ in 0..DRAIN_JOBS {
                if self.staged.events >= self.options.staged_events_max {
                    break;
                }
                match jobs.try_recv() {
                    Ok(job) => self.decide(job, 0).await,
                    Err(mpsc::error::TryRecvError::Empty) => break,
                    Err(mpsc::error::TryRecvError::Disconnected) => {
                        open = false;
                        break;
                    }
                }
            }
            self.start_append();
            self.wait(&mut jobs, &mut open).await;
        }
    }

    /// Waits for the append to end, or for another command, whichever is first.
    async fn wait(&mut self, jobs: &mut mpsc::Receiver<Job>, open: &mut bool) {
        let room = self.staged.events < self.options.staged_events_max;
        let in_flight = self.in_flight.as_mut();
        let appending = in_flight.is_some();
        let appended = async {
            match in_flight {
                Some(append) => append.result.as_mut().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // An append that has ended comes first: its answers free those who wait.
            biased;
            verdicts = appended, if appending => self.finish_append(verdicts),
            job = jobs.recv(), if room && *open => match job {
                Some(job) => self.decide(job, 0).await,
                None => *open = false,
            },
            else => {}
        }
    }

    async fn decide(&mut self, mut job: Job, attempts: u32) {
        self.now = self.now.max(self.clock.now());
        if attempts == 0 {
            self.stats.commands.fetch_add(1, Ordering::Relaxed);
        }
        loop {
            let mut attempt = Attempt {
                cache: &mut self.cache,
                ids: self.ids.as_ref(),
                now: self.now,
                batch: self.batch,
                snapshot_every: self.options.snapshot_every_events,
            };
            // A decision that panics must not end the desk: it would end the node for everyone.
            let attempted = catch_unwind(AssertUnwindSafe(|| job.attempt(&mut attempt)));
            let (unit, refusal) = match attempted.unwrap_or(Attempted::Panicked) {
                Attempted::Decided(Some((unit, snapshots))) => {
                    let index = self.staged.units.len();
                    self.staged.events += unit.groups.iter().map(|g| g.events.len()).sum::<usize>();
                    self.staged.units.push(unit);
                    self.staged.snapshots.extend(snapshots.into_iter().map(|s| (index, s)));
                    (Some(index), None)
                }
                Attempted::Decided(None) => (None, None),
                Attempted::Refused(refused) => {
                    self.stats.refused.fetch_add(1, Ordering::Relaxed);
                    (None, Some(refused.into()))
                }
                Attempted::Corrupt(why) => (None, Some(CommandError::Corrupt(why))),
                Attempted::Panicked => {
                    tracing::error!("a decision panicked; all states in memory are read again");
                    self.start_over().await;
                    let why = "a decision panicked".to_owned();
                    (None, Some(CommandError::Corrupt(why)))
                }
                Attempted::Needs(loaders) => match self.load(loaders).await {
                    Ok(()) => continue,
                    Err(error) => (None, Some(error)),
                },
            };
            let pending = Pending { job, attempts, unit, refusal };
            if pending.unit.is_none() && self.staged.is_empty() && self.in_flight.is_none() {
                // Nothing is ahead of the journal, so this answer rests on durable events alone.
                answer(pending, self.journal.head(), None);
                // Reads and refusals bring states into memory too, without an append to follow.
                self.shrink_cache();
            } else {
                self.staged.pending.push(pending);
            }
            return;
        }
    }

    async fn load(&mut self, loaders: Vec<Loader>) -> Result<(), CommandError> {
        let journal = Arc::clone(&self.journal);
        for loader in loaders {
            self.stats.loads.fetch_add(1, Ordering::Relaxed);
            let version = self.journal.stream_version(&loader.stream).await?;
            let mut snapshot = (version > self.options.snapshot_every_events)
                .then(|| self.snapshots.load(&loader.stream))
                .flatten()
                .filter(|s| s.version <= version && (loader.accepts)(s));
            // With the snapshot's own event in front, to see that it is still this stream's.
            let first = snapshot.as_ref().map_or(0, |s| s.version.saturating_sub(1));
            let mut events = read_stream(&journal, &loader.stream, first, version).await?;
            if let Some(taken) = &snapshot {
                if events.first().is_some_and(|event| event.id == taken.event) {
                    events.remove(0);
                } else {
                    // It belongs to a journal that was since restored.
                    snapshot = None;
                    events = read_stream(&journal, &loader.stream, 0, version).await?;
                }
            }
            let entry = (loader.load)(snapshot.as_ref(), &events).map_err(CommandError::Corrupt)?;
            self.cache.insert(loader.stream, entry);
        }
        Ok(())
    }

    fn start_append(&mut self) {
        if self.in_flight.is_some() || self.staged.is_empty() {
            return;
        }
        let batch = std::mem::take(&mut self.staged);
        self.batch += 1;
        let streams = batch
            .units
            .iter()
            .map(|unit| unit.groups.iter().map(|group| group.stream.clone()).collect())
            .collect();
        let journal = Arc::clone(&self.journal);
        let units = batch.units;
        let result: BoxFuture<'static, _> = if units.is_empty() {
            Box::pin(async { Ok(Vec::new()) })
        } else {
            self.stats.commits.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move { journal.append(units).await })
        };
        self.in_flight =
            Some(InFlight { pending: batch.pending, snapshots: batch.snapshots, streams, result });
    }

    fn finish_append(&mut self, result: Result<Vec<Verdict>, JournalError>) {
        let Some(ended) = self.in_flight.take() else {
            return;
        };
        match result {
            Ok(verdicts) => self.committed(ended, &verdicts),
            Err(error) => self.failed(ended, &error),
        }
        self.cache.durable_through(self.batch - 1);
        self.shrink_cache();
    }

    fn shrink_cache(&mut self) {
        self.cache.shrink(self.options.cached_aggregates_max);
        self.stats.cached.store(self.cache.len() as u64, Ordering::Relaxed);
    }

    /// Waits for all that is decided to be durable, then forgets every state: one of them may be
    /// half changed.
    async fn start_over(&mut self) {
        loop {
            self.start_append();
            let Some(append) = self.in_flight.as_mut() else { break };
            let verdicts = append.result.as_mut().await;
            self.finish_append(verdicts);
        }
        self.cache = Cache::new();
        self.cache.durable_through(self.batch - 1);
    }

    fn committed(&mut self, ended: InFlight, verdicts: &[Verdict]) {
        let conflict = |unit: usize| matches!(verdicts.get(unit), Some(Verdict::Conflict { .. }));
        for (unit, snapshot) in ended.snapshots {
            if !conflict(unit) {
                self.snapshots.save(snapshot);
            }
        }
        let any_conflict = (0..verdicts.len()).any(conflict);
        let head = self.journal.head();
        let mut again = VecDeque::new();
        for pending in ended.pending {
            match pending.unit.map(|unit| (unit, verdicts.get(unit))) {
                Some((unit, Some(Verdict::Conflict { stream, .. }))) => {
                    self.stats.conflicts.fetch_add(1, Ordering::Relaxed);
                    tracing::debug!(%stream, "another writer was first; deciding again");
                    ended.streams[unit].iter().for_each(|stream| self.cache.remove(stream));
                    again_or_unavailable(&mut again, pending);
                }
                Some((_, Some(Verdict::Committed { last, .. }))) => answer(pending, *last, None),
                Some((_, Some(Verdict::Holds { .. } | Verdict::Fenced { .. }) | None)) => {
                    let why = CommandError::Unavailable("no verdict on an append".to_owned());
                    answer(pending, head, Some(why));
                }
                None => answer(pending, head, None),
            }
        }
        if any_conflict {
            // What is staged may rest on states that never came to be.
            for unit in std::mem::take(&mut self.staged.units) {
                unit.groups.iter().for_each(|group| self.cache.remove(&group.stream));
            }
            for pending in std::mem::take(&mut self.staged).pending {
                again_or_unavailable(&mut again, pending);
            }
        }
        again.extend(std::mem::take(&mut self.retry));
        self.retry = again;
    }

    /// Nothing of this append is acknowledged, nor of what was decided on top of it.
    fn failed(&mut self, ended: InFlight, error: &JournalError) {
        tracing::error!(%error, "append failed; states ahead of the journal are dropped");
        ended.streams.iter().flatten().for_each(|stream| self.cache.remove(stream));
        let staged = std::mem::take(&mut self.staged);
        for unit in &staged.units {
            unit.groups.iter().for_each(|group| self.cache.remove(&group.stream));
        }
        let head = self.journal.head();
        for pending in ended.pending.into_iter().chain(staged.pending) {
            answer(pending, head, Some(error.clone().into()));
        }
    }
}

async fn read_stream(
    journal: &Arc<dyn Journal>,
    stream: &StreamId,
    mut after: Version,
    through: Version,
) -> Result<Vec<Recorded>, JournalError> {
    let mut events = Vec::new();
    while after < through {
        let page = journal.read_stream(stream, after, LOAD_EVENTS).await?;
        match page.last() {
            Some(last) => after = last.version,
            None => break,
        }
        events.extend(page);
    }
    Ok(events)
}

fn again_or_unavailable(again: &mut VecDeque<(Job, u32)>, pending: Pending) {
    if pending.attempts + 1 < ATTEMPTS_MAX {
        again.push_back((pending.job, pending.attempts + 1));
    } else {
        let why = "other writers were first each time; try again".to_owned();
        answer(pending, Position(0), Some(CommandError::Unavailable(why)));
    }
}

fn answer(pending: Pending, position: Position, error: Option<CommandError>) {
    let end = match error.or(pending.refusal) {
        Some(error) => Err(error),
        None => Ok(position),
    };
    pending.job.answer(end);
}
