//! Sentence transformers: BERT-like models in a directory of the layout that the sentence-transformers
//! library writes, run on the processor.

use std::path::Path;

use candle_core::{D, DType, Device, Tensor};
use candle_nn::VarBuilder;
use sha2::{Digest, Sha256};
use tokenizers::{Tokenizer, TruncationParams};

use crate::numbers::normalise;
use crate::{EmbedError, Embedder};

mod bert;
mod config;

#[cfg(test)]
mod tests;

use bert::Bert;
use config::{Layout, Pooling, read, wrong};

/// Texts that go through the model together.
const BATCH_MAX: usize = 32;

/// A model of the sentence-transformers layout: `config.json` of a BERT, `tokenizer.json`,
/// `model.safetensors`; and if they are there `modules.json`, the pooling's `config.json` (mean or
/// first token) and `sentence_bert_config.json`.
///
/// Longer texts are cut off. Vectors are the same each time on one machine; another processor, or
/// other texts in the same call, may change their last digits.
pub struct SentenceTransformer {
    id: String,
    layout: Layout,
    tokenizer: Tokenizer,
    bert: Bert,
}

impl SentenceTransformer {
    /// Reads a model from its directory. Its id has a hash of all that decides its vectors.
    ///
    /// # Errors
    /// `Io` if a file cannot be read, `Model` if one is not what it has to be: file and field are
    /// named.
    pub fn load(directory: &Path) -> Result<Self, EmbedError> {
        let layout = Layout::read(directory)?;
        let path = directory.join("tokenizer.json");
        let tokens = read(&path)?;
        let tokenizer = tokenizer(&path, &tokens, &layout)?;
        let path = directory.join("model.safetensors");
        let weights = read(&path)?;
        let id = id(&layout, &tokens, &weights);
        let weights = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)
            .map_err(|error| wrong(&path, error))?;
        // Models trained with a head on top have the transformer under a name.
        let inner = weights.pp("bert");
        let named = inner.contains_tensor("embeddings.word_embeddings.weight");
        let bert = Bert::load(if named { &inner } else { &weights }, &layout.config)
            .map_err(|error| wrong(&path, format!("does not fit config.json: {error}")))?;
        Ok(Self { id, layout, tokenizer, bert })
    }

    /// The batch's vectors, in its order; none of the texts is empty.
    fn forward(&self, batch: &[(usize, Vec<u32>)]) -> candle_core::Result<Vec<Vec<f32>>> {
        let longest = batch.iter().map(|(_, tokens)| tokens.len()).max().unwrap_or_default();
        let mut ids = Vec::with_capacity(batch.len() * longest);
        let mut mask = Vec::with_capacity(batch.len() * longest);
        for (_, tokens) in batch {
            ids.extend_from_slice(tokens);
            ids.resize(ids.len() + longest - tokens.len(), 0);
            mask.resize(mask.len() + tokens.len(), 1f32);
            mask.resize(ids.len(), 0.0);
        }
        let filled = mask.contains(&0.0);
        let shape = (batch.len(), longest);
        let ids = Tensor::from_vec(ids, shape, &Device::Cpu)?;
        let mask = Tensor::from_vec(mask, shape, &Device::Cpu)?;
        let state = self.bert.forward(&ids, filled.then_some(&mask))?;
        let pooled = match self.layout.pooling {
            Pooling::Cls => state.narrow(1, 0, 1)?.squeeze(1)?,
            Pooling::Mean => {
                let sum = state.broadcast_mul(&mask.unsqueeze(D::Minus1)?)?.sum(1)?;
                sum.broadcast_div(&mask.sum_keepdim(1)?)?
            }
        };
        let mut vectors: Vec<Vec<f32>> = pooled.to_vec2()?;
        vectors.iter_mut().for_each(|vector| {
            normalise(vector);
        });
        Ok(vectors)
    }
}

fn tokenizer(path: &Path, bytes: &[u8], layout: &Layout) -> Result<Tokenizer, EmbedError> {
    let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(|error| wrong(path, error))?;
    let highest = tokenizer.get_vocab(true).into_values().max().unwrap_or_default();
    let known = layout.config.vocab_size;
    if highest as usize >= known {
        let what = format!("has token {highest}; by config.json vocab_size is {known}");
        return Err(wrong(path, what));
    }
    let truncation = TruncationParams { max_length: layout.tokens_max, ..Default::default() };
    tokenizer.with_truncation(Some(truncation)).map_err(|error| wrong(path, error))?;
    tokenizer.with_padding(None);
    Ok(tokenizer)
}

fn id(layout: &Layout, tokenizer: &[u8], weights: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{:?} {:?} {}", layout.config, layout.pooling, layout.tokens_max));
    hash.update((tokenizer.len() as u64).to_le_bytes());
    hash.update(tokenizer);
    hash.update(weights);
    let hash: String = hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sentence-{}-{hash}", layout.config.hidden_size)
}

impl Embedder for SentenceTransformer {
    fn id(&self) -> &str {
        &self.id
    }

    fn dimensions(&self) -> usize {
        self.layout.config.hidden_size
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let mut tokens = Vec::with_capacity(texts.len());
        for (at, text) in texts.iter().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
            let encoded = self.tokenizer.encode_fast(*text, true);
            let encoded = encoded.map_err(|error| EmbedError::Model(error.to_string()))?;
            if !encoded.is_empty() {
                tokens.push((at, encoded.get_ids().to_vec()));
            }
        }
        // Those of about the same length go together, so that little is filled up.
        tokens.sort_by_key(|(_, tokens)| tokens.len());
        let mut vectors = vec![vec![0.0; self.dimensions()]; texts.len()];
        let mut rest = tokens.as_slice();
        while let Some((_, shortest)) = rest.first() {
            let most = shortest.len() + shortest.len() / 4;
            let fits = rest.partition_point(|(_, tokens)| tokens.len() <= most).min(BATCH_MAX);
            let (batch, after) = rest.split_at(fits);
            rest = after;
            let embedded = self.forward(batch).map_err(|e| EmbedError::Model(e.to_string()))?;
            for ((at, _), vector) in batch.iter().zip(embedded) {
                vectors[*at] = vector;
            }
        }
        Ok(vectors)
    }
}
