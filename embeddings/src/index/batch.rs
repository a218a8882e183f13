//! The nearest of many vectors at once: rows are read once for a whole chunk of them.

use std::ops::ControlFlow;

use super::dots::Dots;
use super::top::Top;
use super::{Near, VectorIndex};

/// Vectors whose nearest are sought together: with the rows of a block and their dot products they
/// fit the second-level cache.
const CHUNK: usize = 64;

/// Rows looked at for all of a chunk before the next.
const BLOCK_ROWS: usize = 128;

impl VectorIndex {
    /// For each of `ids` what [`Self::nearest_to`] says, several times as fast. `keep` is asked about
    /// pairs: of which vector, and which other.
    ///
    /// Whoever goes over a whole index in the background, while others change it, calls this with
    /// some hundreds of ids at a time and lets go of the index in between.
    #[must_use]
    pub fn nearest_to_each(
        &self,
        ids: &[u64],
        count: usize,
        keep: impl Fn(u64, u64) -> bool,
    ) -> Vec<Vec<Near>> {
        ids.chunks(CHUNK).flat_map(|chunk| self.chunk(chunk, count, &keep)).collect()
    }

    /// Gives `each` vector's id and its nearest, in order of ids, until it says to stop. `keep` is
    /// asked about pairs: of which vector, and which other.
    pub fn all_nearest<B>(
        &self,
        count: usize,
        keep: impl Fn(u64, u64) -> bool,
        mut each: impl FnMut(u64, Vec<Near>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut ids = self.ids.clone();
        ids.sort_unstable();
        for chunk in ids.chunks(CHUNK) {
            for (id, near) in chunk.iter().zip(self.chunk(chunk, count, &keep)) {
                each(*id, near)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn chunk(&self, ids: &[u64], count: usize, keep: &impl Fn(u64, u64) -> bool) -> Vec<Vec<Near>> {
        // One that does not exist is like a vector of zeros: nothing is near it.
        let places: Vec<Option<usize>> =
            ids.iter().map(|id| self.places.get(id).copied()).collect();
        let mut queries = vec![0i16; ids.len() * self.stride];
        for (query, place) in queries.chunks_exact_mut(self.stride).zip(&places) {
            for (to, from) in query.iter_mut().zip(place.map_or(&[][..], |at| self.row(at))) {
                *to = i16::from(*from);
            }
        }
        let scales: Vec<f32> =
            places.iter().map(|place| place.map_or(0.0, |at| self.scales[at])).collect();
        let mut tops: Vec<Top> = ids.iter().map(|_| Top::new(count, self.len())).collect();
        let mut dots = vec![0; ids.len() * BLOCK_ROWS];
        for (block, rows) in self.rows.chunks(BLOCK_ROWS * self.stride).enumerate() {
            let many = rows.len() / self.stride;
            let out = &mut dots[..ids.len() * many];
            Dots { queries: &queries, rows, stride: self.stride, out: &mut *out }.compute();
            let wanted = tops.iter_mut().zip(ids).zip(&scales).zip(out.chunks_exact(many));
            for (((top, id), scale), dots) in wanted {
                if *scale > 0.0 {
                    let keep = |other| other != *id && keep(*id, other);
                    self.offer(top, block * BLOCK_ROWS, *scale, dots, &keep);
                }
            }
        }
        tops.into_iter().map(Top::into_sorted).collect()
    }
}
