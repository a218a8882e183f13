//! A vector's direction in whole numbers, and the scale that gives it length 1 again.
//!
//! Symmetric linear quantisation by the largest magnitude. The scale is one over the length of the
//! whole numbers rather than the step between them: so every vector, quantised, has length 1, dot
//! products are cosines, and a vector's similarity to itself is 1.

/// Rows are padded with zeros to a multiple of this, so that the scan has no remainder.
pub(super) const LANES: usize = 32;

/// Largest magnitude of a stored value.
const STORED_MAX: i32 = 127;

/// Writes the direction of `vector`; the rest of `row` becomes zero. Returns its scale, 0 for a
/// vector without a direction. `vector` must be finite.
pub(super) fn to_i8(vector: &[f32], row: &mut [i8]) -> f32 {
    let mut squares = 0i64;
    row.fill(0);
    for (whole, value) in row.iter_mut().zip(levels(vector, STORED_MAX)) {
        squares += i64::from(value) * i64::from(value);
        *whole = value as i8;
    }
    scale(squares)
}

/// A query is quantised more finely, as it costs nothing: the dot product is of 16-bit numbers
/// anyway. As fine as it can be without the sum over all dimensions overflowing.
pub(super) fn to_i16(vector: &[f32], row: &mut [i16]) -> f32 {
    let dimensions = i32::try_from(row.len().max(1)).unwrap_or(i32::MAX);
    let max = (i32::MAX / STORED_MAX / dimensions).min(i32::from(i16::MAX));
    let mut squares = 0i64;
    row.fill(0);
    for (whole, value) in row.iter_mut().zip(levels(vector, max)) {
        squares += i64::from(value) * i64::from(value);
        *whole = value as i16;
    }
    scale(squares)
}

fn levels(vector: &[f32], max: i32) -> impl Iterator<Item = i32> {
    let largest = vector.iter().fold(0f32, |largest, value| largest.max(value.abs()));
    let by = if largest > 0.0 { f64::from(max) / f64::from(largest) } else { 0.0 };
    vector.iter().map(move |value| (f64::from(*value) * by).round() as i32)
}

fn scale(squares: i64) -> f32 {
    if squares == 0 { 0.0 } else { (1.0 / (squares as f64).sqrt()) as f32 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unit(vector: &[f32]) -> Vec<f64> {
        let length = vector.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        vector.iter().map(|v| f64::from(*v) / length).collect()
    }

    fn largest(unit: &[f64]) -> f64 {
        unit.iter().fold(0.0, |largest: f64, v| largest.max(v.abs()))
    }

    fn distance(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    }

    proptest! {
        /// Rounding moves each value by half a step at most, and giving the vector its length back
        /// at most doubles what that makes in all.
        #[test]
        fn what_is_lost_is_bounded_by_the_step(
            vector in prop::collection::vec(-1000f32..1000.0, 1..200)
        ) {
            prop_assume!(vector.iter().any(|v| *v != 0.0));
            let wanted = unit(&vector);
            for (name, steps, found) in [("i8", 127.0, stored(&vector)), ("i16", 32767.0, queried(&vector))] {
                let bound = largest(&wanted) / steps * (vector.len() as f64).sqrt();
                let lost = distance(&wanted, &found);
                prop_assert!(lost <= bound + 1e-6, "{name}: {lost} of {bound}");
                let length = found.iter().map(|v| v * v).sum::<f64>().sqrt();
                prop_assert!((length - 1.0).abs() < 1e-6, "{name}: {length}");
            }
        }
    }

    fn stored(vector: &[f32]) -> Vec<f64> {
        let mut row = vec![0; vector.len()];
        let scale = to_i8(vector, &mut row);
        row.iter().map(|v| f64::from(*v) * f64::from(scale)).collect()
    }

    fn queried(vector: &[f32]) -> Vec<f64> {
        let mut row = vec![0; vector.len()];
        let scale = to_i16(vector, &mut row);
        row.iter().map(|v| f64::from(*v) * f64::from(scale)).collect()
    }

    #[test]
    fn extremes_have_a_direction_and_nothing_has_none() {
        for value in [f32::MAX, f32::MIN, f32::MIN_POSITIVE, 1e-45] {
            let found = stored(&[value, 0.0]);
            assert!((found[0].abs() - 1.0).abs() < 1e-6, "{value}: {found:?}");
        }
        assert_eq!(to_i8(&[0.0, -0.0], &mut [1, 1, 1]), 0.0);
        assert_eq!(to_i16(&[], &mut [1]), 0.0);
    }

    #[test]
    fn no_number_of_dimensions_overflows_the_dot_product() {
        for dimensions in [1, 384, 768, 4_096, super::super::DIMENSIONS_MAX] {
            let vector = vec![1.0; dimensions];
            let (mut row, mut query) = (vec![0i8; dimensions], vec![0i16; dimensions]);
            to_i8(&vector, &mut row);
            let scale = to_i16(&vector, &mut query);
            let dot: i64 = row.iter().zip(&query).map(|(a, b)| i64::from(*a) * i64::from(*b)).sum();
            assert!(scale > 0.0 && dot <= i64::from(i32::MAX), "{dimensions}: {dot}");
        }
    }
}
