//! Linear layers, which is where a transformer's time goes.
//!
//! Weights are put in order once, when the model is loaded: panels of the weights of 16 outputs, input
//! by input. A panel goes through a core's nearest cache while four rows of inputs after the other are
//! multiplied with it, their sums in registers (after Goto, van de Geijn 2008). All of it is done by the
//! thread that asks: others have better to do than to wait for a share of it.

use pulp::{Arch, Simd, WithSimd};

/// Outputs whose weights are together.
const WIDE: usize = 16;
/// Rows that are multiplied together.
const TALL: usize = 4;

/// `outputs = inputs * weights + bias`, for rows of inputs.
pub(super) struct Linear {
    inputs: usize,
    outputs: usize,
    /// One panel behind the other; the last one is filled up with zeros.
    panels: Vec<[f32; WIDE]>,
    bias: Vec<[f32; WIDE]>,
}

impl Linear {
    /// From weights as models keep them: those of each output in a row. There is a bias for each
    /// output, and as many weights as that times `inputs`, which is not 0.
    pub(super) fn new(inputs: usize, weights: &[f32], bias: &[f32]) -> Self {
        let outputs = bias.len();
        let mut panels = vec![[0.0; WIDE]; outputs.div_ceil(WIDE) * inputs];
        let of_outputs = weights.chunks(WIDE * inputs);
        for (panel, weights) in panels.chunks_mut(inputs).zip(of_outputs) {
            for (at, weights) in weights.chunks(inputs).enumerate() {
                for (of_input, weight) in panel.iter_mut().zip(weights) {
                    of_input[at] = *weight;
                }
            }
        }
        let mut biases = vec![[0.0; WIDE]; outputs.div_ceil(WIDE)];
        for (to, from) in biases.iter_mut().zip(bias.chunks(WIDE)) {
            to[..from.len()].copy_from_slice(from);
        }
        Self { inputs, outputs, panels, bias: biases }
    }

    /// Rows of outputs for rows of inputs, one row behind the other.
    pub(super) fn apply(&self, rows: &[f32]) -> Vec<f32> {
        let mut fours = vec![[0.0; TALL]; rows.len().div_ceil(self.inputs * TALL) * self.inputs];
        let of_rows = rows.chunks(TALL * self.inputs);
        for (four, rows) in fours.chunks_mut(self.inputs).zip(of_rows) {
            for (at, row) in rows.chunks(self.inputs).enumerate() {
                for (of_input, value) in four.iter_mut().zip(row) {
                    of_input[at] = *value;
                }
            }
        }
        let mut out = vec![0.0; rows.len() / self.inputs * self.outputs];
        let products = Products { layer: self, fours: &fours, out: &mut out };
        #[cfg(target_arch = "x86_64")]
        if let Some(token) = pulp::x86::V3::try_new() {
            Simd::vectorize(token, With { products, add: Fused });
            return out;
        }
        Arch::new().dispatch(With { products, add: Plain });
        out
    }
}

/// `sum + a * b`.
trait AddProduct: Copy {
    fn add(self, sum: f32, a: f32, b: f32) -> f32;
}

/// By one instruction. Where there is none it would be a function, and very slow.
#[derive(Clone, Copy)]
struct Fused;

#[derive(Clone, Copy)]
struct Plain;

impl AddProduct for Fused {
    #[inline(always)]
    fn add(self, sum: f32, a: f32, b: f32) -> f32 {
        a.mul_add(b, sum)
    }
}

impl AddProduct for Plain {
    #[inline(always)]
    fn add(self, sum: f32, a: f32, b: f32) -> f32 {
        a * b + sum
    }
}

struct Products<'a> {
    layer: &'a Linear,
    /// Four rows at a time, input by input; those that are missing at the end are zeros.
    fours: &'a [[f32; TALL]],
    out: &'a mut [f32],
}

/// What a function compiled for an instruction set inlines, so that it is compiled for it too.
struct With<'a, A> {
    products: Products<'a>,
    add: A,
}

impl<A: AddProduct> WithSimd for With<'_, A> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Products { layer, fours, out } = self.products;
        let of_panels = layer.panels.chunks_exact(layer.inputs).zip(&layer.bias);
        for (panel, (weights, bias)) in of_panels.enumerate() {
            let begin = panel * WIDE;
            let width = WIDE.min(layer.outputs - begin);
            for (four, rows) in
                fours.chunks_exact(layer.inputs).zip(out.chunks_mut(TALL * layer.outputs))
            {
                let sums = multiply(self.add, weights, bias, four);
                for (row, sums) in rows.chunks_exact_mut(layer.outputs).zip(&sums) {
                    row[begin..begin + width].copy_from_slice(&sums[..width]);
                }
            }
        }
    }
}

#[inline(always)]
fn multiply<A: AddProduct>(
    add: A,
    weights: &[[f32; WIDE]],
    bias: &[f32; WIDE],
    four: &[[f32; TALL]],
) -> [[f32; WIDE]; TALL] {
    let mut sums = [*bias; TALL];
    for (weights, inputs) in weights.iter().zip(four) {
        for (sums, input) in sums.iter_mut().zip(inputs) {
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = add.add(*sum, *input, *weight);
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_product_and_the_bias(
            (inputs, outputs, rows) in (1usize..40, 1usize..50, 0usize..11),
            seed in any::<u64>(),
        ) {
            let mut random = crate::numbers::Random::new(seed);
            let mut some = |count: usize| -> Vec<f32> { (0..count).map(|_| random.signed()).collect() };
            let (weights, bias, given) = (some(inputs * outputs), some(outputs), some(rows * inputs));
            let layer = Linear::new(inputs, &weights, &bias);
            let found = layer.apply(&given);
            prop_assert_eq!(found.len(), rows * outputs);
            for row in 0..rows {
                for output in 0..outputs {
                    let products = (0..inputs).map(|input| {
                        f64::from(given[row * inputs + input])
                            * f64::from(weights[output * inputs + input])
                    });
                    let wanted = products.sum::<f64>() + f64::from(bias[output]);
                    let found = f64::from(found[row * outputs + output]);
                    prop_assert!((found - wanted).abs() < 1e-4, "{found} {wanted}");
                }
            }
            // Also where there is no instruction for both at once.
            let mut plain = vec![0.0; found.len()];
            let mut fours = vec![[0.0; TALL]; rows.div_ceil(TALL) * inputs];
            for (row, values) in given.chunks(inputs).enumerate() {
                for (input, value) in values.iter().enumerate() {
                    fours[row / TALL * inputs + input][row % TALL] = *value;
                }
            }
            let products = Products { layer: &layer, fours: &fours, out: &mut plain };
            Arch::new().dispatch(With { products, add: Plain });
            for (plain, found) in plain.iter().zip(&found) {
                prop_assert!((plain - found).abs() < 1e-4, "{plain} {found}");
            }
        }
    }
}
