//! Vectors by number, and which of them are near: an exact scan over all of them, in 8-bit numbers.
//!
//! 100,000 vectors of 128 dimensions take 14 MB and a millisecond or so; nothing is approximate but
//! the values themselves (`quantise`).

use std::collections::HashMap;

use crate::FileError;

mod batch;
mod dots;
mod quantise;
mod saved;
mod top;

#[cfg(test)]
mod tests;

use dots::Dots;
use quantise::LANES;
use top::Top;

pub use top::Near;

/// Most dimensions of an index: dot products are summed in 32 bits.
pub const DIMENSIONS_MAX: usize = 16_384;

/// Rows whose dot products are computed before any is looked at: they fit the first-level cache.
const BLOCK_ROWS: usize = 256;

#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error("vector: has {found} dimensions; the index has {expected}")]
    Dimensions { expected: usize, found: usize },
    #[error("vector: value {at} is not a finite number")]
    NotFinite { at: usize },
    #[error("dimensions: {0}; at least 1 and at most {DIMENSIONS_MAX}")]
    Unsupported(usize),
    /// Its vectors must not be compared with those of the model asked for.
    #[error("{path}: holds vectors of {found}, not of {expected}")]
    OtherModel { path: String, found: String, expected: String },
    #[error(transparent)]
    File(#[from] FileError),
}

/// Vectors of one model, each under a number.
///
/// Similarity is the cosine; only a vector's direction is kept. A vector of zeros has none: it is
/// kept, and nothing is near it. Answers are the same on every machine and do not depend on the
/// order in which vectors came; of vectors equally near, that with the lower id is first.
#[derive(Clone)]
pub struct VectorIndex {
    model: String,
    dimensions: usize,
    /// Dimensions and padding.
    stride: usize,
    ids: Vec<u64>,
    scales: Vec<f32>,
    rows: Vec<i8>,
    places: HashMap<u64, usize>,
}

impl VectorIndex {
    /// An empty index; `model` is the id of the embedder whose vectors it is for.
    ///
    /// # Errors
    /// `Unsupported` number of dimensions.
    pub fn new(model: &str, dimensions: usize) -> Result<Self, IndexError> {
        if dimensions == 0 || dimensions > DIMENSIONS_MAX {
            return Err(IndexError::Unsupported(dimensions));
        }
        Ok(Self {
            model: model.to_owned(),
            dimensions,
            stride: dimensions.next_multiple_of(LANES),
            ids: Vec::new(),
            scales: Vec::new(),
            rows: Vec::new(),
            places: HashMap::new(),
        })
    }

    /// Id of the embedder whose vectors these are.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    #[must_use]
    pub fn contains(&self, id: u64) -> bool {
        self.places.contains_key(&id)
    }

    /// In no particular order.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = u64> + '_ {
        self.ids.iter().copied()
    }

    /// Memory taken, in bytes, as far as it grows with the number of vectors.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        // A place in the map is an id, a number and a byte of the map's own, at most 8/7 of them used.
        self.rows.capacity()
            + self.ids.capacity() * 8
            + self.scales.capacity() * 4
            + self.places.capacity() * 17 * 8 / 7
    }

    /// Puts a vector under an id, in place of what was there.
    ///
    /// # Errors
    /// `Dimensions`, `NotFinite`; the index is then as it was.
    pub fn insert(&mut self, id: u64, vector: &[f32]) -> Result<(), IndexError> {
        self.check(vector)?;
        let at = match self.places.get(&id) {
            Some(at) => *at,
            None => {
                self.places.insert(id, self.ids.len());
                self.ids.push(id);
                self.scales.push(0.0);
                self.rows.resize(self.rows.len() + self.stride, 0);
                self.ids.len() - 1
            }
        };
        let row = &mut self.rows[at * self.stride..][..self.stride];
        self.scales[at] = quantise::to_i8(vector, row);
        Ok(())
    }

    /// Whether there was one.
    pub fn remove(&mut self, id: u64) -> bool {
        let Some(at) = self.places.remove(&id) else { return false };
        let last = self.ids.len() - 1;
        self.ids.swap_remove(at);
        self.scales.swap_remove(at);
        self.rows.copy_within(last * self.stride.., at * self.stride);
        self.rows.truncate(last * self.stride);
        if let Some(moved) = self.ids.get(at) {
            self.places.insert(*moved, at);
        }
        true
    }

    /// The vector under an id, with length 1 (or 0), as exact as it is kept.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<Vec<f32>> {
        let at = *self.places.get(&id)?;
        let values = &self.row(at)[..self.dimensions];
        Some(values.iter().map(|value| f32::from(*value) * self.scales[at]).collect())
    }

    /// The `count` nearest to `vector` among those that `keep` says yes to, nearest first. `keep` is
    /// asked only about those that are near enough.
    ///
    /// # Errors
    /// `Dimensions`, `NotFinite`.
    pub fn nearest(
        &self,
        vector: &[f32],
        count: usize,
        keep: impl Fn(u64) -> bool,
    ) -> Result<Vec<Near>, IndexError> {
        self.check(vector)?;
        let mut query = vec![0; self.stride];
        let scale = quantise::to_i16(vector, &mut query);
        Ok(self.scan(&query, scale, count, keep))
    }

    /// The `count` nearest to the vector under `id`, without itself; none if there is no such vector.
    #[must_use]
    pub fn nearest_to(&self, id: u64, count: usize, keep: impl Fn(u64) -> bool) -> Vec<Near> {
        let Some(at) = self.places.get(&id) else { return Vec::new() };
        let query: Vec<i16> = self.row(*at).iter().map(|value| i16::from(*value)).collect();
        self.scan(&query, self.scales[*at], count, |other| other != id && keep(other))
    }

    fn scan(
        &self,
        query: &[i16],
        scale: f32,
        count: usize,
        keep: impl Fn(u64) -> bool,
    ) -> Vec<Near> {
        let mut top = Top::new(count, self.len());
        if scale == 0.0 {
            return Vec::new();
        }
        let mut dots = [0; BLOCK_ROWS];
        for (block, rows) in self.rows.chunks(BLOCK_ROWS * self.stride).enumerate() {
            let out = &mut dots[..rows.len() / self.stride];
            Dots { queries: query, rows, stride: self.stride, out: &mut *out }.compute();
            self.offer(&mut top, block * BLOCK_ROWS, scale, out, &keep);
        }
        top.into_sorted()
    }

    /// Offers the rows from `first` on, whose dot products with a query of this scale are `dots`.
    fn offer(
        &self,
        top: &mut Top,
        first: usize,
        scale: f32,
        dots: &[i32],
        keep: &impl Fn(u64) -> bool,
    ) {
        let of = first..first + dots.len();
        for ((at, dot), of_row) in (first..).zip(dots).zip(&self.scales[of]) {
            let similarity = *dot as f32 * scale * of_row;
            if top.may_enter(similarity) && *of_row > 0.0 {
                let similarity = similarity.clamp(-1.0, 1.0);
                top.offer(Near { id: self.ids[at], similarity }, keep);
            }
        }
    }

    fn row(&self, at: usize) -> &[i8] {
        &self.rows[at * self.stride..][..self.stride]
    }

    fn check(&self, vector: &[f32]) -> Result<(), IndexError> {
        if vector.len() != self.dimensions {
            let (expected, found) = (self.dimensions, vector.len());
            return Err(IndexError::Dimensions { expected, found });
        }
        match vector.iter().position(|value| !value.is_finite()) {
            Some(at) => Err(IndexError::NotFinite { at }),
            None => Ok(()),
        }
    }
}
