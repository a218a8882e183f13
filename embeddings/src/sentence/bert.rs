//! The forward pass of BERT (Devlin, Chang, Lee, Toutanova 2019): post-norm, absolute positions.

use super::activation::exp;
use super::config::{Activation, Config};
use super::linear::Linear;
use super::weights::Weights;
use crate::numbers::{Inline, add_scaled, vectorised};

pub(super) struct Bert {
    hidden: usize,
    /// A row for each token of the vocabulary.
    words: Vec<f32>,
    /// A row for each position, with what says that a token is of the first sentence; there is no
    /// second.
    positions: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

struct Layer {
    heads: usize,
    /// Query, key and value.
    looked_at: Linear,
    attended: Linear,
    attended_norm: Norm,
    inner: Linear,
    activation: Activation,
    outer: Linear,
    outer_norm: Norm,
}

/// Layer normalisation (Ba, Kiros, Hinton 2016).
struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    epsilon: f32,
}

impl Bert {
    /// # Errors
    /// Which of the weights does not fit the configuration.
    pub(super) fn load(weights: &Weights<'_>, config: &Config) -> Result<Self, String> {
        let hidden = config.hidden_size;
        let of = weights.of("embeddings");
        let rows = |name: &str, rows: usize| of.of(name).numbers("weight", &[rows, hidden]);
        let sentences = rows("token_type_embeddings", config.type_vocab_size)?;
        let mut positions = rows("position_embeddings", config.max_position_embeddings)?;
        for position in positions.chunks_exact_mut(hidden) {
            add_scaled(position, 1.0, &sentences);
        }
        Ok(Self {
            hidden,
            words: rows("word_embeddings", config.vocab_size)?,
            positions,
            norm: Norm::load(&of.of("LayerNorm"), config)?,
            layers: (0..config.num_hidden_layers)
                .map(|at| Layer::load(&weights.of(&format!("encoder.layer.{at}")), config))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Vectors of all tokens of some texts, one behind the other. Texts are told apart only where a
    /// token looks at the others of its own, so that nothing has to be filled up.
    pub(super) fn forward(&self, texts: &[&[u32]]) -> Vec<f32> {
        let lengths: Vec<usize> = texts.iter().map(|tokens| tokens.len()).collect();
        let mut state = Vec::with_capacity(lengths.iter().sum::<usize>() * self.hidden);
        for tokens in texts {
            // No token is outside the vocabulary, and no text longer than there are positions: both
            // are seen to when a model is loaded.
            for (token, position) in tokens.iter().zip(self.positions.chunks_exact(self.hidden)) {
                let begin = *token as usize * self.hidden;
                let word = &self.words[begin..begin + self.hidden];
                state.extend(word.iter().zip(position).map(|(word, position)| word + position));
            }
        }
        self.norm.apply(&mut state);
        for layer in &self.layers {
            state = layer.forward(state, &lengths);
        }
        state
    }
}

impl Layer {
    fn load(weights: &Weights<'_>, config: &Config) -> Result<Self, String> {
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let attended = weights.of("attention.output");
        let looked_at = ["query", "key", "value"];
        Ok(Self {
            heads: config.num_attention_heads,
            looked_at: weights.of("attention.self").linear(&looked_at, hidden, hidden)?,
            attended: attended.linear(&["dense"], hidden, hidden)?,
            attended_norm: Norm::load(&attended.of("LayerNorm"), config)?,
            inner: weights.of("intermediate").linear(&["dense"], hidden, inner)?,
            activation: config.hidden_act,
            outer: weights.of("output").linear(&["dense"], inner, hidden)?,
            outer_norm: Norm::load(&weights.of("output.LayerNorm"), config)?,
        })
    }

    fn forward(&self, state: Vec<f32>, lengths: &[usize]) -> Vec<f32> {
        let looked_at = self.looked_at.apply(&state);
        let mut attended = vec![0.0; state.len()];
        vectorised(Attention { layer: self, looked_at: &looked_at, lengths, out: &mut attended });
        let mut attended = self.attended.apply(&attended);
        add_scaled(&mut attended, 1.0, &state);
        self.attended_norm.apply(&mut attended);
        let mut inner = self.inner.apply(&attended);
        self.activation.apply(&mut inner);
        let mut outer = self.outer.apply(&inner);
        add_scaled(&mut outer, 1.0, &attended);
        self.outer_norm.apply(&mut outer);
        outer
    }
}

/// For each token the mean of its text's values, by how well its query fits their keys (Vaswani et
/// al. 2017).
struct Attention<'a> {
    layer: &'a Layer,
    /// Rows of query, key and value, each of all heads.
    looked_at: &'a [f32],
    lengths: &'a [usize],
    out: &'a mut [f32],
}

impl Inline for Attention<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let hidden = self.layer.attended_norm.weight.len();
        let size = hidden / self.layer.heads;
        let scale = 1.0 / (size as f32).sqrt();
        let (mut keys, mut shares) = (Vec::new(), Vec::new());
        let (mut rest, mut out) = (self.looked_at, self.out);
        for length in self.lengths {
            let (text, after) = rest.split_at(length * 3 * hidden);
            let (of_text, of_after) = out.split_at_mut(length * hidden);
            (rest, out) = (after, of_after);
            for head in (0..hidden).step_by(size) {
                // The same part of all keys together, so that all scores of a token are made at once.
                keys.clear();
                keys.resize(size * length, 0.0);
                for (at, row) in text.chunks_exact(3 * hidden).enumerate() {
                    let key = &row[hidden + head..hidden + head + size];
                    for (part, value) in keys.chunks_exact_mut(*length).zip(key) {
                        part[at] = *value;
                    }
                }
                for (row, out) in
                    text.chunks_exact(3 * hidden).zip(of_text.chunks_exact_mut(hidden))
                {
                    shares.clear();
                    shares.resize(*length, 0.0);
                    for (query, part) in
                        row[head..head + size].iter().zip(keys.chunks_exact(*length))
                    {
                        add_scaled(&mut shares, query * scale, part);
                    }
                    soften(&mut shares);
                    let out = &mut out[head..head + size];
                    for (share, row) in shares.iter().zip(text.chunks_exact(3 * hidden)) {
                        add_scaled(out, *share, &row[2 * hidden + head..2 * hidden + head + size]);
                    }
                }
            }
        }
    }
}

/// Scores to shares, which are 1 together.
#[inline(always)]
fn soften(scores: &mut [f32]) {
    let highest = scores.iter().fold(f32::MIN, |highest, score| highest.max(*score));
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = exp(*score - highest);
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}

impl Norm {
    fn load(weights: &Weights<'_>, config: &Config) -> Result<Self, String> {
        let numbers = |name: &str| weights.numbers(name, &[config.hidden_size]);
        let epsilon = config.layer_norm_eps as f32;
        Ok(Self { weight: numbers("weight")?, bias: numbers("bias")?, epsilon })
    }

    fn apply(&self, rows: &mut [f32]) {
        vectorised(Normalise(self, rows));
    }
}

struct Normalise<'a>(&'a Norm, &'a mut [f32]);

impl Inline for Normalise<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self(Norm { weight, bias, epsilon }, rows) = self;
        let size = weight.len();
        for row in rows.chunks_exact_mut(size) {
            let mean = row.iter().sum::<f32>() / size as f32;
            let squares = row.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>();
            let scale = 1.0 / (squares / size as f32 + epsilon).sqrt();
            for ((value, weight), bias) in row.iter_mut().zip(weight).zip(bias) {
                *value = (*value - mean) * scale * weight + bias;
            }
        }
    }
}
