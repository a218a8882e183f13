//! Vectors of items from what was seen together: items that keep the same company are near.
//!
//! Mutual information of pairs (`ppmi`), and the first singular directions of it (`svd`).

pub(crate) mod baskets;
mod dense;
mod ppmi;
mod svd;

use crate::numbers::normalise;
use baskets::{Baskets, ppmi_of_counts};
use svd::Sparse;

/// How vectors are made of counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CoOccurrenceOptions {
    /// Length of every vector.
    pub dimensions: usize,
    /// How many times as often as chance has it a pair must be seen to count; 1 is the least.
    pub negatives: f32,
    /// Largest number of items of a basket that count as seen together; a longer one is dealt into
    /// several. At least 2.
    pub basket_max: usize,
    /// Of each item's neighbours, those seen most often are used.
    pub neighbours_max: usize,
    /// More make singular values that lie close together more exact.
    pub power_iterations: usize,
    pub seed: u64,
}

impl Default for CoOccurrenceOptions {
    fn default() -> Self {
        Self {
            dimensions: 128,
            negatives: 1.0,
            basket_max: 100,
            neighbours_max: 2_000,
            power_iterations: 2,
            seed: 1,
        }
    }
}

/// A vector for each item, numbered from 0.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemVectors {
    dimensions: usize,
    values: Vec<f32>,
}

impl ItemVectors {
    /// Of length 1, or all zeros for an item that was seen with no other more often than chance has
    /// it. `None` beyond the last item.
    #[must_use]
    pub fn get(&self, item: usize) -> Option<&[f32]> {
        let from = item.checked_mul(self.dimensions)?;
        self.values.get(from..)?.get(..self.dimensions)
    }

    pub(crate) fn into_values(self) -> Vec<f32> {
        self.values
    }

    pub(crate) fn of_matrix(matrix: &Sparse, options: &CoOccurrenceOptions) -> Self {
        let dimensions = options.dimensions.max(1);
        let svd::Factors { left, right } =
            svd::factorise(matrix, dimensions, options.power_iterations, options.seed);
        // The sum of an item as a row and as a column (Levy, Goldberg, Dagan 2015, 3.3): directions in
        // which items seen together are opposed, of which an empty diagonal makes many, cancel out.
        let mut values = left;
        values.iter_mut().zip(right).for_each(|(left, right)| *left += right);
        values.chunks_exact_mut(dimensions).for_each(|row| {
            normalise(row);
        });
        Self { dimensions, values }
    }
}

/// Vectors of `items` items from baskets of them: in each, every pair was seen together once. What is
/// not the number of an item is left out, and what is in a basket twice counts once.
///
/// The same baskets in the same order give the same vectors. Takes memory for all baskets, for at
/// most `neighbours_max` pairs of each item, and three times `dimensions` numbers for each item.
pub fn embed_baskets<B: AsRef<[u32]>>(
    items: usize,
    baskets: impl IntoIterator<Item = B>,
    options: &CoOccurrenceOptions,
) -> ItemVectors {
    let mut counted = Baskets::new(items);
    let mut entries = Vec::new();
    for basket in baskets {
        entries.clear();
        entries.extend(basket.as_ref().iter().map(|item| (*item, 1.0)));
        counted.add(&mut entries, options.basket_max);
    }
    ItemVectors::of_matrix(&counted.ppmi(options.negatives, options.neighbours_max), options)
}

/// Vectors of `items` items from counts of pairs, each pair in either direction; one given several
/// times counts for the sum. What is not a positive number for two different items is left out.
pub fn embed_counts(
    items: usize,
    counts: impl IntoIterator<Item = (u32, u32, f32)>,
    options: &CoOccurrenceOptions,
) -> ItemVectors {
    let matrix = ppmi_of_counts(items, counts, options.negatives, options.neighbours_max);
    ItemVectors::of_matrix(&matrix, options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::{Random, dot};

    /// Baskets of three to six things of one of `groups` kinds, ten things of each.
    fn grouped(groups: u32, count: usize) -> Vec<Vec<u32>> {
        let mut random = Random::new(11);
        (0..count)
            .map(|_| {
                let group = random.below(groups as usize) as u32;
                let length = 3 + random.below(4);
                (0..length).map(|_| group * 10 + random.below(10) as u32).collect()
            })
            .collect()
    }

    #[test]
    fn items_of_the_same_kind_are_near_and_others_are_not() {
        let options = CoOccurrenceOptions { dimensions: 16, ..CoOccurrenceOptions::default() };
        let vectors = embed_baskets(60, grouped(6, 2_000), &options);
        for a in 0..60 {
            for b in 0..a {
                let similarity = dot(vectors.get(a).unwrap(), vectors.get(b).unwrap());
                if a / 10 == b / 10 {
                    assert!(similarity > 0.6, "{a} {b}: {similarity}");
                } else {
                    assert!(similarity < 0.3, "{a} {b}: {similarity}");
                }
            }
        }
        assert!(vectors.get(60).is_none());
    }

    #[test]
    fn the_same_input_gives_the_same_bits() {
        let options = CoOccurrenceOptions::default();
        let make = || embed_baskets(40, grouped(4, 300), &options);
        let bits = |vectors: &ItemVectors| {
            vectors.values.iter().map(|value| value.to_bits()).collect::<Vec<_>>()
        };
        assert_eq!(bits(&make()), bits(&make()));
        let seeded = CoOccurrenceOptions { seed: 2, ..options };
        assert_ne!(make(), embed_baskets(40, grouped(4, 300), &seeded));
    }

    #[test]
    fn little_or_nothing_to_learn_from_is_no_error() {
        let options = CoOccurrenceOptions::default();
        let none: [&[u32]; 0] = [];
        assert!(embed_baskets(0, none, &options).get(0).is_none());
        let vectors = embed_baskets(3, [&[0, 1][..], &[2], &[]], &options);
        let length = |item| dot(vectors.get(item).unwrap(), vectors.get(item).unwrap());
        assert!((length(0) - 1.0).abs() < 1e-5 && (length(1) - 1.0).abs() < 1e-5);
        assert_eq!(length(2), 0.0);
        assert_eq!(vectors.get(2).unwrap().len(), 128);
        let counts = embed_counts(3, [(0, 1, 1.0)], &options);
        assert_eq!(counts, vectors);
        let flat = CoOccurrenceOptions { dimensions: 0, basket_max: 0, ..options };
        assert_eq!(embed_counts(2, [(0, 1, 2.0)], &flat).get(1).unwrap().len(), 1);
    }

    /// A basket of everything says nothing of what belongs together, and must not take for ever.
    #[test]
    fn a_huge_basket_neither_drowns_the_rest_nor_explodes() {
        let options = CoOccurrenceOptions { dimensions: 16, ..CoOccurrenceOptions::default() };
        let mut baskets = grouped(6, 2_000);
        baskets.push((0..6_000).collect());
        let vectors = embed_baskets(6_000, &baskets, &options);
        let similarity = |a, b| dot(vectors.get(a).unwrap(), vectors.get(b).unwrap());
        assert!(similarity(0, 1) > similarity(0, 11) + 0.2, "{}", similarity(0, 1));
    }
}
