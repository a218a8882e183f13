//! An embedder that learns from the texts of a catalogue, and from nothing else: no weights to
//! download, any language, the same result everywhere.
//!
//! Words that keep the same company in texts have near vectors (`co_occurrence`); a text's vector is
//! the mean of its words, rare words counting more, without the direction that all texts share
//! (Arora, Liang, Ma, "A simple but tough-to-beat baseline for sentence embeddings", 2017).

use std::collections::HashMap;

use crate::numbers::{add_scaled, dot, normalise};
use crate::{EmbedError, Embedder};

mod ngrams;
mod saved;
mod trainer;
mod words;

#[cfg(test)]
mod tests;

use ngrams::Spellings;

pub use trainer::{Field, Trainer, TrainingOptions};

/// The `a` of Arora et al.: how much of all words a word may be before it counts for half.
const HALF_WEIGHT: f32 = 1e-3;

/// Different unknown words of a text that are looked up by their spelling.
const UNKNOWN_MAX: usize = 50;

/// Share of pieces in common (see [`Spellings::alike`]) from which on an unknown word is taken for a
/// known one misspelt or bent: "sofas" and "sofa" have 0.57, "ketle" and "kettle" 0.44.
const CLOSE: f32 = 0.4;

/// Learned from texts by a [`Trainer`].
pub struct TrainedEmbedder {
    id: String,
    dimensions: usize,
    words: Vec<String>,
    /// Share of each word in all words of all texts.
    shares: Vec<f32>,
    /// A row for each word: of length 1, or zeros.
    vectors: Vec<f32>,
    /// What all texts have in common, of length 1; empty if there are too few to tell.
    common: Vec<f32>,
    numbers: HashMap<String, u32>,
    spellings: Spellings,
}

impl TrainedEmbedder {
    fn new(
        id: String,
        dimensions: usize,
        words: Vec<String>,
        shares: Vec<f32>,
        vectors: Vec<f32>,
    ) -> Self {
        let numbers = (0..).zip(&words).map(|(number, word)| (word.clone(), number)).collect();
        let spellings = Spellings::of(words.iter().map(String::as_str));
        Self { id, dimensions, words, shares, vectors, common: Vec::new(), numbers, spellings }
    }

    /// Words it knows.
    #[must_use]
    pub fn word_count(&self) -> usize {
        self.words.len()
    }

    /// A vector of length 1, or all zeros for a text without a known word or one spelt alike. Of
    /// very long texts the beginning is used.
    #[must_use]
    pub fn embed_text(&self, text: &str) -> Vec<f32> {
        let mut occurrences: Vec<String> = words::words(text);
        occurrences.sort_unstable();
        let mut vector = vec![0.0; self.dimensions];
        let mut unknown = 0;
        for same in occurrences.chunk_by(|a, b| a == b) {
            let times = (same.len() as f32).sqrt();
            match self.numbers.get(&same[0]) {
                Some(number) => self.add_word(&mut vector, *number as usize, times),
                None if unknown < UNKNOWN_MAX => {
                    unknown += 1;
                    self.add_unknown(&mut vector, &same[0], times);
                }
                None => {}
            }
        }
        self.finish(&mut vector);
        vector
    }

    fn add_word(&self, vector: &mut [f32], number: usize, times: f32) {
        add_scaled(vector, self.weight(number) * times, self.word_vector(number));
    }

    fn weight(&self, number: usize) -> f32 {
        HALF_WEIGHT / (HALF_WEIGHT + self.shares[number])
    }

    /// The mean of the words spelt alike, those most alike counting by far the most; as a whole it
    /// counts for as much as it is like the first of them.
    fn add_unknown(&self, vector: &mut [f32], word: &str, times: f32) {
        let alike = self.spellings.alike(word);
        let weight = |share: f32| (share * share) * (share * share);
        let total: f32 = alike.iter().map(|(_, share)| weight(*share)).sum();
        for (number, share) in &alike {
            let part = weight(*share) / total * alike[0].1;
            self.add_word(vector, *number, part * times);
        }
    }

    fn finish(&self, vector: &mut [f32]) {
        // So that what is left can be compared with what there was.
        normalise(vector);
        if !self.common.is_empty() {
            let shared = dot(vector, &self.common);
            add_scaled(vector, -shared, &self.common);
        }
        if dot(vector, vector) < 1e-8 {
            vector.fill(0.0);
        }
        normalise(vector);
    }

    fn word_vector(&self, number: usize) -> &[f32] {
        &self.vectors[number * self.dimensions..][..self.dimensions]
    }
}

impl Embedder for TrainedEmbedder {
    fn id(&self) -> &str {
        &self.id
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        Ok(texts.iter().map(|text| self.embed_text(text)).collect())
    }

    /// Rare words count more, unknown ones most, as in a text's vector.
    fn known_share(&self, text: &str) -> f32 {
        let (mut known, mut all, mut unknown) = (0.0_f32, 0.0_f32, 0);
        for word in words::words(text) {
            if let Some(number) = self.numbers.get(&word) {
                let weight = self.weight(*number as usize);
                known += weight;
                all += weight;
                continue;
            }
            all += 1.0;
            unknown += 1;
            if unknown <= UNKNOWN_MAX {
                let alike = self.spellings.alike(&word);
                known += f32::from(u8::from(alike.first().is_some_and(|a| a.1 >= CLOSE)));
            }
        }
        if all > 0.0 { known / all } else { 0.0 }
    }
}
