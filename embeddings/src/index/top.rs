//! The best few of many, with a heap that never holds more.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A vector near another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Near {
    pub id: u64,
    /// Cosine, -1 to 1.
    pub similarity: f32,
}

/// Ordered by how bad it is, so that the worst is on top of the heap. What is equally similar is
/// the worse the higher its id.
struct Kept(Near);

impl Ord for Kept {
    fn cmp(&self, other: &Self) -> Ordering {
        let similarity = other.0.similarity.total_cmp(&self.0.similarity);
        similarity.then(self.0.id.cmp(&other.0.id))
    }
}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Kept {}

pub(super) struct Top {
    count: usize,
    heap: BinaryHeap<Kept>,
    /// Similarity of the worst, once there are as many as wanted: what is below need not be looked at.
    floor: f32,
}

impl Top {
    /// `of` are there to choose from.
    pub(super) fn new(count: usize, of: usize) -> Self {
        let count = count.min(of);
        let floor = if count == 0 { f32::INFINITY } else { f32::NEG_INFINITY };
        Self { count, heap: BinaryHeap::with_capacity(count), floor }
    }

    #[inline(always)]
    pub(super) fn may_enter(&self, similarity: f32) -> bool {
        similarity >= self.floor
    }

    /// Asks `keep` only about what is good enough.
    pub(super) fn offer(&mut self, near: Near, keep: impl FnOnce(u64) -> bool) {
        let full = self.heap.len() >= self.count;
        if full && self.heap.peek().is_none_or(|worst| *worst <= Kept(near)) || !keep(near.id) {
            return;
        }
        if full {
            self.heap.pop();
        }
        self.heap.push(Kept(near));
        if self.heap.len() == self.count {
            self.floor = self.heap.peek().map_or(f32::INFINITY, |worst| worst.0.similarity);
        }
    }

    /// Nearest first.
    pub(super) fn into_sorted(self) -> Vec<Near> {
        self.heap.into_sorted_vec().into_iter().map(|kept| kept.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn is_what_sorting_all_of_them_gives(
            similarities in prop::collection::vec(-3i8..3, 0..60),
            count in 0usize..70,
            apart in 1u64..5,
        ) {
            let all: Vec<Near> = (0..)
                .zip(&similarities)
                .map(|(id, step)| Near { id: id * 7 % 61, similarity: f32::from(*step) / 3.0 })
                .collect();
            let keep = |id: u64| id.is_multiple_of(apart);
            let mut top = Top::new(count, all.len());
            for near in &all {
                if top.may_enter(near.similarity) {
                    top.offer(*near, keep);
                }
            }
            let mut wanted: Vec<Near> = all.into_iter().filter(|near| keep(near.id)).collect();
            wanted.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.id.cmp(&b.id)));
            wanted.truncate(count);
            prop_assert_eq!(top.into_sorted(), wanted);
        }
    }
}
