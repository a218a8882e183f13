//! Opened keys in memory, of use for as long as all erasures are known.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;
use uuid::Uuid;

use crate::key_store::sealing::SecretKey;

pub(super) struct Cache {
    kept: Mutex<Kept>,
    trusted_for: Duration,
}

struct Kept {
    keys: LruCache<Uuid, Arc<SecretKey>>,
    /// As of when all erasures were known.
    as_of: Option<Instant>,
}

impl Cache {
    pub(super) fn new(keys: NonZeroUsize, trusted_for: Duration) -> Self {
        Self { kept: Mutex::new(Kept { keys: LruCache::new(keys), as_of: None }), trusted_for }
    }

    pub(super) fn get(&self, person: Uuid) -> Option<Arc<SecretKey>> {
        let mut kept = self.kept();
        let trusted = kept.as_of.is_some_and(|as_of| as_of.elapsed() < self.trusted_for);
        if trusted { kept.keys.get(&person).cloned() } else { None }
    }

    pub(super) fn put(&self, person: Uuid, key: Arc<SecretKey>) {
        self.kept().keys.put(person, key);
    }

    pub(super) fn forget(&self, persons: &HashSet<Uuid>) {
        let mut kept = self.kept();
        for person in persons {
            kept.keys.pop(person);
        }
    }

    pub(super) fn knows_all_as_of(&self, as_of: Instant) {
        self.kept().as_of = Some(as_of);
    }

    pub(super) fn clear(&self) {
        self.kept().keys.clear();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // The cache holds whole keys only, whatever happened to the lock's last holder.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
