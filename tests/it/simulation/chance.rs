//! Where every random choice of a run comes from: one seed, one stream of numbers.

use std::sync::{Arc, Mutex, PoisonError};

/// A seeded source of choices; clones draw from the same stream.
#[derive(Clone)]
pub(crate) struct Chance(Arc<Mutex<u64>>);

impl Chance {
    pub(crate) fn of(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(seed ^ 0x5851_F42D_4C95_7F2D)))
    }

    /// SplitMix64: every state is followed by another, so no seed is a bad one.
    pub(crate) fn number(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// 0 to `end` − 1; 0 if `end` is 0.
    pub(crate) fn below(&self, end: u64) -> u64 {
        self.number() % end.max(1)
    }

    /// `low` to `high`, both included.
    pub(crate) fn within(&self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True so many times in a million.
    pub(crate) fn per_million(&self, times: u64) -> bool {
        times > 0 && self.below(1_000_000) < times
    }

    pub(crate) fn percent(&self, times: u64) -> bool {
        self.below(100) < times
    }

    pub(crate) fn one_of<T: Clone>(&self, things: &[T]) -> Option<T> {
        let index = usize::try_from(self.below(things.len() as u64)).unwrap_or(0);
        things.get(index).cloned()
    }
}
