//! The bus: takes commands in, hands them to the desk, and answers when their events are durable.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::Timestamp;
use futures::future::BoxFuture;
use journal::{Journal, Position, StreamId};
use tokio::sync::{mpsc, oneshot};

use crate::cache::{BatchNumber, Cache};
use crate::desk::Desk;
use crate::metadata::{Caller, Metadata};
use crate::ports::{Clock, IdSource};
use crate::refusal::{CommandError, Refused, Stop};
use crate::snapshots::{Snapshot, SnapshotStore};
use crate::unit::{Loader, Runs, Unit, UnitParts, into_journal_unit};

/// How much the bus takes on.
#[derive(Debug, Clone)]
pub struct BusOptions {
    /// Commands waiting for the desk; more are refused as overload.
    pub queue_commands_max: usize,
    /// Events decided ahead of the journal before the desk waits for it.
    pub staged_events_max: usize,
    /// Aggregates kept in memory.
    pub cached_aggregates_max: usize,
    /// Events between two snapshots of a stream, at least.
    pub snapshot_every_events: u64,
}

impl Default for BusOptions {
    fn default() -> Self {
        Self {
            queue_commands_max: 8_192,
            staged_events_max: 16_384,
            cached_aggregates_max: 50_000,
            snapshot_every_events: 256,
        }
    }
}

/// A command's result, and the position of the last event it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done<T> {
    pub value: T,
    pub position: Position,
}

/// Counted since the start.
#[derive(Debug, Default)]
pub struct BusStats {
    pub commands: AtomicU64,
    pub refused: AtomicU64,
    pub overloaded: AtomicU64,
    pub conflicts: AtomicU64,
    pub loads: AtomicU64,
    pub commits: AtomicU64,
    pub cached: AtomicU64,
}

/// Takes commands in. Clones share one desk.
#[derive(Clone)]
pub struct Bus {
    queue: mpsc::Sender<Job>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    journal: Arc<dyn Journal>,
    stats: Arc<BusStats>,
}

pub(crate) type Job = Box<dyn Work>;

impl Bus {
    /// Makes a bus and the desk's loop, which MUST be run for anything to happen; it ends when all
    /// clones of the bus are gone.
    #[must_use]
    pub fn new(
        journal: Arc<dyn Journal>,
        snapshots: Arc<dyn SnapshotStore>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        options: BusOptions,
    ) -> (Self, BoxFuture<'static, ()>) {
        let (queue, jobs) = mpsc::channel(options.queue_commands_max);
        let stats = Arc::new(BusStats::default());
        let desk = Desk::new(
            Arc::clone(&journal),
            snapshots,
            Arc::clone(&clock),
            Arc::clone(&ids),
            options,
            Arc::clone(&stats),
        );
        let bus = Self { queue, clock, ids, journal, stats };
        (bus, Box::pin(desk.run(jobs)))
    }

    /// Runs `work` as one unit and answers when what it decided is durable.
    ///
    /// `work` may be run more than once before it counts (while streams are read, or after
    /// another writer's conflict), so it must not do anything but read and decide.
    pub async fn run<T, F>(&self, caller: &Caller, work: F) -> Result<Done<T>, CommandError>
    where
        T: Send + 'static,
        F: FnMut(&mut Unit<'_>) -> Result<T, Stop> + Send + 'static,
    {
        self.submit(caller, work)?.await
    }

    /// Queues `work` at once and returns what to wait on; commands take effect in the order of
    /// their submission.
    pub fn submit<T, F>(
        &self,
        caller: &Caller,
        work: F,
    ) -> Result<impl Future<Output = Result<Done<T>, CommandError>> + Send + use<T, F>, CommandError>
    where
        T: Send + 'static,
        F: FnMut(&mut Unit<'_>) -> Result<T, Stop> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Task { work, caller: caller.clone(), value: None, reply: Some(reply) });
        self.queue.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                self.stats.overloaded.fetch_add(1, Ordering::Relaxed);
                CommandError::Overloaded
            }
            mpsc::error::TrySendError::Closed(_) => CommandError::Closed,
        })?;
        Ok(async move { answer.await.unwrap_or(Err(CommandError::Closed)) })
    }

    /// One command to one aggregate; returns how many events it led to.
    pub async fn execute<D: Runs>(
        &self,
        caller: &Caller,
        id: D::Id,
        command: D::Command,
    ) -> Result<Done<usize>, CommandError> {
        self.run(caller, move |unit| unit.execute::<D>(&id, &command)).await
    }

    /// Reads an aggregate as last decided, waiting until that is durable.
    pub async fn read<D: Runs, T: Send + 'static>(
        &self,
        id: D::Id,
        mut look: impl FnMut(&D::State) -> T + Send + 'static,
    ) -> Result<Done<T>, CommandError> {
        self.run(&Caller::system(), move |unit| unit.state::<D>(&id).map(&mut look)).await
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A fresh time-ordered id.
    #[must_use]
    pub fn new_id<I: From<uuid::Uuid>>(&self) -> I {
        I::from(self.ids.next(self.clock.now()))
    }

    #[must_use]
    pub fn journal(&self) -> &Arc<dyn Journal> {
        &self.journal
    }

    #[must_use]
    pub fn stats(&self) -> &BusStats {
        &self.stats
    }

    /// Commands waiting for the desk.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }
}

/// What the desk needs to run a command without knowing its type.
pub(crate) trait Work: Send {
    /// Runs the command against the cache.
    fn attempt(&mut self, with: &mut Attempt<'_>) -> Attempted;
    fn answer(self: Box<Self>, end: Result<Position, CommandError>);
}

pub(crate) struct Attempt<'a> {
    pub(crate) cache: &'a mut Cache,
    pub(crate) ids: &'a dyn IdSource,
    pub(crate) now: Timestamp,
    pub(crate) batch: BatchNumber,
    pub(crate) snapshot_every: u64,
    /// Others append too, so what was read is part of the verdict.
    pub(crate) keeps_reads: bool,
}

pub(crate) enum Attempted {
    /// Decided; nothing to append if `None`. A unit without groups asks whether what was read
    /// still holds.
    Decided(Option<(journal::Unit, Vec<Snapshot>)>),
    Refused(Refused, Option<journal::Unit>),
    Needs(Vec<Loader>),
    Corrupt(String),
    /// States in memory may be half changed.
    Panicked,
}

struct Task<T, F> {
    work: F,
    caller: Caller,
    value: Option<T>,
    reply: Option<oneshot::Sender<Result<Done<T>, CommandError>>>,
}

impl<T, F> Work for Task<T, F>
where
    T: Send + 'static,
    F: FnMut(&mut Unit<'_>) -> Result<T, Stop> + Send + 'static,
{
    fn attempt(&mut self, with: &mut Attempt<'_>) -> Attempted {
        let occurred = self.caller.occurred.unwrap_or(with.now);
        let mut unit = Unit::new(with.cache, with.ids, occurred, self.caller.actor_name());
        unit.keep_reads(with.keeps_reads);
        let outcome = (self.work)(&mut unit);
        let UnitParts { staged, loaders, reads } = unit.into_parts();
        let fence = self.caller.fence.clone();
        let mut rests_on = (!reads.is_empty()).then(|| journal::Unit {
            reads: reads.into_iter().collect(),
            fence: fence.clone(),
            ..journal::Unit::new(Vec::new(), Arc::from("{}"))
        });
        match outcome {
            Ok(value) => self.value = Some(value),
            Err(Stop::Refused(refused)) => return Attempted::Refused(refused, rests_on),
            Err(Stop::Needs(_)) => return Attempted::Needs(loaders),
            Err(Stop::Corrupt(why)) => return Attempted::Corrupt(why),
        }
        if staged.is_empty() {
            return Attempted::Decided(rests_on.map(|unit| (unit, Vec::new())));
        }
        let command_id = with.ids.next(with.now);
        let metadata = Metadata {
            command_id,
            correlation_id: self.caller.correlation_id.unwrap_or(command_id),
            causation_id: self.caller.causation_id,
            actor: self.caller.actor_name(),
            on_behalf_of: self.caller.on_behalf_of.clone(),
            request: self.caller.request.clone(),
            traceparent: self.caller.traceparent.clone(),
        };
        let metadata = match serde_json::to_string(&metadata) {
            Ok(text) => Arc::from(text),
            Err(error) => return Attempted::Corrupt(error.to_string()),
        };
        let target = (with.batch, with.snapshot_every);
        let (mut unit, snapshots) =
            into_journal_unit(staged, with.cache, with.ids, occurred, metadata, target);
        let reads = rests_on.take().map(|unit| unit.reads).unwrap_or_default();
        let written = |stream: &StreamId| unit.groups.iter().any(|group| group.stream == *stream);
        unit.reads = reads.into_iter().filter(|(stream, _)| !written(stream)).collect();
        unit.fence = fence;
        Attempted::Decided(Some((unit, snapshots)))
    }

    fn answer(mut self: Box<Self>, end: Result<Position, CommandError>) {
        let answer = end.and_then(|position| match self.value.take() {
            Some(value) => Ok(Done { value, position }),
            None => Err(CommandError::Corrupt("a command ended without a result".to_owned())),
        });
        if let Some(reply) = self.reply.take() {
            // Whoever asked may have gone; what was decided stands all the same.
            drop(reply.send(answer));
        }
    }
}
