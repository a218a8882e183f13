//! A quick hash for stream names, which the writer hashes several times an event.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

/// A map whose keys outsiders may choose: the seed is secret and new in each map.
pub(super) type QuickMap<K, V> = HashMap<K, V, QuickHash>;

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

#[derive(Debug, Clone)]
pub(super) struct QuickHash(u64);

impl Default for QuickHash {
    fn default() -> Self {
        Self(RandomState::new().hash_one(MULTIPLIER))
    }
}

impl BuildHasher for QuickHash {
    type Hasher = Folding;

    fn build_hasher(&self) -> Folding {
        Folding { state: self.0, seed: self.0 | 1 }
    }
}

/// Multiplies to twice the width and folds the halves, eight bytes at a time.
#[derive(Debug)]
pub(super) struct Folding {
    state: u64,
    seed: u64,
}

impl Folding {
    fn fold(&mut self, word: u64) {
        let wide = u128::from(self.state ^ word) * u128::from(self.seed ^ MULTIPLIER);
        self.state = (wide as u64) ^ ((wide >> 64) as u64).rotate_left(23) ^ word.rotate_left(41);
    }
}

impl Hasher for Folding {
    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            self.fold(u64::from_le_bytes(word.try_into().unwrap_or_default()));
        }
        let rest = words.remainder();
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.fold(u64::from_le_bytes(word));
        }
        self.fold(bytes.len() as u64);
    }

    fn write_u8(&mut self, value: u8) {
        self.fold(u64::from(value));
    }

    fn write_usize(&mut self, value: usize) {
        self.fold(value as u64);
    }

    fn write_isize(&mut self, value: isize) {
        self.fold(value as u64);
    }

    fn finish(&self) -> u64 {
        let wide = u128::from(self.state) * u128::from(self.seed.rotate_left(32) | 1);
        (wide as u64) ^ ((wide >> 64) as u64)
    }
}
