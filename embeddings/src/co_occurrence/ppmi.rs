//! Shifted positive pointwise mutual information with a smoothed context distribution (Levy,
//! Goldberg, Dagan, "Improving distributional similarity with lessons learned from word embeddings",
//! 2015; Levy, Goldberg, "Neural word embedding as implicit matrix factorization", 2014).

use super::svd::Sparse;
use crate::numbers::ln;

/// How often each item was seen with any other.
pub(super) struct Margins {
    pub(super) sums: Vec<f64>,
    /// To the power of three quarters: makes rare contexts less telling than they seem.
    pub(super) smoothed: Vec<f64>,
    /// Sum of `smoothed`.
    pub(super) total: f64,
}

/// Takes rows of counts and keeps what is more than chance.
pub(super) struct Ppmi {
    pub(super) matrix: Sparse,
    margins: Margins,
    negatives: f64,
    neighbours_max: usize,
}

impl Ppmi {
    pub(super) fn new(margins: Margins, negatives: f32, neighbours_max: usize) -> Self {
        let negatives = f64::from(if negatives >= 1.0 { negatives } else { 1.0 });
        Self { matrix: Sparse::default(), margins, negatives, neighbours_max }
    }

    /// Adds the next item's row: with which others it was seen, and how often. Empties it.
    pub(super) fn add_row(&mut self, counts: &mut Vec<(u32, f32)>) {
        let item = self.matrix.ends.len();
        if counts.len() > self.neighbours_max {
            counts.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            counts.truncate(self.neighbours_max);
        }
        counts.sort_unstable_by_key(|entry| entry.0);
        for (other, count) in counts.drain(..) {
            let chance = self.margins.sums[item] * self.margins.smoothed[other as usize];
            let more = f64::from(count) * self.margins.total / (chance * self.negatives);
            if more > 1.0 && more.is_finite() {
                self.matrix.columns.push(other);
                self.matrix.values.push(ln(more) as f32);
            }
        }
        self.matrix.ends.push(self.matrix.columns.len());
    }
}

#[cfg(test)]
mod tests {
    use super::super::baskets::ppmi_of_counts;

    #[test]
    fn is_what_the_formula_says() {
        // 0 and 1 were seen together 6 times, 1 and 2 twice.
        let counts = [(0, 1, 4.0), (1, 2, 2.0), (1, 0, 2.0)];
        let (sums, total) = ([6f64, 8.0, 2.0], 16.0);
        let smoothed: Vec<f64> = sums.iter().map(|sum| sum.powf(0.75)).collect();
        let all: f64 = smoothed.iter().sum();
        let pmi = |item: usize, other: usize, count: f64| {
            let (joint, own) = (count / total, sums[item] / total);
            (joint / (own * (smoothed[other] / all))).ln() as f32
        };
        let matrix = ppmi_of_counts(3, counts, 1.0, 100);
        let rows: Vec<Vec<(usize, f32)>> = (0..3).map(|at| matrix.row(at).collect()).collect();
        let wanted = [
            vec![(1, pmi(0, 1, 6.0))],
            vec![(0, pmi(1, 0, 6.0)), (2, pmi(1, 2, 2.0))],
            vec![(1, pmi(2, 1, 2.0))],
        ];
        for (row, wanted) in rows.iter().zip(&wanted) {
            assert_eq!(row.len(), wanted.len(), "{rows:?}");
            for (found, wanted) in row.iter().zip(wanted) {
                assert!(found.0 == wanted.0 && (found.1 - wanted.1).abs() < 1e-6, "{rows:?}");
            }
        }

        // With a shift by ln 2, what is less than twice as often as chance has it is gone.
        let shifted = ppmi_of_counts(3, counts, 2.0, 100);
        let left: Vec<f32> = wanted.iter().flatten().map(|entry| entry.1 - 2f32.ln()).collect();
        let left: Vec<f32> = left.into_iter().filter(|value| *value > 0.0).collect();
        assert_eq!(shifted.values.len(), left.len());
        assert!(shifted.values.iter().zip(&left).all(|(a, b)| (a - b).abs() < 1e-6));

        // Of many neighbours those seen most often stay.
        let few = ppmi_of_counts(3, counts, 1.0, 1);
        assert_eq!(few.row(1).map(|entry| entry.0).collect::<Vec<_>>(), [0]);
    }
}
