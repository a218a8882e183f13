//! Finds products by words.
//!
//! What matches what:
//!
//! - Words are compared by their stems, in lower case and without accents, in the product's name,
//!   brand, categories, tags, attributes and description; see `words` for what is a word, and
//!   `schema` for how much each field counts. A product that has the very word that was typed comes
//!   before one that is the same otherwise but has only another form of it.
//! - Products that have all words, in any fields, come first, and are all there is if they are ten
//!   or more. If not, those follow that lack one word, then those that lack two, and so on until
//!   there are ten; whoever has more of the words is always before whoever has fewer. It depends on
//!   the text alone, so filters and pages do not change what matches.
//! - The last word also stands for the words it may become, unless something follows it, were it
//!   only a space.
//! - A word that is in no product is taken for misspelt and repaired (see `plan::repair`). If it
//!   cannot be, it is one of the words that all products lack.
//! - Synonyms, words written together or apart, and completions stand in for a word where it is
//!   missing, and count a little less than it.
//! - Nothing is a query language. A text without any letter or digit matches nothing.
//!
//! Of a text, the first 32 words are searched.

use std::collections::BTreeMap;

mod distance;
mod errors;
mod index;
mod language;
mod plan;
mod ranking;
mod schema;
mod snapshot;
mod synonyms;
mod vocabulary;
mod words;

#[cfg(test)]
mod tests;

pub use index::TextIndex;
pub use language::{Language, UnknownLanguage};
pub use synonyms::{Synonyms, SynonymsError};

/// How words are understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextSettings {
    /// If it changes, the index is filled anew.
    pub language: Language,
    pub synonyms: Synonyms,
}

/// What matches a text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TextMatches {
    /// The number of each product and its score, in no order. Higher is better; to be compared only
    /// within one answer.
    pub scores: Vec<(i64, f32)>,
    /// What was searched for in the end, if words of the text were taken for misspelt.
    pub corrected: Option<String>,
    /// If asked for: the words that matched, by field, by the product's number, for the best 200.
    pub matched: BTreeMap<i64, BTreeMap<String, Vec<String>>>,
}
