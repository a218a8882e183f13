//! A unit of work: what one command reads and decides, over as many aggregates as it takes.
//!
//! It sees each aggregate as of all commands before it. Whatever it decides is appended together
//! or not at all; if it is refused, nothing of it remains.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{AggregateId, Decider, IdKey, Timestamp};
use journal::{Category, Group, NewEvent, StreamId, Version};
use schemas::StoredEvent;
use uuid::Uuid;

use crate::cache::{BatchNumber, Cache};
use crate::ports::IdSource;
use crate::refusal::{Refused, Stop};
use crate::snapshots::Snapshot;

/// A decider whose events can be stored; every aggregate is one.
pub trait Runs: Decider<Event: StoredEvent> {
    fn stream(id: &Self::Id) -> StreamId {
        let category = Category::from_static(Self::CATEGORY);
        match id.key() {
            IdKey::Uuid(id) => StreamId::of_uuid(category, id),
            IdKey::Text(text) => StreamId::of_text(category, &text),
        }
    }
}

impl<D: Decider<Event: StoredEvent>> Runs for D {}

/// Events decided for one stream, with their types still known.
pub(crate) trait Staged: Send {
    fn encode(&self, ids: &dyn IdSource, occurred: Timestamp) -> Vec<NewEvent>;
    /// Brings the cached state up to date; the caller has checked the category.
    fn apply(self: Box<Self>, cache: &mut Cache, target: &Target<'_>) -> Option<Snapshot>;
    fn as_any(&mut self) -> &mut dyn Any;
}

/// Where staged events go in the cache.
pub(crate) struct Target<'a> {
    pub(crate) stream: &'a StreamId,
    pub(crate) batch: BatchNumber,
    /// Events between two snapshots of a stream, at least.
    pub(crate) snapshot_every: u64,
    /// The last of the staged events.
    pub(crate) last: Uuid,
}

struct StagedFor<D: Decider> {
    events: Vec<D::Event>,
    /// The state with `events` folded in; made only if the unit looks at the stream again.
    working: Option<D::State>,
}

impl<D: Runs> Staged for StagedFor<D> {
    fn encode(&self, ids: &dyn IdSource, occurred: Timestamp) -> Vec<NewEvent> {
        let event = |event: &D::Event| NewEvent {
            id: ids.next(occurred),
            event_type: Category::from_static(event.event_type()),
            schema_version: event.schema_version(),
            payload: Arc::from(event.encode()),
            occurred,
        };
        self.events.iter().map(event).collect()
    }

    fn apply(self: Box<Self>, cache: &mut Cache, target: &Target<'_>) -> Option<Snapshot> {
        let entry = cache.get_mut(target.stream)?;
        entry.version += self.events.len() as Version;
        entry.rests_on = target.batch;
        let state = entry.state_mut::<D>()?;
        match self.working {
            Some(working) => *state = working,
            None => self.events.iter().for_each(|event| D::evolve(state, event)),
        }
        // A large state is written less often, so that snapshots stay a small part of the work.
        let interval = target.snapshot_every.max(entry.snapshot_bytes as u64 / 64);
        if entry.version < entry.snapshot_version + interval {
            return None;
        }
        let body = serde_json::to_vec(entry.state::<D>()?).ok()?;
        entry.snapshot_version = entry.version;
        entry.snapshot_bytes = body.len();
        let (stream, event) = (target.stream.clone(), target.last);
        Some(Snapshot { stream, version: entry.version, event, body })
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

pub(crate) struct StagedGroup {
    pub(crate) stream: StreamId,
    pub(crate) expected: Version,
    pub(crate) events: Box<dyn Staged>,
}

/// What one command may do; see the module.
pub struct Unit<'a> {
    cache: &'a mut Cache,
    ids: &'a dyn IdSource,
    now: Timestamp,
    actor: Arc<str>,
    staged: Vec<StagedGroup>,
    loaders: Vec<Loader>,
    /// Whether to keep which versions were looked at.
    keeps_reads: bool,
    reads: BTreeMap<StreamId, Version>,
}

/// What a unit leaves behind.
pub(crate) struct UnitParts {
    pub(crate) staged: Vec<StagedGroup>,
    pub(crate) loaders: Vec<Loader>,
    pub(crate) reads: BTreeMap<StreamId, Version>,
}

/// Knows how to read one aggregate's stream into the cache.
pub(crate) type LoadInto = fn(
    snapshot: Option<&Snapshot>,
    events: &[journal::Recorded],
) -> Result<crate::cache::Entry, String>;

pub(crate) struct Loader {
    pub(crate) stream: StreamId,
    pub(crate) load: LoadInto,
    /// Reads a snapshot alone, to learn whether it still decodes.
    pub(crate) accepts: fn(&Snapshot) -> bool,
}

impl<'a> Unit<'a> {
    pub(crate) fn new(
        cache: &'a mut Cache,
        ids: &'a dyn IdSource,
        now: Timestamp,
        actor: Arc<str>,
    ) -> Self {
        Self {
            cache,
            ids,
            now,
            actor,
            staged: Vec::new(),
            loaders: Vec::new(),
            keeps_reads: false,
            reads: BTreeMap::new(),
        }
    }

    pub(crate) fn keep_reads(&mut self, keep: bool) {
        self.keeps_reads = keep;
    }

    /// Business time of everything this unit decides.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Who is doing this.
    #[must_use]
    pub fn actor(&self) -> domain::order::Actor {
        domain::order::Actor(self.actor.to_string())
    }

    /// A fresh time-ordered id.
    #[must_use]
    pub fn new_id<I: From<Uuid>>(&self) -> I {
        I::from(self.ids.next(self.now))
    }

    /// Takes `id` for new, without looking it up: if it is not, the append conflicts.
    pub fn begin<D: Runs>(&mut self, id: &D::Id) {
        let stream = D::stream(id);
        if self.cache.get(&stream).is_none() {
            self.cache.insert(stream, crate::cache::Entry::new::<D>(D::State::default(), 0, 0));
        }
    }

    /// Makes sure all of these are in memory, so that they are read in one go.
    pub fn prefetch<D: Runs>(&mut self, ids: &[D::Id]) -> Result<(), Stop> {
        for id in ids {
            let stream = D::stream(id);
            if self.cache.get(&stream).is_none() {
                self.needs::<D>(stream);
            }
        }
        self.stop_if_needed()
    }

    /// The aggregate's state, with what this unit has decided so far.
    pub fn state<D: Runs>(&mut self, id: &D::Id) -> Result<&D::State, Stop> {
        let stream = D::stream(id);
        if let Some(index) = self.staged.iter().position(|group| group.stream == stream) {
            return self.working::<D>(index);
        }
        self.cached::<D>(stream)
    }

    /// The stream's version, with what this unit has decided so far. 0: it does not exist.
    pub fn version<D: Runs>(&mut self, id: &D::Id) -> Result<Version, Stop> {
        let stream = D::stream(id);
        self.cached::<D>(stream.clone())?;
        let staged = match self.staged.iter_mut().find(|group| group.stream == stream) {
            Some(group) => staged_for::<D>(group)?.events.len() as Version,
            None => 0,
        };
        Ok(self.cache.get(&stream).map_or(0, |entry| entry.version) + staged)
    }

    /// Lets the aggregate decide. Its events join the unit; how many there are is returned, and 0
    /// means that it was done already.
    pub fn execute<D: Runs>(&mut self, id: &D::Id, command: &D::Command) -> Result<usize, Stop> {
        let events = D::decide(self.state::<D>(id)?, command)?;
        let decided = events.len();
        self.record::<D>(id, events)?;
        Ok(decided)
    }

    /// Adds facts that need no decision.
    pub fn record<D: Runs>(&mut self, id: &D::Id, events: Vec<D::Event>) -> Result<(), Stop> {
        if events.is_empty() {
            return Ok(());
        }
        let stream = D::stream(id);
        if let Some(group) = self.staged.iter_mut().find(|group| group.stream == stream) {
            let staged = staged_for::<D>(group)?;
            if let Some(working) = &mut staged.working {
                events.iter().for_each(|event| D::evolve(working, event));
            }
            staged.events.extend(events);
            return Ok(());
        }
        let expected = self.cache.get(&stream).map_or(0, |entry| entry.version);
        let events = Box::new(StagedFor::<D> { events, working: None });
        self.staged.push(StagedGroup { stream, expected, events });
        Ok(())
    }

    pub(crate) fn into_parts(self) -> UnitParts {
        UnitParts { staged: self.staged, loaders: self.loaders, reads: self.reads }
    }

    fn cached<D: Runs>(&mut self, stream: StreamId) -> Result<&D::State, Stop> {
        if self.cache.get(&stream).is_none() {
            self.needs::<D>(stream);
            self.stop_if_needed()?;
            return Err(Stop::Corrupt("a stream that was to be read is missing".to_owned()));
        }
        let entry = self.cache.get(&stream);
        if self.keeps_reads
            && let Some(entry) = entry
        {
            self.reads.entry(stream.clone()).or_insert(entry.version);
        }
        entry
            .and_then(|entry| entry.state::<D>())
            .ok_or_else(|| Stop::Corrupt(format!("{stream} is not of category {}", D::CATEGORY)))
    }

    /// Folds what is staged for a stream onto a copy of its state.
    fn working<D: Runs>(&mut self, index: usize) -> Result<&D::State, Stop> {
        let missing = || Stop::Corrupt("a staged stream left the cache".to_owned());
        let group = self.staged.get_mut(index).ok_or_else(missing)?;
        let base = self.cache.get(&group.stream).and_then(|entry| entry.state::<D>());
        let staged = staged_for::<D>(group)?;
        if staged.working.is_none() {
            let mut state = base.ok_or_else(missing)?.clone();
            staged.events.iter().for_each(|event| D::evolve(&mut state, event));
            staged.working = Some(state);
        }
        staged.working.as_ref().ok_or_else(missing)
    }

    fn needs<D: Runs>(&mut self, stream: StreamId) {
        self.loaders.push(Loader { stream, load: load::<D>, accepts: accepts::<D> });
    }

    fn stop_if_needed(&self) -> Result<(), Stop> {
        if self.loaders.is_empty() {
            return Ok(());
        }
        Err(Stop::Needs(self.loaders.iter().map(|loader| loader.stream.clone()).collect()))
    }
}

fn staged_for<D: Runs>(group: &mut StagedGroup) -> Result<&mut StagedFor<D>, Stop> {
    let stream = group.stream.to_string();
    group
        .events
        .as_any()
        .downcast_mut()
        .ok_or_else(|| Stop::Corrupt(format!("{stream} is not of category {}", D::CATEGORY)))
}

fn accepts<D: Runs>(snapshot: &Snapshot) -> bool {
    serde_json::from_slice::<D::State>(&snapshot.body).is_ok()
}

fn load<D: Runs>(
    snapshot: Option<&Snapshot>,
    events: &[journal::Recorded],
) -> Result<crate::cache::Entry, String> {
    let (mut state, mut version) = match snapshot {
        Some(taken) => {
            let state = serde_json::from_slice(&taken.body).map_err(|e| e.to_string())?;
            (state, taken.version)
        }
        None => (D::State::default(), 0),
    };
    let taken_at = version;
    for recorded in events {
        let name = recorded.event_type.as_str();
        D::Event::decode_all(name, recorded.schema_version, &recorded.payload)
            .map_err(|e| format!("{} version {}: {e}", recorded.stream, recorded.version))?
            .iter()
            .for_each(|event| D::evolve(&mut state, event));
        version = recorded.version;
    }
    Ok(crate::cache::Entry::new::<D>(state, version, taken_at))
}

/// Turns staged groups into a journal unit, and the cache up to date.
pub(crate) fn into_journal_unit(
    staged: Vec<StagedGroup>,
    cache: &mut Cache,
    ids: &dyn IdSource,
    occurred: Timestamp,
    metadata: Arc<str>,
    target: (BatchNumber, u64),
) -> (journal::Unit, Vec<Snapshot>) {
    let mut groups = Vec::with_capacity(staged.len());
    let mut snapshots = Vec::new();
    for group in staged {
        let events = group.events.encode(ids, occurred);
        let (batch, snapshot_every) = target;
        let last = events.last().map_or(Uuid::nil(), |event| event.id);
        let target = Target { stream: &group.stream, batch, snapshot_every, last };
        snapshots.extend(group.events.apply(cache, &target));
        groups.push(Group { stream: group.stream, expected: group.expected, events });
    }
    (journal::Unit::new(groups, metadata), snapshots)
}

/// Refuses what names something that does not exist.
pub fn known<'s, T>(
    state: Option<&'s T>,
    what: &str,
    id: impl std::fmt::Display,
) -> Result<&'s T, Stop> {
    state.ok_or_else(|| Refused::not_found(what, id).into())
}
