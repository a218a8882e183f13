//! Aggregates kept in memory between commands, each as its last decided state.
//!
//! A state may be ahead of what is durable: later commands decide on it, and nobody is answered
//! before the events it rests on are durable. If an append fails, every state that was ahead is
//! dropped and read again.

use std::any::Any;

use domain::Decider;
use journal::{StreamId, Version};
use lru::LruCache;

/// Number of an append, counted by the desk.
pub(crate) type BatchNumber = u64;

/// The state of one stream.
pub(crate) struct Entry {
    pub(crate) version: Version,
    state: Box<dyn Any + Send + Sync>,
    /// The last append that this state rests on.
    pub(crate) rests_on: BatchNumber,
    pub(crate) snapshot_version: Version,
    /// Size of the last snapshot, in bytes; large ones are taken less often.
    pub(crate) snapshot_bytes: usize,
}

impl Entry {
    pub(crate) fn new<D: Decider>(state: D::State, version: Version, snapshot: Version) -> Self {
        Self {
            version,
            state: Box::new(state),
            rests_on: 0,
            snapshot_version: snapshot,
            snapshot_bytes: 0,
        }
    }

    /// `None` if the stream's category belongs to another aggregate.
    pub(crate) fn state<D: Decider>(&self) -> Option<&D::State> {
        self.state.downcast_ref()
    }

    pub(crate) fn state_mut<D: Decider>(&mut self) -> Option<&mut D::State> {
        self.state.downcast_mut()
    }
}

pub(crate) struct Cache {
    entries: LruCache<StreamId, Entry>,
    durable: BatchNumber,
}

impl Cache {
    /// Unbounded in itself: `shrink` evicts, because an entry ahead of the journal must stay.
    pub(crate) fn new() -> Self {
        Self { entries: LruCache::unbounded(), durable: 0 }
    }

    pub(crate) fn get(&mut self, stream: &StreamId) -> Option<&Entry> {
        self.entries.get(stream)
    }

    /// Without counting as a use.
    pub(crate) fn version(&self, stream: &StreamId) -> Option<Version> {
        self.entries.peek(stream).map(|entry| entry.version)
    }

    pub(crate) fn get_mut(&mut self, stream: &StreamId) -> Option<&mut Entry> {
        self.entries.get_mut(stream)
    }

    pub(crate) fn insert(&mut self, stream: StreamId, entry: Entry) {
        self.entries.put(stream, entry);
    }

    pub(crate) fn remove(&mut self, stream: &StreamId) {
        self.entries.pop(stream);
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn durable_through(&mut self, batch: BatchNumber) {
        self.durable = batch;
    }

    /// Drops the least recently used entries beyond `entries_max`; entries that are ahead of the
    /// journal are kept, and looked at again next time.
    pub(crate) fn shrink(&mut self, entries_max: usize) {
        let mut kept = Vec::new();
        while self.entries.len() + kept.len() > entries_max {
            match self.entries.pop_lru() {
                Some((stream, entry)) if entry.rests_on > self.durable => {
                    kept.push((stream, entry))
                }
                Some(_) => {}
                None => break,
            }
        }
        for (stream, entry) in kept {
            self.entries.put(stream, entry);
        }
    }
}
