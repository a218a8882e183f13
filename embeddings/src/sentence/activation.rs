//! The functions between a transformer's layers, many values at a time.

use super::config::Activation;
use crate::numbers::{Inline, vectorised};

impl Activation {
    /// Of each value, in its place.
    pub(super) fn apply(self, values: &mut [f32]) {
        vectorised(Activate(self, values));
    }
}

struct Activate<'a>(Activation, &'a mut [f32]);

impl Inline for Activate<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        match self.0 {
            Activation::Gelu => self.1.iter_mut().for_each(|x| *x = gelu(*x)),
            Activation::GeluTanh => self.1.iter_mut().for_each(|x| *x = gelu_tanh(*x)),
            Activation::Relu => self.1.iter_mut().for_each(|x| *x = x.max(0.0)),
        }
    }
}

/// Hendrycks, Gimpel 2016.
#[inline(always)]
fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// Its approximation, by the same.
#[inline(always)]
fn gelu_tanh(x: f32) -> f32 {
    const SQRT_2_OVER_PI: f32 = 0.797_884_6;
    let y = SQRT_2_OVER_PI * (x + 0.044_715 * x * x * x);
    // 1 + tanh y
    0.5 * x * (2.0 - 2.0 / (1.0 + exp(2.0 * y)))
}

/// The error function to 1.5e-7 (Abramowitz, Stegun 1964, 7.1.26).
#[inline(always)]
fn erf(x: f32) -> f32 {
    const TERMS: [f32; 5] = [1.061_405_4, -1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6];
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let mut sum = 0.0;
    for term in TERMS {
        sum = (sum + term) * t;
    }
    (1.0 - sum * exp(-x * x)).copysign(x)
}

/// To the power of `x`, to two units in the last place; beyond what a number can hold it is the
/// least or the greatest that it gives. Without a branch or a call, so that it is vectorised.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    /// Added to a small number, it leaves the whole part in the last bits.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts, the first of which has room for any whole number times it.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    /// 1/k!, from the highest power on.
    const TERMS: [f32; 7] =
        [1.0 / 5_040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0];
    let x = x.clamp(-87.0, 88.0);
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let whole = rounded - ROUND;
    let rest = x - whole * LN_2[0] - whole * LN_2[1];
    let mut sum = 0.0;
    for term in TERMS {
        sum = sum * rest + term;
    }
    let power = (rounded.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127)) << 23;
    (sum * rest + 1.0) * f32::from_bits(power)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_exponential_is_one(x in -87f32..88.0) {
            let wanted = f64::from(x).exp();
            prop_assert!((f64::from(exp(x)) / wanted - 1.0).abs() < 4e-7, "{x}");
        }

        #[test]
        fn gelu_is_what_is_published(x in -12f32..12.0) {
            let mut found = [x; 1];
            Activation::GeluTanh.apply(&mut found);
            let cube = f64::from(x) + 0.044715 * f64::from(x).powi(3);
            let tanh = (cube * (2.0 / std::f64::consts::PI).sqrt()).tanh();
            prop_assert!((f64::from(found[0]) - 0.5 * f64::from(x) * (1.0 + tanh)).abs() < 2e-6);
            Activation::Relu.apply(&mut found);
            prop_assert!(found[0] >= 0.0);
        }
    }

    /// Values of erf: Abramowitz, Stegun 1964, table 7.1.
    #[test]
    fn the_error_function_is_as_tabulated() {
        for (x, value) in [
            (0.0, 0.0),
            (0.1, 0.112_462_92),
            (0.5, 0.520_499_9),
            (1.0, 0.842_700_8),
            (1.5, 0.966_105_16),
            (2.0, 0.995_322_3),
        ] {
            assert!((erf(x) - value).abs() < 4e-7, "{x}: {}", erf(x));
            assert!((erf(-x) + value).abs() < 4e-7, "-{x}: {}", erf(-x));
        }
        let mut far = [-30.0, -6.0, 6.0, 30.0];
        Activation::Gelu.apply(&mut far);
        assert_eq!(far[3], 30.0);
        assert!(far[0].abs() < 1e-5 && far[1].abs() < 1e-5 && (far[2] - 6.0).abs() < 1e-5);
    }

    #[test]
    fn what_is_too_large_or_small_stays_a_number() {
        assert!(exp(1e30).is_finite() && exp(-1e30) >= 0.0 && exp(-1e30) < 1e-37);
        assert!(exp(f32::NEG_INFINITY) < 1e-37);
    }
}
