//! A journal in memory, for tests and simulation.
//!
//! Deterministic: no thread, no randomness, no clock but the one it is given. What is
//! durable lives in a [`Storage`] which outlives the journal, as a disk outlives a process.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;
use uuid::Uuid;

use crate::check::{self, whole_micros};
use crate::held::hold;
use crate::{
    Clock, Epoch, Journal, JournalError, JournalId, Leases, Position, Properties, Recorded,
    StreamId, Unit, Verdict, Version,
};

/// What survives a crash of the journals over it.
#[derive(Debug)]
pub struct Storage {
    id: JournalId,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    events: Vec<Recorded>,
    /// Positions of each stream's events.
    streams: BTreeMap<StreamId, Vec<u64>>,
    leases: BTreeMap<String, Lease>,
}

#[derive(Debug)]
struct Lease {
    owner: Uuid,
    epoch: Epoch,
    expires: DateTime<Utc>,
}

impl Storage {
    /// Makes an empty storage; `id` becomes the id of the journals over it.
    #[must_use]
    pub fn new(id: JournalId) -> Self {
        Self { id, kept: Mutex::default() }
    }

    /// All events that are durable, in order.
    #[must_use]
    pub fn events(&self) -> Vec<Recorded> {
        hold(&self.kept).events.clone()
    }

    fn head(&self) -> u64 {
        hold(&self.kept).events.len() as u64
    }
}

/// What happens to an append at one of its two dangerous moments.
#[derive(Debug, Clone)]
pub enum Fault {
    None,
    /// The append answers with this error.
    Fail(JournalError),
    /// The process dies: the append never resolves and the journal acts closed.
    Crash,
}

/// Decides on faults. Called under no lock, in the order of the appends.
pub trait Faults: Send + Sync {
    /// Before anything is durable: a fault leaves nothing behind.
    fn before(&self, units: &[Unit]) -> Fault;
    /// After all is durable: a fault leaves a call that took effect without an answer.
    fn after(&self, verdicts: &[Verdict]) -> Fault;
}

/// The port over a [`Storage`]. An append is done when its future is first polled.
pub struct MemoryJournal {
    storage: Arc<Storage>,
    clock: Clock,
    faults: Option<Arc<dyn Faults>>,
    shared: bool,
    progress: watch::Sender<Progress>,
}

#[derive(Debug, Clone, Copy)]
struct Progress {
    head: u64,
    closed: bool,
}

impl MemoryJournal {
    /// An empty journal with the nil id, whose events are all recorded at the Unix epoch.
    #[must_use]
    pub fn new() -> Self {
        Self::over(Arc::new(Storage::new(Uuid::nil())))
    }

    /// Opens what an earlier journal left. One journal at a time may append to a storage.
    #[must_use]
    pub fn over(storage: Arc<Storage>) -> Self {
        let progress = Progress { head: storage.head(), closed: false };
        Self {
            storage,
            clock: Arc::new(|| DateTime::<Utc>::UNIX_EPOCH),
            faults: None,
            shared: false,
            progress: watch::Sender::new(progress),
        }
    }

    /// Stamps `recorded` by `clock`, once per call of `append`.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Says that others append too, as with a store that several processes share, and grants
    /// leases by the journal's clock.
    #[must_use]
    pub fn shared(mut self) -> Self {
        self.shared = true;
        self
    }

    #[must_use]
    pub fn with_faults(mut self, faults: Arc<dyn Faults>) -> Self {
        self.faults = Some(faults);
        self
    }

    /// Acts as if the process had died: everything fails with `Closed` from now on. What is
    /// durable is in the [`Storage`].
    pub fn crash(&self) {
        self.progress.send_modify(|progress| progress.closed = true);
    }

    fn ensure_open(&self) -> Result<(), JournalError> {
        if self.progress.borrow().closed { Err(JournalError::Closed) } else { Ok(()) }
    }

    fn read<T>(&self, work: impl FnOnce(&Kept) -> T) -> Result<T, JournalError> {
        self.ensure_open()?;
        Ok(work(&hold(&self.storage.kept)))
    }

    /// `None` for a crash.
    fn act(&self, fault: Option<Fault>) -> Option<Result<(), JournalError>> {
        match fault {
            None | Some(Fault::None) => Some(Ok(())),
            Some(Fault::Fail(error)) => Some(Err(error)),
            Some(Fault::Crash) => {
                self.crash();
                None
            }
        }
    }

    fn append_now(&self, units: Vec<Unit>) -> Option<Result<Vec<Verdict>, JournalError>> {
        let sound = self
            .ensure_open()
            .and_then(|()| check::units(&units))
            .and_then(|_| if self.shared { Ok(()) } else { check::unfenced(&units) });
        if let Err(error) = sound {
            return Some(Err(error));
        }
        if let Err(error) = self.act(self.faults.as_ref().map(|faults| faults.before(&units)))? {
            return Some(Err(error));
        }
        let recorded = whole_micros((self.clock)());
        let (verdicts, head) = {
            let mut kept = hold(&self.storage.kept);
            let verdicts: Vec<_> =
                units.into_iter().map(|unit| kept.unit(unit, recorded)).collect();
            (verdicts, kept.events.len() as u64)
        };
        let fault = self.faults.as_ref().map(|faults| faults.after(&verdicts));
        let done = self.act(fault)?;
        self.progress.send_if_modified(|progress| {
            let news = head > progress.head;
            progress.head = progress.head.max(head);
            news
        });
        Some(done.map(|()| verdicts))
    }
}

impl Kept {
    fn version(&self, stream: &StreamId) -> Version {
        self.streams.get(stream).map_or(0, |positions| positions.len() as u64)
    }

    fn unit(&mut self, unit: Unit, recorded: DateTime<Utc>) -> Verdict {
        if let Some(fence) = &unit.fence {
            let epoch = self.leases.get(&*fence.lease).map_or(0, |lease| lease.epoch);
            if epoch != fence.epoch {
                return Verdict::Fenced { epoch };
            }
        }
        let written = unit.groups.iter().map(|group| (&group.stream, group.expected));
        let read = unit.reads.iter().map(|(stream, version)| (stream, *version));
        for (stream, expected) in written.chain(read) {
            let actual = self.version(stream);
            if actual != expected {
                return Verdict::Conflict { stream: stream.clone(), expected, actual };
            }
        }
        if unit.groups.is_empty() {
            return Verdict::Holds { at: Position(self.events.len() as u64) };
        }
        let recorded = unit.recorded.map_or(recorded, whole_micros);
        let first = Position(self.events.len() as u64 + 1);
        for group in unit.groups {
            let positions = self.streams.entry(group.stream.clone()).or_default();
            for event in group.events {
                let position = self.events.len() as u64 + 1;
                positions.push(position);
                self.events.push(Recorded {
                    position: Position(position),
                    stream: group.stream.clone(),
                    version: positions.len() as u64,
                    id: event.id,
                    event_type: event.event_type,
                    schema_version: event.schema_version,
                    payload: event.payload,
                    metadata: Arc::clone(&unit.metadata),
                    occurred: whole_micros(event.occurred),
                    recorded,
                });
            }
        }
        Verdict::Committed { first, last: Position(self.events.len() as u64) }
    }

    fn from(&self, index: u64, max: usize) -> Vec<Recorded> {
        let start = usize::try_from(index).unwrap_or(usize::MAX).min(self.events.len());
        let end = start.saturating_add(max).min(self.events.len());
        self.events[start..end].to_vec()
    }
}

#[async_trait]
impl Leases for MemoryJournal {
    async fn hold(
        &self,
        lease: &str,
        owner: Uuid,
        ttl: Duration,
    ) -> Result<Option<Epoch>, JournalError> {
        self.ensure_open()?;
        let now = (self.clock)();
        let expires = now.checked_add_signed(TimeDelta::from_std(ttl).unwrap_or(TimeDelta::MAX));
        let expires = expires.unwrap_or(DateTime::<Utc>::MAX_UTC);
        let mut kept = hold(&self.storage.kept);
        let known = kept.leases.get(lease);
        let epoch = match known {
            Some(known) if known.owner == owner => known.epoch,
            Some(known) if known.expires > now => return Ok(None),
            known => 1 + known.map_or(0, |known| known.epoch),
        };
        kept.leases.insert(lease.to_owned(), Lease { owner, epoch, expires });
        Ok(Some(epoch))
    }

    async fn release(&self, lease: &str, owner: Uuid) -> Result<(), JournalError> {
        self.ensure_open()?;
        let mut kept = hold(&self.storage.kept);
        if let Some(known) = kept.leases.get_mut(lease)
            && known.owner == owner
        {
            known.expires = DateTime::<Utc>::MIN_UTC;
        }
        Ok(())
    }
}

impl Default for MemoryJournal {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryJournal").field("progress", &*self.progress.borrow()).finish()
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    fn id(&self) -> JournalId {
        self.storage.id
    }

    fn properties(&self) -> Properties {
        Properties { dense_positions: true, units_span_streams: true, several_writers: self.shared }
    }

    async fn append(&self, units: Vec<Unit>) -> Result<Vec<Verdict>, JournalError> {
        match self.append_now(units) {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        max: usize,
    ) -> Result<Vec<Recorded>, JournalError> {
        self.read(|kept| {
            let positions = kept.streams.get(stream).map_or(&[][..], Vec::as_slice);
            let skip = usize::try_from(after).unwrap_or(usize::MAX);
            let wanted = positions.iter().skip(skip).take(max);
            wanted.filter_map(|p| kept.events.get(*p as usize - 1).cloned()).collect()
        })
    }

    async fn stream_version(&self, stream: &StreamId) -> Result<Version, JournalError> {
        self.read(|kept| kept.version(stream))
    }

    async fn read_all(&self, after: Position, max: usize) -> Result<Vec<Recorded>, JournalError> {
        self.read(|kept| kept.from(after.0, max))
    }

    async fn read_back(
        &self,
        before: Option<Position>,
        max: usize,
    ) -> Result<Vec<Recorded>, JournalError> {
        self.read(|kept| {
            let below = before.map_or(u64::MAX, |before| before.0.saturating_sub(1));
            let end = usize::try_from(below).unwrap_or(usize::MAX).min(kept.events.len());
            kept.events[..end].iter().rev().take(max).cloned().collect()
        })
    }

    fn head(&self) -> Position {
        Position(self.storage.head())
    }

    async fn wait_past(&self, position: Position) -> Result<Position, JournalError> {
        let mut news = self.progress.subscribe();
        let past = |progress: &Progress| progress.head > position.0 || progress.closed;
        let reached = match news.wait_for(past).await {
            Ok(reached) => *reached,
            Err(_) => return Err(JournalError::Closed),
        };
        if reached.closed { Err(JournalError::Closed) } else { Ok(Position(reached.head)) }
    }

    fn leases(&self) -> Option<&dyn Leases> {
        self.shared.then_some(self as &dyn Leases)
    }

    async fn close(&self) -> Result<(), JournalError> {
        self.crash();
        Ok(())
    }
}
