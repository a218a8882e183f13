//! Arithmetic that comes to the same bits on every machine: fixed orders of summation, a logarithm
//! and random numbers of our own. A model is trained on each node by itself, and has to be the same.

use pulp::{Arch, Simd, WithSimd};

/// Sums are kept in this many parts, whatever the width of the processor's registers.
const PARTS: usize = 16;

/// A sequence that looks random and is fixed by its seed (`SplitMix64`: Steele, Lea, Flood 2014).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `bound`, which is not 0; as good as uniform for bounds far below 2^64.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// Uniform between -1 and 1.
    pub(crate) fn signed(&mut self) -> f32 {
        (self.next() >> 40) as f32 / 8_388_608.0 - 1.0
    }

    /// Fisher and Yates.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            let with = self.below(at + 1);
            items.swap(at, with);
        }
    }
}

/// Natural logarithm of a normal positive number, to 15 digits. Libraries differ in the last bit.
pub(crate) fn ln(x: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i64 - 1023;
    // Between 1 and 2, and then around 1.
    let mut mantissa = f64::from_bits((bits & MANTISSA) | (1023 << 52));
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa /= 2.0;
        exponent += 1;
    }
    // ln m = 2 artanh ((m - 1) / (m + 1)), by its power series.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let mut series = 0.0;
    for odd in (1..=21).rev().step_by(2) {
        series = series * (s * s) + 1.0 / f64::from(odd);
    }
    2.0 * s * series + exponent as f64 * std::f64::consts::LN_2
}

/// `x` to the power of three quarters; square roots are exact to the last bit everywhere.
pub(crate) fn pow_three_quarters(x: f64) -> f64 {
    x.sqrt() * x.sqrt().sqrt()
}

/// Runs `work` compiled for the instructions this processor has.
pub(crate) fn vectorised<R>(work: impl Inline<Output = R>) -> R {
    struct With<W>(W);
    impl<W: Inline> WithSimd for With<W> {
        type Output = W::Output;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> Self::Output {
            self.0.run()
        }
    }
    Arch::new().dispatch(With(work))
}

/// What [`vectorised`] runs; `run` has to be `#[inline(always)]`, and all that it calls.
pub(crate) trait Inline {
    type Output;
    fn run(self) -> Self::Output;
}

/// Dot product; the shorter one decides how far.
#[inline(always)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let length = a.len().min(b.len());
    let (a, a_rest) = a[..length].as_chunks::<PARTS>();
    let (b, b_rest) = b[..length].as_chunks::<PARTS>();
    let mut sums = [0f32; PARTS];
    for (a, b) in a.iter().zip(b) {
        for part in 0..PARTS {
            sums[part] += a[part] * b[part];
        }
    }
    let mut sum = 0.0;
    for part in sums {
        sum += part;
    }
    for (a, b) in a_rest.iter().zip(b_rest) {
        sum += a * b;
    }
    sum
}

/// `to += factor * from`.
#[inline(always)]
pub(crate) fn add_scaled(to: &mut [f32], factor: f32, from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += factor * from;
    }
}

/// Makes the length 1; a vector that is all zeros, or so small that it might as well be, becomes
/// zeros. Returns whether it has a direction.
pub(crate) fn normalise(vector: &mut [f32]) -> bool {
    let length = dot(vector, vector).sqrt();
    if !(length.is_finite() && length > 1e-12) {
        vector.fill(0.0);
        return false;
    }
    vector.iter_mut().for_each(|value| *value /= length);
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_logarithm_is_one(x in 1e-30f64..1e30) {
            prop_assert!((ln(x) - x.ln()).abs() <= 1e-14 * x.ln().abs().max(1.0), "{x}");
        }

        #[test]
        fn dot_and_length_are_what_they_say(
            a in prop::collection::vec(-1f32..1.0, 0..50),
        ) {
            let b: Vec<f32> = a.iter().map(|v| 1.0 - v).collect();
            let wanted: f64 = a.iter().zip(&b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            prop_assert!((f64::from(dot(&a, &b)) - wanted).abs() < 1e-4);
            let mut unit = a;
            if normalise(&mut unit) {
                prop_assert!((dot(&unit, &unit) - 1.0).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn small_things() {
        assert_eq!(ln(1.0), 0.0);
        assert!((pow_three_quarters(16.0) - 8.0).abs() < 1e-12);
        let mut shuffled: Vec<u32> = (0..100).collect();
        Random::new(7).shuffle(&mut shuffled);
        assert_ne!(shuffled, (0..100).collect::<Vec<_>>());
        shuffled.sort_unstable();
        assert_eq!(shuffled, (0..100).collect::<Vec<_>>());
        let mut random = Random::new(1);
        let mean = (0..10_000).map(|_| random.signed()).sum::<f32>() / 10_000.0;
        assert!(mean.abs() < 0.03, "{mean}");
        assert!(!normalise(&mut [0.0; 3]));
    }
}
