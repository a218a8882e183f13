//! The files beside a sentence transformer's weights that say how to use them.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::EmbedError;

/// `config.json`, as far as it matters.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Config {
    model_type: String,
    pub(super) hidden_size: usize,
    pub(super) num_hidden_layers: usize,
    pub(super) num_attention_heads: usize,
    pub(super) intermediate_size: usize,
    pub(super) vocab_size: usize,
    pub(super) max_position_embeddings: usize,
    #[serde(default = "two")]
    pub(super) type_vocab_size: usize,
    #[serde(default = "tiny")]
    pub(super) layer_norm_eps: f64,
    #[serde(default)]
    pub(super) hidden_act: Activation,
    #[serde(default)]
    position_embedding_type: Option<String>,
}

fn two() -> usize {
    2
}

fn tiny() -> f64 {
    1e-12
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(super) enum Activation {
    #[default]
    #[serde(rename = "gelu")]
    Gelu,
    /// Approximated by a hyperbolic tangent.
    #[serde(rename = "gelu_new", alias = "gelu_pytorch_tanh", alias = "gelu_fast")]
    GeluTanh,
    #[serde(rename = "relu")]
    Relu,
}

/// How the vectors of a text's tokens become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pooling {
    Mean,
    /// That of the first token.
    Cls,
}

/// What all the files say together.
pub(super) struct Layout {
    pub(super) config: Config,
    pub(super) pooling: Pooling,
    /// Longest text in tokens, those at its ends included.
    pub(super) tokens_max: usize,
}

/// What is wrong with a file of the model.
pub(super) fn wrong(path: &Path, what: impl std::fmt::Display) -> EmbedError {
    EmbedError::Model(format!("{}: {what}", path.display()))
}

impl Layout {
    pub(super) fn read(directory: &Path) -> Result<Self, EmbedError> {
        let path = directory.join("config.json");
        let config: Config = json(&path)?;
        config.check(&path)?;
        let pooling_path = pooling_path(directory)?;
        let pooling = match optional::<Value>(&pooling_path)? {
            Some(value) => pooling(&pooling_path, &value, config.hidden_size)?,
            None => Pooling::Mean,
        };
        let tokens_max = tokens_max(directory, config.max_position_embeddings)?;
        Ok(Self { config, pooling, tokens_max })
    }
}

impl Config {
    fn check(&self, path: &Path) -> Result<(), EmbedError> {
        if self.model_type != "bert" {
            return Err(wrong(path, format!("model_type is {:?}, not \"bert\"", self.model_type)));
        }
        if self.position_embedding_type.as_ref().is_some_and(|kind| kind != "absolute") {
            return Err(wrong(path, "position_embedding_type is not \"absolute\""));
        }
        for (field, value) in [
            ("hidden_size", self.hidden_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("intermediate_size", self.intermediate_size),
            ("vocab_size", self.vocab_size),
            ("type_vocab_size", self.type_vocab_size),
        ] {
            if value == 0 {
                return Err(wrong(path, format!("{field} is 0")));
            }
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return Err(wrong(path, "hidden_size is no multiple of num_attention_heads"));
        }
        if !(self.layer_norm_eps.is_finite() && self.layer_norm_eps >= 0.0) {
            return Err(wrong(path, "layer_norm_eps is no positive number"));
        }
        Ok(())
    }
}

/// `modules.json` names the steps after the transformer; only those that are made here may be there.
fn pooling_path(directory: &Path) -> Result<PathBuf, EmbedError> {
    #[derive(Deserialize)]
    struct Module {
        #[serde(default)]
        path: String,
        #[serde(rename = "type")]
        kind: String,
    }
    let path = directory.join("modules.json");
    let mut found = directory.join("1_Pooling");
    for module in optional::<Vec<Module>>(&path)?.unwrap_or_default() {
        match module.kind.rsplit('.').next().unwrap_or_default() {
            // Vectors have length 1 whether or not it is asked for.
            "Transformer" | "Normalize" => {}
            "Pooling" => found = directory.join(module.path),
            other => {
                let what = format!("type: {other:?} is none of Transformer, Pooling and Normalize");
                return Err(wrong(&path, what));
            }
        }
    }
    Ok(found.join("config.json"))
}

fn pooling(path: &Path, value: &Value, hidden_size: usize) -> Result<Pooling, EmbedError> {
    let size = &value["word_embedding_dimension"];
    if !size.is_null() && size.as_u64() != Some(hidden_size as u64) {
        let what = format!("word_embedding_dimension is {size}; hidden_size is {hidden_size}");
        return Err(wrong(path, what));
    }
    let fields = value.as_object().into_iter().flatten();
    let modes: Vec<&str> = fields
        .filter(|(_, on)| **on == Value::Bool(true))
        .filter_map(|(name, _)| name.strip_prefix("pooling_mode_"))
        .collect();
    match modes[..] {
        ["mean_tokens"] => Ok(Pooling::Mean),
        ["cls_token"] => Ok(Pooling::Cls),
        _ => {
            let what =
                format!("pooling_mode: {modes:?} is neither mean_tokens nor cls_token alone");
            Err(wrong(path, what))
        }
    }
}

fn tokens_max(directory: &Path, positions: usize) -> Result<usize, EmbedError> {
    #[derive(Deserialize)]
    struct Limits {
        max_seq_length: Option<usize>,
    }
    let path = directory.join("sentence_bert_config.json");
    let wanted = optional::<Limits>(&path)?.and_then(|limits| limits.max_seq_length);
    let most = wanted.unwrap_or(positions).min(positions);
    // One at each end, and one of the text.
    if most < 3 {
        let what = "max_seq_length and max_position_embeddings leave no room for a text";
        return Err(wrong(&path, what));
    }
    Ok(most)
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, EmbedError> {
    let bytes = read(path)?;
    serde_json::from_slice(&bytes).map_err(|error| wrong(path, error))
}

fn optional<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, EmbedError> {
    if path.exists() { json(path).map(Some) } else { Ok(None) }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, EmbedError> {
    fs::read(path).map_err(|source| EmbedError::Io { path: path.display().to_string(), source })
}
