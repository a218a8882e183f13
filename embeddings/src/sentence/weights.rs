//! Weights by their names in a safetensors file.

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};

use super::linear::Linear;

/// Where in the file a part of the model is.
pub(super) struct Weights<'a> {
    file: &'a SafeTensors<'a>,
    prefix: String,
}

impl<'a> Weights<'a> {
    pub(super) fn new(file: &'a SafeTensors<'a>) -> Self {
        Self { file, prefix: String::new() }
    }

    /// The part with this name.
    pub(super) fn of(&self, part: &str) -> Self {
        Self { file: self.file, prefix: format!("{}{part}.", self.prefix) }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.file.tensor(&format!("{}{name}", self.prefix)).is_ok()
    }

    /// All numbers of a tensor, the last dimension's next to each other.
    ///
    /// # Errors
    /// What is not there, has another shape, or is none of `F32`, `F16` and `BF16`.
    pub(super) fn numbers(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let name = format!("{}{name}", self.prefix);
        let tensor = self.file.tensor(&name).map_err(|_| format!("{name} is missing"))?;
        if tensor.shape() != shape {
            return Err(format!("{name} has the shape {:?}, not {shape:?}", tensor.shape()));
        }
        let bytes = tensor.data();
        let short = || bytes.as_chunks().0.iter().copied();
        Ok(match tensor.dtype() {
            Dtype::F32 => bytes.as_chunks().0.iter().copied().map(f32::from_le_bytes).collect(),
            Dtype::F16 => short().map(|bytes| f16::from_le_bytes(bytes).to_f32()).collect(),
            Dtype::BF16 => short().map(|bytes| bf16::from_le_bytes(bytes).to_f32()).collect(),
            other => return Err(format!("{name} is {other:?}, none of F32, F16 and BF16")),
        })
    }

    /// Several layers with the same inputs as one, their outputs one behind the other.
    ///
    /// # Errors
    /// As [`numbers`](Self::numbers).
    pub(super) fn linear(
        &self,
        parts: &[&str],
        inputs: usize,
        outputs: usize,
    ) -> Result<Linear, String> {
        let (mut weights, mut bias) = (Vec::new(), Vec::new());
        for part in parts {
            let part = self.of(part);
            weights.extend(part.numbers("weight", &[outputs, inputs])?);
            bias.extend(part.numbers("bias", &[outputs])?);
        }
        Ok(Linear::new(inputs, &weights, &bias))
    }
}

#[cfg(test)]
mod tests {
    use safetensors::tensor::TensorView;

    use super::*;

    #[test]
    fn numbers_of_half_the_length_are_read_as_well() {
        let numbers = [1.0f32, -0.5, 3.25, 0.0];
        let whole: Vec<u8> = numbers.iter().flat_map(|it| it.to_le_bytes()).collect();
        let half: Vec<u8> =
            numbers.iter().flat_map(|it| f16::from_f32(*it).to_le_bytes()).collect();
        let brain: Vec<u8> =
            numbers.iter().flat_map(|it| bf16::from_f32(*it).to_le_bytes()).collect();
        let view = |dtype, bytes| TensorView::new(dtype, vec![2, 2], bytes).unwrap();
        let tensors = [
            ("part.whole", view(Dtype::F32, &whole)),
            ("part.half", view(Dtype::F16, &half)),
            ("part.brain", view(Dtype::BF16, &brain)),
            ("part.odd", TensorView::new(Dtype::U8, vec![4], &[0; 4]).unwrap()),
        ];
        let file = safetensors::serialize(tensors, None).unwrap();
        let file = SafeTensors::deserialize(&file).unwrap();
        let part = Weights::new(&file).of("part");
        for name in ["whole", "half", "brain"] {
            assert_eq!(part.numbers(name, &[2, 2]).unwrap(), numbers, "{name}");
        }
        let refused =
            [("odd", [4].as_slice(), "U8"), ("none", &[1], "missing"), ("half", &[4], "[2, 2]")];
        for (name, shape, why) in refused {
            let error = part.numbers(name, shape).unwrap_err();
            assert!(error.contains(&format!("part.{name}")) && error.contains(why), "{error}");
        }
        assert!(part.has("half") && !part.has("none"));
    }
}
