//! The last event of each stream, in memory as far as needed.

use std::hash::Hash;

use super::hash::QuickMap;
use crate::{StreamId, StreamKey};

/// Where a stream's last event is, and its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) position: u64,
    pub(super) version: u64,
}

/// Durable heads. What is in none of the maps is in the head table, or does not exist.
#[derive(Debug)]
pub(super) struct Heads {
    /// Changed since the last save began.
    recent: QuickMap<StreamId, Head>,
    /// Changed before that: being saved, or saved and kept until the next save begins. Few
    /// maps and no moving to and fro, since each probe costs the writer a cache miss.
    earlier: QuickMap<StreamId, Head>,
    /// Read from the table since the last save began.
    cached: Generations<StreamId, Head>,
    saves: u64,
}

impl Heads {
    pub(super) fn new(cached_streams: usize) -> Self {
        Self {
            recent: QuickMap::default(),
            earlier: QuickMap::default(),
            cached: Generations::new(cached_streams),
            saves: 0,
        }
    }

    pub(super) fn find(&mut self, stream: &StreamId) -> Option<Head> {
        if let Some(head) = self.recent.get(stream).or_else(|| self.earlier.get(stream)) {
            return Some(*head);
        }
        self.cached.get(stream)
    }

    pub(super) fn changed(&mut self, stream: StreamId, head: Head) {
        self.recent.insert(stream, head);
    }

    /// Changes whenever heads leave memory; see [`Self::remember`].
    pub(super) fn saves(&self) -> u64 {
        self.saves
    }

    /// Keeps a head read from the table when `saves` was as given. Had heads left memory
    /// since, the one read might be an old one.
    pub(super) fn remember(&mut self, stream: &StreamId, head: Head, saves: u64) {
        if saves == self.saves {
            self.cached.insert(stream.clone(), head);
        }
    }

    /// Begins a save of all that changed, sorted as the table is. The save before must be
    /// durable: memory forgets what it saved.
    pub(super) fn begin_save(&mut self) -> Vec<(Vec<u8>, StreamId, Head)> {
        self.saves += 1;
        self.earlier = std::mem::take(&mut self.recent);
        // What was read from the table may have changed since, and only `earlier` knew.
        self.cached.clear();
        let mut entries: Vec<_> = self
            .earlier
            .iter()
            .map(|(stream, head)| (table_key(stream), stream.clone(), *head))
            .collect();
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        entries
    }

    /// Forgets heads the table has, which a writer elsewhere saved through `position`.
    pub(super) fn saved_elsewhere(&mut self, position: u64) {
        self.saves += 1;
        self.recent.retain(|_, head| head.position > position);
        self.cached.clear();
    }
}

/// A stream's key in the head table: streams of one category lie together, and those with
/// time-ordered ids in the order in which they were made.
pub(super) fn table_key(stream: &StreamId) -> Vec<u8> {
    let (kind, key): (u8, &[u8]) = match &stream.key {
        StreamKey::Uuid(id) => (b'u', id.as_bytes()),
        StreamKey::Text(text) => (b't', text.as_bytes()),
    };
    let category = stream.category.as_str().as_bytes();
    let mut bytes = Vec::with_capacity(category.len() + 2 + key.len());
    bytes.extend_from_slice(category);
    bytes.extend_from_slice(&[0, kind]);
    bytes.extend_from_slice(key);
    bytes
}

/// A bounded map which forgets what was not asked for of late: when the young half is full
/// it becomes the old half, and what was the old half goes.
#[derive(Debug)]
pub(super) struct Generations<K, V> {
    young: QuickMap<K, V>,
    old: QuickMap<K, V>,
    half: usize,
}

impl<K: Hash + Eq + Clone, V: Clone> Generations<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { young: QuickMap::default(), old: QuickMap::default(), half: (capacity / 2).max(1) }
    }

    pub(super) fn get(&mut self, key: &K) -> Option<V> {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let (key, value) = self.old.remove_entry(key)?;
        self.insert(key, value.clone());
        Some(value)
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.half {
            self.old = std::mem::take(&mut self.young);
        } else {
            self.old.remove(&key);
        }
        self.young.insert(key, value);
    }

    pub(super) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}
