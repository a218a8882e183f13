//! The desk: one loop that decides all commands of a node, one after another, in memory.
//!
//! While an append is on its way to the disk the desk goes on deciding, on states that are ahead
//! of it; what was decided meanwhile is the next append. So a hot aggregate is not held up by the
//! disk, commits grow with the load, and several aggregates need no lock. Every answer, refusals
//! included, waits until the events it may rest on are durable.
//!
//! Where other processes append to the same journal, what is in memory can be old. Then each unit
//! carries the versions it has read, refusals and answers without events too, and the journal says
//! whether they hold; the desk forgets what it sees others change; and a command that has to be
//! read in first steps aside for those that need not.

mod shared;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::Timestamp;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use journal::{Journal, JournalError, Position, StreamId, Unit, Verdict};
use tokio::sync::mpsc;

use crate::bus::{Attempt, Attempted, BusOptions, BusStats, Job};
use crate::cache::{BatchNumber, Cache};
use crate::loading::Sources;
use crate::ports::{Clock, IdSource};
use crate::refusal::CommandError;
use crate::snapshots::{Snapshot, SnapshotStore};
use crate::unit::Loader;
use shared::Ready;

/// How often a command is decided again when another writer keeps getting in first.
const ATTEMPTS_MAX: u32 = 64;
/// Commands decided between two looks at the append under way.
const DRAIN_JOBS: usize = 128;
/// Commands that wait aside for their streams.
const LOADING_MAX: usize = 512;
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
    /// Others append to this journal too.
    shared: bool,
    loading: FuturesUnordered<BoxFuture<'static, Ready>>,
    /// Up to here the log has been looked through for what others have changed.
    followed: Position,
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
        let (shared, followed) = (journal.properties().several_writers, journal.head());
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
            shared,
            loading: FuturesUnordered::new(),
            followed,
            batch: 1,
            now,
        }
    }

    pub(crate) async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut open = true;
        while open
            || self.in_flight.is_some()
            || !self.staged.is_empty()
            || !self.loading.is_empty()
        {
            while let Some((job, attempts)) = self.retry.pop_front() {
                self.decide(job, attempts).await;
            }
            for _ in 0..DRAIN_JOBS {
                if !self.has_room() {
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
        let room = self.has_room();
        let in_flight = self.in_flight.as_mut();
        let appending = in_flight.is_some();
        let loading = !self.loading.is_empty();
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
            Some(ready) = self.loading.next(), if loading => self.go_on(ready).await,
            job = jobs.recv(), if room && *open => match job {
                Some(job) => self.decide(job, 0).await,
                None => *open = false,
            },
            else => {}
        }
    }

    fn has_room(&self) -> bool {
        self.staged.events < self.options.staged_events_max && self.loading.len() < LOADING_MAX
    }

    fn sources(&self) -> Sources {
        Sources {
            journal: Arc::clone(&self.journal),
            snapshots: Arc::clone(&self.snapshots),
            snapshot_every: self.options.snapshot_every_events,
        }
    }

    async fn decide(&mut self, mut job: Job, attempts: u32) {
        self.follow().await;
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
                keeps_reads: self.shared,
            };
            // A decision that panics must not end the desk: it would end the node for everyone.
            let attempted = catch_unwind(AssertUnwindSafe(|| job.attempt(&mut attempt)));
            let (unit, refusal) = match attempted.unwrap_or(Attempted::Panicked) {
                Attempted::Decided(Some((unit, snapshots))) => {
                    let index = self.stage(unit);
                    self.staged.snapshots.extend(snapshots.into_iter().map(|s| (index, s)));
                    (Some(index), None)
                }
                Attempted::Decided(None) => (None, None),
                Attempted::Refused(refused, rests_on) => {
                    self.stats.refused.fetch_add(1, Ordering::Relaxed);
                    (rests_on.map(|unit| self.stage(unit)), Some(refused.into()))
                }
                Attempted::Corrupt(why) => (None, Some(CommandError::Corrupt(why))),
                Attempted::Panicked => {
                    tracing::error!("a decision panicked; all states in memory are read again");
                    self.start_over().await;
                    let why = "a decision panicked".to_owned();
                    (None, Some(CommandError::Corrupt(why)))
                }
                Attempted::Needs(loaders) if self.shared => {
                    self.stats.loads.fetch_add(loaders.len() as u64, Ordering::Relaxed);
                    let loading = self.sources().together(loaders);
                    self.loading.push(Box::pin(async move {
                        Ready { job, attempts, loaded: loading.await }
                    }));
                    return;
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
        self.stats.loads.fetch_add(loaders.len() as u64, Ordering::Relaxed);
        for (stream, entry) in self.sources().one_by_one(loaders).await? {
            self.cache.insert(stream, entry);
        }
        Ok(())
    }

    fn stage(&mut self, unit: Unit) -> usize {
        self.staged.events += unit.groups.iter().map(|group| group.events.len()).sum::<usize>();
        self.staged.units.push(unit);
        self.staged.units.len() - 1
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
            .map(|unit| {
                let written = unit.groups.iter().map(|group| &group.stream);
                written.chain(unit.reads.iter().map(|(stream, _)| stream)).cloned().collect()
            })
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
        let conflict = |unit: usize| {
            let verdict = verdicts.get(unit);
            matches!(verdict, Some(Verdict::Conflict { .. } | Verdict::Fenced { .. }))
        };
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
                Some((_, Some(Verdict::Holds { at }))) => answer(pending, *at, None),
                Some((unit, Some(Verdict::Fenced { .. }))) => {
                    ended.streams[unit].iter().for_each(|stream| self.cache.remove(stream));
                    answer(pending, head, Some(CommandError::Superseded));
                }
                Some((_, None)) => {
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
