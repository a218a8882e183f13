//! Rows kept in memory between batches: two generations, the older one thrown away whole.
//!
//! An ordered map instead of a linked list, because keys only promise an order; a row that is
//! used again moves to the young generation, so what is hot stays.

use std::collections::BTreeMap;

#[derive(Debug)]
pub(crate) struct RowCache<K, R> {
    young: BTreeMap<K, Option<R>>,
    old: BTreeMap<K, Option<R>>,
    generation_max: usize,
}

impl<K: Ord, R> RowCache<K, R> {
    pub(crate) fn new(rows_max: usize) -> Self {
        Self { young: BTreeMap::new(), old: BTreeMap::new(), generation_max: rows_max / 2 }
    }

    /// Takes a row out; the inner `None` is a row known to be missing.
    pub(crate) fn take(&mut self, key: &K) -> Option<Option<R>> {
        self.young.remove(key).or_else(|| self.old.remove(key))
    }

    /// Whether [`Self::take`] has an answer.
    pub(crate) fn knows(&self, key: &K) -> bool {
        self.young.contains_key(key) || self.old.contains_key(key)
    }

    pub(crate) fn put(&mut self, key: K, row: Option<R>) {
        if self.generation_max == 0 {
            return;
        }
        if self.young.len() >= self.generation_max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, row);
    }

    pub(crate) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_hot_rows_stay() {
        let mut cache = RowCache::new(100);
        for key in 0..1_000 {
            cache.put(key, Some(key));
            if let Some(row) = cache.take(&0) {
                cache.put(0, row);
            }
        }
        assert!(cache.young.len() + cache.old.len() <= 100);
        assert_eq!(cache.take(&0), Some(Some(0)));
        assert_eq!(cache.take(&500), None);
    }
}
