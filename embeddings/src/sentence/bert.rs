//! The forward pass of BERT (Devlin, Chang, Lee, Toutanova 2019): post-norm, absolute positions.

use candle_core::{D, Device, Result, Tensor};
use candle_nn::{Embedding, LayerNorm, Linear, Module, VarBuilder, embedding, layer_norm, linear};

use super::config::{Activation, Config};

pub(super) struct Bert {
    words: Embedding,
    positions: Embedding,
    /// That of the first sentence; there is no second.
    sentence: Tensor,
    norm: LayerNorm,
    layers: Vec<Layer>,
}

struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    attended: Linear,
    attended_norm: LayerNorm,
    inner: Linear,
    outer: Linear,
    outer_norm: LayerNorm,
    heads: usize,
    activation: Activation,
}

impl Bert {
    pub(super) fn load(weights: &VarBuilder<'_>, config: &Config) -> Result<Self> {
        let hidden = config.hidden_size;
        let of = weights.pp("embeddings");
        let sentences = embedding(config.type_vocab_size, hidden, of.pp("token_type_embeddings"))?;
        let layers = (0..config.num_hidden_layers)
            .map(|at| Layer::load(&weights.pp("encoder.layer").pp(at), config))
            .collect::<Result<_>>()?;
        Ok(Self {
            words: embedding(config.vocab_size, hidden, of.pp("word_embeddings"))?,
            positions: embedding(
                config.max_position_embeddings,
                hidden,
                of.pp("position_embeddings"),
            )?,
            sentence: sentences.embeddings().get(0)?,
            norm: layer_norm(hidden, config.layer_norm_eps, of.pp("LayerNorm"))?,
            layers,
        })
    }

    /// Tokens, texts by positions, to their vectors: texts by positions by hidden size. `mask` has 1
    /// for tokens and 0 for what fills up shorter texts, `None` if there are none.
    pub(super) fn forward(&self, tokens: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        let length = u32::try_from(tokens.dim(1)?).unwrap_or(u32::MAX);
        let positions = self.positions.forward(&Tensor::arange(0, length, &Device::Cpu)?)?;
        let embedded = self.words.forward(tokens)?.broadcast_add(&positions)?;
        let mut state = self.norm.forward(&embedded.broadcast_add(&self.sentence)?)?;
        // Added to scores before the softmax: 0, or so low that nothing of it is left.
        let masked =
            mask.map(|mask| mask.affine(1e9, -1e9)?.unsqueeze(1)?.unsqueeze(1)).transpose()?;
        for layer in &self.layers {
            state = layer.forward(&state, masked.as_ref())?;
        }
        Ok(state)
    }
}

impl Layer {
    fn load(weights: &VarBuilder<'_>, config: &Config) -> Result<Self> {
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let own = weights.pp("attention.self");
        let attended = weights.pp("attention.output");
        Ok(Self {
            query: linear(hidden, hidden, own.pp("query"))?,
            key: linear(hidden, hidden, own.pp("key"))?,
            value: linear(hidden, hidden, own.pp("value"))?,
            attended: linear(hidden, hidden, attended.pp("dense"))?,
            attended_norm: layer_norm(hidden, config.layer_norm_eps, attended.pp("LayerNorm"))?,
            inner: linear(hidden, inner, weights.pp("intermediate.dense"))?,
            outer: linear(inner, hidden, weights.pp("output.dense"))?,
            outer_norm: layer_norm(hidden, config.layer_norm_eps, weights.pp("output.LayerNorm"))?,
            heads: config.num_attention_heads,
            activation: config.hidden_act,
        })
    }

    fn forward(&self, state: &Tensor, masked: Option<&Tensor>) -> Result<Tensor> {
        let attended = self.attended.forward(&self.attend(state, masked)?)?;
        let state = self.attended_norm.forward(&(state + attended)?)?;
        let inner = self.inner.forward(&state)?;
        let inner = match self.activation {
            Activation::Gelu => inner.gelu_erf()?,
            Activation::GeluTanh => inner.gelu()?,
            Activation::Relu => inner.relu()?,
        };
        self.outer_norm.forward(&(self.outer.forward(&inner)? + state)?)
    }

    fn attend(&self, state: &Tensor, masked: Option<&Tensor>) -> Result<Tensor> {
        let query = self.by_head(&self.query.forward(state)?)?;
        let key = self.by_head(&self.key.forward(state)?)?;
        let value = self.by_head(&self.value.forward(state)?)?;
        let scale = 1.0 / (query.dim(D::Minus1)? as f64).sqrt();
        let mut scores = (query.matmul(&key.t()?.contiguous()?)? * scale)?;
        if let Some(masked) = masked {
            scores = scores.broadcast_add(masked)?;
        }
        let attention = candle_nn::ops::softmax_last_dim(&scores)?;
        attention.matmul(&value)?.transpose(1, 2)?.contiguous()?.flatten_from(D::Minus2)
    }

    /// Texts by positions by hidden size, to texts by heads by positions by the rest.
    fn by_head(&self, state: &Tensor) -> Result<Tensor> {
        let (texts, positions, hidden) = state.dims3()?;
        let parts = (texts, positions, self.heads, hidden / self.heads);
        state.reshape(parts)?.transpose(1, 2)?.contiguous()
    }
}
