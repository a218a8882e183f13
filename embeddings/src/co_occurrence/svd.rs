//! The largest singular values of a sparse matrix and their left vectors, by random projection
//! (Halko, Martinsson, Tropp, "Finding structure with randomness", 2011, algorithms 4.4 and 5.1).

use super::dense::{Dense, eigen};
use crate::numbers::{self, Inline, Random, add_scaled};

/// A square matrix of which few values are not zero: row by row, columns ascending.
#[derive(Default)]
pub(crate) struct Sparse {
    /// Where each row ends in `columns` and `values`.
    pub(super) ends: Vec<usize>,
    pub(super) columns: Vec<u32>,
    pub(super) values: Vec<f32>,
}

/// Directions beyond those wanted, which make those wanted more exact.
const OVERSAMPLING: usize = 10;

/// A singular value this much smaller than the largest is a rounding error.
const NOTHING: f64 = 1e-5;

/// `M = U S Vt`, cut off after the first `dimensions` singular values: a row of `dimensions` values for
/// each row and column of the matrix, zeros beyond its rank.
pub(super) struct Factors {
    /// `U sqrt(S)`.
    pub(super) left: Vec<f32>,
    /// `V sqrt(S)`.
    pub(super) right: Vec<f32>,
}

pub(super) fn factorise(
    matrix: &Sparse,
    dimensions: usize,
    power_iterations: usize,
    seed: u64,
) -> Factors {
    let size = matrix.ends.len();
    let width = (dimensions + OVERSAMPLING).min(size);
    let mut random = Random::new(seed);
    let mut projection = Dense::zeros(size, width);
    for row in projection.values.chunks_exact_mut(projection.stride.max(1)) {
        row[..width].fill_with(|| random.signed());
    }
    let mut range = matrix.times(&projection);
    range.orthonormalise();
    for _ in 0..power_iterations {
        let mut back = matrix.transposed_times(&range);
        back.orthonormalise();
        range = matrix.times(&back);
        range.orthonormalise();
    }
    // The small matrix is B = Qt M; the eigenvalues of B Bt are the squares of its singular values,
    // its eigenvectors W turn Q into U, and Mt Q into V S.
    let back = matrix.transposed_times(&range);
    let pairs = eigen(back.gram(), width);
    let singular = |value: f64| value.max(0.0).sqrt();
    let floor = pairs.first().map_or(0.0, |(largest, _)| singular(*largest) * NOTHING);
    let mut to_left = Dense::zeros(width, dimensions);
    let mut to_right = Dense::zeros(width, dimensions);
    for (at, (value, vector)) in pairs.iter().take(dimensions).enumerate() {
        let root = singular(*value).sqrt();
        if singular(*value) > floor {
            for (row, value) in vector.iter().enumerate() {
                to_left.values[row * to_left.stride + at] = (value * root) as f32;
                to_right.values[row * to_right.stride + at] = (value / root) as f32;
            }
        }
    }
    Factors { left: range.turned(&to_left), right: back.turned(&to_right) }
}

impl Sparse {
    pub(super) fn row(&self, at: usize) -> impl Iterator<Item = (usize, f32)> {
        let from = if at == 0 { 0 } else { self.ends[at - 1] };
        let range = from..self.ends[at];
        let columns = self.columns[range.clone()].iter().map(|column| *column as usize);
        columns.zip(self.values[range].iter().copied())
    }

    fn times(&self, dense: &Dense) -> Dense {
        let mut product = Dense::zeros(self.ends.len(), dense.columns);
        numbers::vectorised(Times { sparse: self, dense, product: &mut product, turned: false });
        product
    }

    fn transposed_times(&self, dense: &Dense) -> Dense {
        let mut product = Dense::zeros(self.ends.len(), dense.columns);
        numbers::vectorised(Times { sparse: self, dense, product: &mut product, turned: true });
        product
    }
}

struct Times<'a> {
    sparse: &'a Sparse,
    dense: &'a Dense,
    product: &'a mut Dense,
    turned: bool,
}

impl Inline for Times<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let stride = self.dense.stride;
        for row in 0..self.sparse.ends.len() {
            for (column, value) in self.sparse.row(row) {
                let (from, to) = if self.turned { (row, column) } else { (column, row) };
                let to = &mut self.product.values[to * stride..][..stride];
                add_scaled(to, value, self.dense.row(from));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sparse(rows: &[&[f32]]) -> Sparse {
        let mut sparse = Sparse::default();
        for row in rows {
            for (column, value) in (0..).zip(*row) {
                if *value != 0.0 {
                    sparse.columns.push(column);
                    sparse.values.push(*value);
                }
            }
            sparse.ends.push(sparse.columns.len());
        }
        sparse
    }

    /// Squared lengths of the columns: the singular values, as `U` has columns of length 1.
    fn singular(factor: &[f32], dimensions: usize) -> Vec<f64> {
        let square = |at| factor.iter().skip(at).step_by(dimensions).map(|v| f64::from(*v).powi(2));
        (0..dimensions).map(|at| square(at).sum()).collect()
    }

    fn assert_product(factors: &Factors, dimensions: usize, wanted: &[&[f32]]) {
        for (a, row) in wanted.iter().enumerate() {
            for (b, wanted) in row.iter().enumerate() {
                let left = &factors.left[a * dimensions..][..dimensions];
                let right = &factors.right[b * dimensions..][..dimensions];
                let found: f32 = left.iter().zip(right).map(|(l, r)| l * r).sum();
                assert!((found - wanted).abs() < 1e-3, "{a} {b}: {found} for {wanted}");
            }
        }
    }

    #[test]
    fn singular_values_of_a_matrix_worked_out_by_hand() {
        // 3 and 2 in two rows, and (3 0; 4 5) with its well-known 3 sqrt 5 and sqrt 5.
        let rows: [&[f32]; 4] = [
            &[0.0, 3.0, 0.0, 0.0],
            &[2.0, 0.0, 0.0, 0.0],
            &[0.0, 0.0, 3.0, 0.0],
            &[0.0, 0.0, 4.0, 5.0],
        ];
        let factors = factorise(&sparse(&rows), 4, 2, 1);
        let wanted = [3.0 * 5f64.sqrt(), 3.0, 5f64.sqrt(), 2.0];
        for factor in [&factors.left, &factors.right] {
            for (found, wanted) in singular(factor, 4).iter().zip(wanted) {
                assert!((found - wanted).abs() < 1e-4, "{found} for {wanted}");
            }
        }
        assert_product(&factors, 4, &rows);
    }

    /// A matrix of rank 3 among 60 dimensions: three values are found, and the rest is zero.
    #[test]
    fn finds_the_rank_and_what_the_matrix_is_made_of() {
        let mut random = Random::new(3);
        let size = 60;
        let mut factor = || -> Vec<f32> { (0..size * 3).map(|_| random.signed()).collect() };
        let (a, b) = (factor(), factor());
        let value = |row: usize, column: usize| -> f32 {
            (0..3).map(|k| a[row * 3 + k] * b[column * 3 + k]).sum()
        };
        let product: Vec<Vec<f32>> =
            (0..size).map(|row| (0..size).map(|column| value(row, column)).collect()).collect();
        let rows: Vec<&[f32]> = product.iter().map(Vec::as_slice).collect();
        let factors = factorise(&sparse(&rows), 8, 2, 5);
        assert_product(&factors, 8, &rows);
        let found = singular(&factors.left, 8);
        assert!(found[2] > 0.5 && found[3..] == [0.0; 5], "{found:?}");
    }

    #[test]
    fn the_first_of_many_are_found_well_enough() {
        // Singular values 1, 1/2, 1/3 and so on along the diagonal.
        let size = 300;
        let mut sparse = Sparse::default();
        for at in 0..size {
            sparse.columns.push(at);
            sparse.values.push(1.0 / (at + 1) as f32);
            sparse.ends.push(sparse.columns.len());
        }
        let factors = factorise(&sparse, 20, 2, 9);
        for (at, found) in singular(&factors.left, 20).iter().enumerate() {
            let wanted = 1.0 / (at + 1) as f64;
            assert!((found - wanted).abs() < 0.01 * wanted, "{at}: {found} of {wanted}");
        }
    }

    #[test]
    fn of_nothing_comes_nothing() {
        assert!(factorise(&Sparse::default(), 3, 2, 1).left.is_empty());
        let zeros = Sparse { ends: vec![0; 4], ..Sparse::default() };
        let factors = factorise(&zeros, 3, 2, 1);
        assert_eq!((factors.left, factors.right), (vec![0.0; 12], vec![0.0; 12]));
    }
}
