//! What was seen together, and how often: counted row by row, so that the counts of all pairs are
//! never in memory at once.

use crate::numbers::{Random, pow_three_quarters};

use super::ppmi::{Margins, Ppmi};
use super::svd::Sparse;

/// Baskets one behind the other, each a list of different items and their weights.
#[derive(Default)]
pub(crate) struct Baskets {
    items: usize,
    ends: Vec<usize>,
    entries: Vec<(u32, f32)>,
    /// Of each basket: what each of its pairs counts for.
    counts_for: Vec<f32>,
    /// Of each basket: the sum of weights of the whole basket that it is a part of.
    totals: Vec<f64>,
}

impl Baskets {
    pub(crate) fn new(items: usize) -> Self {
        Self { items, ..Self::default() }
    }

    /// Takes in a basket, in which a pair counts for the product of its items' weights. An item that
    /// is in it more than once has the largest of its weights; items out of range and weights that
    /// are not positive numbers are left out.
    ///
    /// One of more than `most` items is dealt, by a shuffle that depends on nothing but its place,
    /// into several of at most as many: work grows with the length of a basket and not with its
    /// square. How often its items were seen at all is counted as if all its pairs were, so that
    /// those which are have the mutual information they would have: the longer, the less.
    pub(crate) fn add(&mut self, basket: &mut Vec<(u32, f32)>, most: usize) {
        basket.retain(|(item, weight)| {
            (*item as usize) < self.items && weight.is_finite() && *weight > 0.0
        });
        basket.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        basket.dedup_by_key(|(item, _)| *item);
        let parts = basket.len().div_ceil(most.max(2));
        if parts > 1 {
            Random::new(self.ends.len() as u64).shuffle(basket);
        }
        let total = sum_of_weights(basket);
        let end = |part| basket.len() * part / parts;
        for part in (0..parts).map(|part| &basket[end(part)..end(part + 1)]) {
            self.push(part, total);
        }
    }

    /// Adds different items, part of a basket of this sum of weights.
    pub(crate) fn push(&mut self, part: &[(u32, f32)], total: f64) {
        if part.len() > 1 {
            self.entries.extend_from_slice(part);
            self.ends.push(self.entries.len());
            self.counts_for.push(1.0);
            self.totals.push(total);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    fn basket(&self, at: usize) -> &[(u32, f32)] {
        let from = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.entries[from..self.ends[at]]
    }

    /// Makes baskets from the `first` on, which are sums of some before it, count only for what is not
    /// within one of those: `within` tells each of those and how often it is part of such a sum. All
    /// pairs left count for `share` of what those before `first` do, and none for more than it did.
    pub(crate) fn only_across(&mut self, first: usize, within: &[(usize, u32)], share: f64) {
        let share = share.max(0.0);
        let weight = |at: usize| pair_weight(self.basket(at));
        let before: f64 = (0..first).map(weight).sum();
        let sums: f64 = (first..self.len()).map(weight).sum();
        let inner: f64 = within.iter().map(|(at, times)| weight(*at) * f64::from(*times)).sum();
        let across = sums - inner;
        let factor = if across > 0.0 { (share * before / across).min(1.0) } else { 0.0 } as f32;
        self.counts_for[first..].fill(factor);
        for (at, times) in within {
            self.counts_for[*at] -= factor * *times as f32;
        }
    }

    /// The shifted positive mutual information of all pairs.
    pub(crate) fn ppmi(&self, negatives: f32, neighbours_max: usize) -> Sparse {
        let mut sums = vec![0f64; self.items];
        let mut of_item: Vec<Vec<u32>> = vec![Vec::new(); self.items];
        for at in 0..self.len() {
            let total = self.totals[at];
            for (item, weight) in self.basket(at) {
                let weight = f64::from(*weight);
                sums[*item as usize] += f64::from(self.counts_for[at]) * weight * (total - weight);
                of_item[*item as usize].push(at as u32);
            }
        }
        let mut ppmi = Ppmi::new(Margins::new(&sums), negatives, neighbours_max);
        let mut counts = vec![0f32; self.items];
        let mut row = Vec::new();
        for (item, baskets) in of_item.iter().enumerate() {
            for at in baskets {
                let basket = self.basket(*at as usize);
                let own = basket.iter().find(|entry| entry.0 as usize == item);
                let factor = own.map_or(0.0, |entry| entry.1) * self.counts_for[*at as usize];
                if factor == 0.0 {
                    continue;
                }
                for (other, weight) in basket {
                    let count = &mut counts[*other as usize];
                    if *count == 0.0 {
                        row.push((*other, 0.0));
                    }
                    *count += factor * weight;
                }
            }
            for (other, count) in &mut row {
                *count = std::mem::take(&mut counts[*other as usize]);
            }
            row.retain(|(other, _)| *other as usize != item);
            ppmi.add_row(&mut row);
        }
        ppmi.matrix
    }
}

/// All pairs of a basket, each in both directions.
fn pair_weight(basket: &[(u32, f32)]) -> f64 {
    let total = sum_of_weights(basket);
    basket.iter().map(|(_, weight)| f64::from(*weight) * (total - f64::from(*weight))).sum()
}

fn sum_of_weights(basket: &[(u32, f32)]) -> f64 {
    basket.iter().map(|(_, weight)| f64::from(*weight)).sum()
}

/// As [`Baskets::ppmi`], of counts given for pairs; a pair given twice counts for the sum.
pub(super) fn ppmi_of_counts(
    items: usize,
    counts: impl IntoIterator<Item = (u32, u32, f32)>,
    negatives: f32,
    neighbours_max: usize,
) -> Sparse {
    let mut both: Vec<(u32, u32, f32)> = Vec::new();
    for (a, b, count) in counts {
        let fits = a != b && (a as usize) < items && (b as usize) < items;
        if fits && count.is_finite() && count > 0.0 {
            both.extend([(a, b, count), (b, a, count)]);
        }
    }
    // Also by count, so that sums do not depend on the order in which pairs came.
    both.sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
    both.dedup_by(|next, kept| {
        let same = (next.0, next.1) == (kept.0, kept.1);
        kept.2 += if same { next.2 } else { 0.0 };
        same
    });
    let mut sums = vec![0f64; items];
    both.iter().for_each(|(a, _, count)| sums[*a as usize] += f64::from(*count));
    let mut ppmi = Ppmi::new(Margins::new(&sums), negatives, neighbours_max);
    let mut rest = both.as_slice();
    for item in 0..items {
        let (row, after) = rest.split_at(rest.partition_point(|entry| entry.0 as usize <= item));
        rest = after;
        ppmi.add_row(&mut row.iter().map(|(_, other, count)| (*other, *count)).collect());
    }
    ppmi.matrix
}

impl Margins {
    fn new(sums: &[f64]) -> Self {
        // What was counted and taken away again may have left a rounding error.
        let sums: Vec<f64> = sums.iter().map(|sum| sum.max(0.0)).collect();
        let smoothed: Vec<f64> = sums.iter().map(|sum| pow_three_quarters(*sum)).collect();
        let total = smoothed.iter().sum();
        Self { sums, smoothed, total }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(matrix: &Sparse) -> Vec<Vec<(usize, f32)>> {
        (0..matrix.ends.len()).map(|at| matrix.row(at).collect()).collect()
    }

    proptest! {
        #[test]
        fn counting_baskets_is_counting_their_pairs(
            baskets in prop::collection::vec(prop::collection::vec(0u32..9, 0..7), 0..20)
        ) {
            let mut counted = Baskets::new(8);
            let mut pairs = Vec::new();
            for basket in &baskets {
                counted.add(&mut basket.iter().map(|item| (*item, 1.0)).collect(), 100);
                let distinct: std::collections::BTreeSet<u32> = basket.iter().copied().collect();
                for a in &distinct {
                    pairs.extend(distinct.iter().filter(|b| a < b).map(|b| (*a, *b, 1.0)));
                }
            }
            let by_pairs = ppmi_of_counts(8, pairs, 1.0, 100);
            prop_assert_eq!(rows(&counted.ppmi(1.0, 100)), rows(&by_pairs));
        }

        #[test]
        fn a_long_basket_is_dealt_out_whole(length in 0u32..500, most in 0usize..40) {
            let mut baskets = Baskets::new(1_000);
            baskets.add(&mut (0..length).map(|item| (item, 1.0)).collect(), most);
            let mut seen: Vec<u32> = baskets.entries.iter().map(|entry| entry.0).collect();
            seen.sort_unstable();
            let most = most.max(2);
            for at in 0..baskets.len() {
                prop_assert!((2..=most).contains(&baskets.basket(at).len()));
            }
            // Alone, an item was seen together with nothing.
            let alone = usize::try_from(length).unwrap() - seen.len();
            prop_assert!(alone <= usize::from(length == 1 || most == 2), "{alone}");
        }
    }

    #[test]
    fn of_a_sum_only_pairs_across_count_and_for_no_more_than_their_share() {
        let mut baskets = Baskets::new(4);
        baskets.add(&mut vec![(0, 1.0), (1, 1.0)], 100);
        baskets.add(&mut vec![(2, 1.0), (3, 1.0)], 100);
        baskets.push(&[(0, 1.0), (1, 1.0), (2, 1.0), (3, 1.0)], 4.0);
        baskets.only_across(2, &[(0, 1), (1, 1)], 0.5);
        // Four pairs within, counted in both directions; eight across.
        assert_eq!(baskets.counts_for, [0.75, 0.75, 0.25]);
        let across = |a, b| (a, b, 0.25);
        let counts = [across(0, 2), across(0, 3), across(1, 2), across(1, 3)];
        let wanted = ppmi_of_counts(4, [&counts[..], &[(0, 1, 1.0), (2, 3, 1.0)]].concat(), 1.0, 9);
        assert_eq!(rows(&baskets.ppmi(1.0, 9)), rows(&wanted));
        baskets.only_across(2, &[(0, 1), (1, 1)], 1_000.0);
        assert_eq!(baskets.counts_for[2], 1.0);
    }

    #[test]
    fn what_makes_no_sense_is_left_out() {
        let mut baskets = Baskets::new(3);
        let wrong = [(0, f32::NAN), (1, -1.0), (2, 1.0), (3, 1.0), (2, 4.0), (0, 2.0)];
        baskets.add(&mut wrong.to_vec(), 100);
        assert_eq!(baskets.basket(0), [(0, 2.0), (2, 4.0)]);
        let counts = [(0, 0, 5.0), (0, 3, 1.0), (0, 1, f32::INFINITY), (1, 2, 0.0)];
        assert!(ppmi_of_counts(3, counts, 1.0, 100).values.is_empty());
    }
}
