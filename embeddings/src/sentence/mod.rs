//! Sentence transformers: BERT-like models in a directory of the layout that the sentence-transformers
//! library writes, run on the processor.

use std::path::Path;

use safetensors::SafeTensors;
use sha2::{Digest, Sha256};
use tokenizers::{Tokenizer, TruncationParams};

use crate::numbers::{add_scaled, normalise};
use crate::{EmbedError, Embedder};

mod activation;
mod bert;
mod config;
mod linear;
mod weights;

#[cfg(test)]
mod tests;

use bert::Bert;
use config::{Layout, Pooling, read, wrong};
use weights::Weights;

/// Tokens that go through the model together, unless one text has more: what is worked out for them
/// stays near the processor.
const TOKENS_TOGETHER: usize = 128;

/// A model of the sentence-transformers layout: `config.json` of a BERT, `tokenizer.json`,
/// `model.safetensors`; and if they are there `modules.json`, the pooling's `config.json` (mean or
/// first token) and `sentence_bert_config.json`.
///
/// Longer texts are cut off. Vectors are the same each time on one machine, whatever else is in the
/// same call; another processor may change their last digits. A call takes one thread, its own.
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
        let file = SafeTensors::deserialize(&weights).map_err(|error| wrong(&path, error))?;
        let weights = Weights::new(&file);
        // Models trained with a head on top have the transformer under a name.
        let inner = weights.of("bert");
        let named = inner.has("embeddings.word_embeddings.weight");
        let bert = Bert::load(if named { &inner } else { &weights }, &layout.config)
            .map_err(|error| wrong(&path, format!("does not fit config.json: {error}")))?;
        Ok(Self { id, layout, tokenizer, bert })
    }

    /// The texts' vectors, in their order; none of the texts is empty.
    fn forward(&self, texts: &[&[u32]]) -> Vec<Vec<f32>> {
        let state = self.bert.forward(texts);
        let mut rows = state.chunks_exact(self.dimensions());
        let pool = |tokens: &&[u32]| {
            let mut sum = vec![0.0; self.dimensions()];
            for (at, row) in rows.by_ref().take(tokens.len()).enumerate() {
                if at == 0 || self.layout.pooling == Pooling::Mean {
                    add_scaled(&mut sum, 1.0, row);
                }
            }
            // The mean has the same direction as the sum.
            normalise(&mut sum);
            sum
        };
        texts.iter().map(pool).collect()
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
        let mut vectors = vec![vec![0.0; self.dimensions()]; texts.len()];
        let mut rest = tokens.as_slice();
        while !rest.is_empty() {
            let mut together = 0;
            let fits = |(_, tokens): &&(usize, Vec<u32>)| {
                together += tokens.len();
                together <= TOKENS_TOGETHER
            };
            let count = rest.iter().take_while(fits).count().max(1);
            let (batch, after) = rest.split_at(count);
            rest = after;
            let of_batch: Vec<&[u32]> = batch.iter().map(|(_, tokens)| tokens.as_slice()).collect();
            for ((at, _), vector) in batch.iter().zip(self.forward(&of_batch)) {
                vectors[*at] = vector;
            }
        }
        Ok(vectors)
    }
}
