//! Vectors of what was asked lately, so that the same question is not embedded twice.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;

const QUERIES_MAX: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");

/// Longer texts are embedded each time: nobody types them twice, and they must not fill memory.
const TEXT_BYTES_MAX: usize = 1_000;

pub(super) struct Queries(Mutex<LruCache<Box<str>, Arc<[f32]>>>);

impl Queries {
    pub(super) fn new() -> Self {
        Self(Mutex::new(LruCache::new(QUERIES_MAX)))
    }

    pub(super) fn get(&self, text: &str) -> Option<Arc<[f32]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(text).cloned()
    }

    pub(super) fn put(&self, text: &str, vector: Arc<[f32]>) {
        if text.len() <= TEXT_BYTES_MAX {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).put(text.into(), vector);
        }
    }

    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_used_is_dropped_and_nothing_long_is_kept() {
        let queries = Queries::new();
        let vector: Arc<[f32]> = Arc::new([1.0]);
        for number in 0..=QUERIES_MAX.get() {
            queries.put(&number.to_string(), Arc::clone(&vector));
            let _ = queries.get("0");
        }
        assert!(queries.get("0").is_some() && queries.get("1").is_none());
        queries.put(&"x".repeat(TEXT_BYTES_MAX + 1), vector);
        assert!(queries.get(&"x".repeat(TEXT_BYTES_MAX + 1)).is_none());
        queries.clear();
        assert!(queries.get("0").is_none());
    }
}
