//! The little of dense linear algebra that a randomised SVD needs.

use crate::numbers::{self, Inline, add_scaled, dot};

/// A tall matrix, row by row; rows are padded with zeros to a multiple of 16.
pub(super) struct Dense {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) stride: usize,
    pub(super) values: Vec<f32>,
}

/// What is left of a column, compared with what it was, if the ones before it explain all of it but
/// rounding errors.
const DEPENDENT: f32 = 1e-5;

impl Dense {
    pub(super) fn zeros(rows: usize, columns: usize) -> Self {
        let stride = columns.next_multiple_of(16);
        Self { rows, columns, stride, values: vec![0.0; rows * stride] }
    }

    pub(super) fn row(&self, at: usize) -> &[f32] {
        &self.values[at * self.stride..][..self.stride]
    }

    /// Replaces the columns by orthonormal ones that span the same space, by modified Gram-Schmidt,
    /// twice over. A column that depends on those before it becomes zeros.
    pub(super) fn orthonormalise(&mut self) {
        let mut columns = self.transposed();
        numbers::vectorised(Orthonormalise { columns: &mut columns, length: self.rows });
        for (column, values) in columns.chunks_exact(self.rows.max(1)).enumerate() {
            for (row, value) in values.iter().enumerate() {
                self.values[row * self.stride + column] = *value;
            }
        }
    }

    /// Column by column, without padding.
    fn transposed(&self) -> Vec<f32> {
        let mut columns = vec![0.0; self.columns * self.rows];
        for row in 0..self.rows {
            for (column, value) in self.row(row)[..self.columns].iter().enumerate() {
                columns[column * self.rows + row] = *value;
            }
        }
        columns
    }

    /// The product with a matrix of as many rows as this has columns: its rows without padding.
    pub(super) fn turned(&self, by: &Self) -> Vec<f32> {
        let mut product = Vec::with_capacity(self.rows * by.columns);
        let mut sum = vec![0.0; by.stride];
        for row in 0..self.rows {
            sum.fill(0.0);
            for (inner, value) in self.row(row)[..self.columns].iter().enumerate() {
                add_scaled(&mut sum, *value, by.row(inner));
            }
            product.extend_from_slice(&sum[..by.columns]);
        }
        product
    }

    /// The dot products of all columns with all columns, row by row.
    pub(super) fn gram(&self) -> Vec<f64> {
        numbers::vectorised(Gram(self))
    }
}

struct Orthonormalise<'a> {
    columns: &'a mut [f32],
    length: usize,
}

impl Inline for Orthonormalise<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        if self.length == 0 {
            return;
        }
        for at in 0..self.columns.len() / self.length {
            let (before, rest) = self.columns.split_at_mut(at * self.length);
            let column = &mut rest[..self.length];
            let was = dot(column, column).sqrt();
            for _ in 0..2 {
                for other in before.chunks_exact(self.length) {
                    let common = dot(column, other);
                    add_scaled(column, -common, other);
                }
            }
            let left = dot(column, column).sqrt();
            // Also where one of them is not a number.
            let factor = if left > was * DEPENDENT { 1.0 / left } else { 0.0 };
            column.iter_mut().for_each(|value| *value *= factor);
        }
    }
}

struct Gram<'a>(&'a Dense);

impl Inline for Gram<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn run(self) -> Vec<f64> {
        let size = self.0.columns;
        let mut gram = vec![0.0; size * size];
        for row in self.0.values.chunks_exact(self.0.stride.max(1)) {
            for (at, value) in row[..size].iter().enumerate() {
                let value = f64::from(*value);
                for (sum, other) in gram[at * size..][..size].iter_mut().zip(row) {
                    *sum += value * f64::from(*other);
                }
            }
        }
        gram
    }
}

/// Eigenvalues of a symmetric matrix given row by row, the largest first, each with its eigenvector:
/// by Jacobi's rotations, all pairs in turn, until nothing is left off the diagonal.
pub(super) fn eigen(mut matrix: Vec<f64>, size: usize) -> Vec<(f64, Vec<f64>)> {
    const SWEEPS_MAX: usize = 30;
    // Row `i` becomes the eigenvector of the value at `(i, i)`.
    let mut vectors = vec![0.0; size * size];
    (0..size).for_each(|at| vectors[at * size + at] = 1.0);
    let norm: f64 = matrix.iter().map(|value| value * value).sum();
    for _ in 0..SWEEPS_MAX {
        let mut off = 0.0;
        for p in 0..size {
            for q in p + 1..size {
                let value = matrix[p * size + q];
                off += value * value;
                if value * value > norm * 1e-30 {
                    let (cos, sin) = rotation(matrix[p * size + p], matrix[q * size + q], value);
                    rotate_rows(&mut matrix, size, p, q, cos, sin);
                    rotate_columns(&mut matrix, size, p, q, cos, sin);
                    rotate_rows(&mut vectors, size, p, q, cos, sin);
                }
            }
        }
        if off <= norm * 1e-24 {
            break;
        }
    }
    let mut pairs: Vec<(f64, Vec<f64>)> = vectors
        .chunks_exact(size.max(1))
        .enumerate()
        .map(|(at, vector)| (matrix[at * size + at], vector.to_vec()))
        .collect();
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    pairs
}

/// Cosine and sine of the angle that makes the value between `p` and `q` zero.
fn rotation(pp: f64, qq: f64, pq: f64) -> (f64, f64) {
    let theta = (qq - pp) / (2.0 * pq);
    let sign = if theta < 0.0 { -1.0 } else { 1.0 };
    let tangent = sign / (theta.abs() + (theta * theta + 1.0).sqrt());
    let cos = 1.0 / (tangent * tangent + 1.0).sqrt();
    (cos, tangent * cos)
}

fn rotate_rows(matrix: &mut [f64], size: usize, p: usize, q: usize, cos: f64, sin: f64) {
    let (before, from_q) = matrix.split_at_mut(q * size);
    let row_p = &mut before[p * size..][..size];
    for (p, q) in row_p.iter_mut().zip(&mut from_q[..size]) {
        (*p, *q) = (cos * *p - sin * *q, sin * *p + cos * *q);
    }
}

fn rotate_columns(matrix: &mut [f64], size: usize, p: usize, q: usize, cos: f64, sin: f64) {
    for row in matrix.chunks_exact_mut(size) {
        (row[p], row[q]) = (cos * row[p] - sin * row[q], sin * row[p] + cos * row[q]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::numbers::Random;

    #[test]
    fn eigenvalues_of_a_matrix_worked_out_by_hand() {
        // Eigenvalues 5, 3 and 1; the first is the direction of (1, 1, 0).
        let pairs = eigen(vec![4.0, 1.0, 0.0, 1.0, 4.0, 0.0, 0.0, 0.0, 1.0], 3);
        let values: Vec<f64> = pairs.iter().map(|pair| pair.0).collect();
        for (value, wanted) in values.iter().zip([5.0, 3.0, 1.0]) {
            assert!((value - wanted).abs() < 1e-12, "{values:?}");
        }
        let first = &pairs[0].1;
        assert!((first[0] - first[1]).abs() < 1e-12 && first[2].abs() < 1e-12, "{first:?}");
        assert!(eigen(Vec::new(), 0).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn eigenvectors_are_what_the_matrix_only_stretches(size in 1usize..12, seed: u64) {
            let mut random = Random::new(seed);
            let mut matrix = vec![0.0; size * size];
            for p in 0..size {
                for q in 0..=p {
                    let value = f64::from(random.signed());
                    (matrix[p * size + q], matrix[q * size + p]) = (value, value);
                }
            }
            for (value, vector) in eigen(matrix.clone(), size) {
                for row in 0..size {
                    let product: f64 =
                        vector.iter().zip(&matrix[row * size..]).map(|(v, m)| v * m).sum();
                    prop_assert!((product - value * vector[row]).abs() < 1e-9);
                }
            }
        }

        #[test]
        fn columns_become_orthonormal_or_zero(
            rows in 1usize..40,
            columns in 1usize..20,
            seed: u64,
        ) {
            let mut random = Random::new(seed);
            let mut matrix = Dense::zeros(rows, columns);
            for row in matrix.values.chunks_exact_mut(matrix.stride) {
                row[..columns].fill_with(|| random.signed());
                // One that is a multiple of another.
                row[columns - 1] = row[0] * 3.0;
            }
            // Without the processor's widest instructions, bit for bit the same.
            let mut plain = matrix.transposed();
            Orthonormalise { columns: &mut plain, length: rows }.run();
            matrix.orthonormalise();
            let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&matrix.transposed()), bits(&plain));
            let gram = matrix.gram();
            let mut rank = 0;
            for p in 0..columns {
                for q in 0..columns {
                    let value = gram[p * columns + q];
                    let wanted = if p == q && value > 0.5 { 1.0 } else { 0.0 };
                    prop_assert!((value - wanted).abs() < 1e-4, "{p} {q}: {value}");
                    rank += usize::from(p == q && value > 0.5);
                }
            }
            prop_assert!(rank <= rows && rank <= (columns - 1).max(1), "{rank}");
        }
    }
}
