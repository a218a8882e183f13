//! Vectors of what was asked lately, so that the same question is not embedded twice.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;

const QUERIES_MAX: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");

/// Longer texts are embedded each time: nobody types them twice, and they must not fill memory.
const TEXT_BYTES_MAX: usize = 1_000;

/// A vector, and the id of the model that made it.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) model: Arc<str>,
    pub(super) vector: Arc<[f32]>,
}

pub(super) struct Queries(Mutex<LruCache<Box<str>, Query>>);

impl Queries {
    pub(super) fn new() -> Self {
        Self(Mutex::new(LruCache::new(QUERIES_MAX)))
    }

    /// The vector of a text by a model; one by another model is none.
    pub(super) fn get(&self, model: &str, text: &str) -> Option<Query> {
        let mut queries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queries.get(text).filter(|query| &*query.model == model).cloned()
    }

    pub(super) fn put(&self, text: &str, query: Query) {
        if text.len() <= TEXT_BYTES_MAX {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).put(text.into(), query);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_used_is_dropped_and_nothing_long_is_kept() {
        let queries = Queries::new();
        let query = Query { model: "m".into(), vector: Arc::new([1.0]) };
        for number in 0..=QUERIES_MAX.get() {
            queries.put(&number.to_string(), query.clone());
            let _ = queries.get("m", "0");
        }
        assert!(queries.get("m", "0").is_some() && queries.get("m", "1").is_none());
        assert!(queries.get("other", "0").is_none());
        queries.put(&"x".repeat(TEXT_BYTES_MAX + 1), query);
        assert!(queries.get("m", &"x".repeat(TEXT_BYTES_MAX + 1)).is_none());
    }
}
