//! How products are found, as the command line says it.

use std::path::PathBuf;

use clap::Args;
use search::text::{Language, Synonyms};

use super::Failure;
use crate::compose::{FindingOptions, SearchPlace};

const FINDING: &str = "Finding products";

#[derive(Debug, Args)]
pub(super) struct FindingArgs {
    /// A Meilisearch server to search in, http://HOST:7700, which several nodes may share; without it,
    /// an index in the data directory.
    #[arg(long, env = "TILLROLL_SEARCH", value_name = "URL", help_heading = FINDING)]
    search: Option<String>,
    /// The key for it, with all rights on its indexes.
    #[arg(long, env = "TILLROLL_SEARCH_KEY", hide_env_values = true, requires = "search")]
    #[arg(value_name = "KEY", help_heading = FINDING)]
    search_key: Option<String>,
    /// Name of its index.
    #[arg(long, env = "TILLROLL_SEARCH_INDEX", default_value = "products")]
    #[arg(value_name = "NAME", help_heading = FINDING)]
    search_index: String,
    /// Language of names and descriptions, for plurals and the like: english, german, french and others,
    /// or none.
    #[arg(long, env = "TILLROLL_SEARCH_LANGUAGE", default_value = "english")]
    #[arg(value_name = "LANGUAGE", help_heading = FINDING)]
    search_language: Language,
    /// A file with a line for each group of words that mean the same: `sofa, couch`, or one way only,
    /// `tv => television`.
    #[arg(long, env = "TILLROLL_SYNONYMS", value_name = "FILE", help_heading = FINDING)]
    synonyms: Option<PathBuf>,
    /// The directory of a sentence transformer (config.json, tokenizer.json, model.safetensors); without
    /// it, what is near in meaning is learned from the shop's own products and orders.
    #[arg(long, env = "TILLROLL_SENTENCE_MODEL", value_name = "DIRECTORY", help_heading = FINDING)]
    sentence_model: Option<PathBuf>,
    /// Weight of what is near in meaning against what has the words, where both are fused.
    #[arg(long, env = "TILLROLL_SEMANTIC_WEIGHT", value_name = "WEIGHT", help_heading = FINDING)]
    #[arg(value_parser = weight)]
    semantic_weight: Option<f32>,
    /// The k of reciprocal-rank fusion: the larger, the less the first ranks count.
    #[arg(long, env = "TILLROLL_FUSION_K", value_name = "K", help_heading = FINDING)]
    #[arg(value_parser = weight)]
    fusion_k: Option<f32>,
}

/// A number that ranks can be weighed by.
fn weight(text: &str) -> Result<f32, String> {
    let number: f32 = text.parse().map_err(|_| "must be a number".to_owned())?;
    if number.is_finite() && (0.0..=10_000.0).contains(&number) {
        Ok(number)
    } else {
        Err("must be from 0 to 10000".to_owned())
    }
}

impl FindingArgs {
    pub(super) fn options(&self) -> Result<FindingOptions, Failure> {
        let place = match &self.search {
            Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
                SearchPlace::Meilisearch {
                    url: url.clone(),
                    key: self.search_key.clone(),
                    index: self.search_index.clone(),
                }
            }
            Some(_) => return Err("--search must be the http:// or https:// of a server".into()),
            None => SearchPlace::Embedded,
        };
        let synonyms = match &self.synonyms {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| format!("{}: {error}", path.display()))?;
                Synonyms::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?
            }
            None => Synonyms::default(),
        };
        Ok(FindingOptions {
            place,
            language: self.search_language,
            synonyms,
            sentence_model: self.sentence_model.clone(),
            semantic_weight: self.semantic_weight,
            fusion_k: self.fusion_k,
        })
    }
}
