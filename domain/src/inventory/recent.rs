//! What happened of late, so that a repeat of it is recognised at a bounded cost.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The latest [`Recent::MAX`] entries in the order they happened. A repeat that comes after more
/// than that many others is not recognised here; the command's own id still guards against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Recent<K, V> {
    entries: VecDeque<(K, V)>,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self { entries: VecDeque::new() }
    }
}

impl<K: PartialEq, V> Recent<K, V> {
    pub const MAX: usize = 256;

    /// The latest value remembered for `key`.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.entries.iter().rev().find_map(|(known, value)| (known == key).then_some(value))
    }

    pub(super) fn remember(&mut self, key: K, value: V) {
        if self.entries.len() >= Self::MAX {
            self.entries.pop_front();
        }
        self.entries.push_back((key, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_remembered_and_the_oldest_forgotten() {
        let mut recent = Recent::default();
        for n in 0..300_u32 {
            recent.remember(n, n * 2);
        }
        assert_eq!(recent.get(&299), Some(&598));
        assert_eq!(recent.get(&44), Some(&88));
        assert_eq!(recent.get(&43), None);
        assert_eq!(recent.entries.len(), Recent::<u32, u32>::MAX);
    }
}
