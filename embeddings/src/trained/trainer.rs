//! Takes in texts and what was bought together, and makes a model of it.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::{TrainedEmbedder, words};
use crate::co_occurrence::baskets::Baskets;
use crate::numbers::{Random, add_scaled, dot, normalise};
use crate::{CoOccurrenceOptions, ItemVectors};

/// How a model is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainingOptions {
    /// Length of every vector.
    pub dimensions: usize,
    /// Most words that get a vector of their own; those in the most texts do.
    pub words_max: usize,
    /// Texts that a word has to be in.
    pub texts_min: usize,
    /// How much what was bought together counts for at most, against the texts.
    pub baskets_share: f32,
    pub seed: u64,
}

impl Default for TrainingOptions {
    fn default() -> Self {
        Self { dimensions: 128, words_max: 30_000, texts_min: 1, baskets_share: 0.3, seed: 1 }
    }
}

/// A part of a text, such as a title.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Field<'a> {
    pub text: &'a str,
    /// Words seen together count for the product of their weights. 1 is the usual weight.
    pub weight: f32,
}

/// Fewer than these do not tell what all texts have in common from what these happen to have.
const TEXTS_FOR_COMMON: usize = 100;

/// Texts looked at to find what all have in common.
const TEXTS_SAMPLED: usize = 20_000;

/// Steps of the power iteration for it.
const STEPS: usize = 20;

/// Words of a text that were seen together; a longer one is dealt out.
const TOGETHER_MAX: usize = 100;

/// Words of texts bought together; a longer basket is dealt out, texts longer than half of this
/// each alone, so that they gain nothing from it.
const BOUGHT_TOGETHER_MAX: usize = 200;

/// The same texts and baskets in the same order, with the same options, give the same model.
pub struct Trainer {
    options: TrainingOptions,
    input: Sha256,
    numbers: HashMap<String, u32>,
    words: Vec<String>,
    /// Words of all texts one behind the other; in each text, ascending and different.
    entries: Vec<(u32, f32)>,
    ends: Vec<usize>,
    baskets: Vec<Vec<u32>>,
}

impl Trainer {
    #[must_use]
    pub fn new(options: TrainingOptions) -> Self {
        let options = TrainingOptions { dimensions: options.dimensions.max(1), ..options };
        let mut input = Sha256::new();
        input.update(b"trained embedder 1");
        for number in [options.dimensions, options.words_max, options.texts_min] {
            input.update((number as u64).to_le_bytes());
        }
        input.update(options.baskets_share.to_le_bytes());
        input.update(options.seed.to_le_bytes());
        Self {
            options,
            input,
            numbers: HashMap::new(),
            words: Vec::new(),
            entries: Vec::new(),
            ends: Vec::new(),
            baskets: Vec::new(),
        }
    }

    /// Takes in a text; texts are numbered from 0. A field whose weight is not a positive number is
    /// left out.
    pub fn text(&mut self, fields: &[Field<'_>]) {
        self.input.update(b"text");
        self.input.update((fields.len() as u64).to_le_bytes());
        let from = self.entries.len();
        for field in fields {
            self.input.update(field.weight.to_le_bytes());
            self.input.update((field.text.len() as u64).to_le_bytes());
            self.input.update(field.text);
            if field.weight.is_finite() && field.weight > 0.0 {
                for word in words::words(field.text) {
                    let number = self.number(word);
                    self.entries.push((number, field.weight));
                }
            }
        }
        let own = &mut self.entries[from..];
        own.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        let mut own = own.to_vec();
        own.dedup_by_key(|entry| entry.0);
        self.entries.truncate(from);
        self.entries.append(&mut own);
        self.ends.push(self.entries.len());
    }

    /// Takes in numbers of texts of things that were bought together: brings their words closer.
    /// Numbers that no text has are left out.
    pub fn basket(&mut self, texts: &[u32]) {
        self.input.update(b"basket");
        self.input.update((texts.len() as u64).to_le_bytes());
        texts.iter().for_each(|text| self.input.update(text.to_le_bytes()));
        self.baskets.push(texts.to_vec());
    }

    fn number(&mut self, word: String) -> u32 {
        if let Some(number) = self.numbers.get(&word) {
            return *number;
        }
        let number = self.words.len() as u32;
        self.words.push(word.clone());
        self.numbers.insert(word, number);
        number
    }

    /// Learns. Takes time for about the square of each text's words, and memory as
    /// [`embed_baskets`](crate::embed_baskets) does.
    #[must_use]
    pub fn train(mut self) -> TrainedEmbedder {
        let shares = self.choose_words();
        let options = CoOccurrenceOptions {
            dimensions: self.options.dimensions,
            seed: self.options.seed,
            basket_max: TOGETHER_MAX,
            ..CoOccurrenceOptions::default()
        };
        let matrix = self.together().ppmi(options.negatives, options.neighbours_max);
        let vectors = ItemVectors::of_matrix(&matrix, &options).into_values();
        let digest = std::mem::take(&mut self.input).finalize();
        let hash: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let id = format!("trained-{}-{hash}", self.options.dimensions);
        let words = std::mem::take(&mut self.words);
        let mut model = TrainedEmbedder::new(id, self.options.dimensions, words, shares, vectors);
        model.common = self.common(&model);
        model
    }

    /// Numbers anew the words that get a vector, those in the most texts first, and forgets the
    /// others. Returns the share of each in all of them.
    fn choose_words(&mut self) -> Vec<f32> {
        let mut texts = vec![0u32; self.words.len()];
        self.entries.iter().for_each(|(word, _)| texts[*word as usize] += 1);
        let mut order: Vec<usize> =
            (0..texts.len()).filter(|at| texts[*at] as usize >= self.options.texts_min).collect();
        order.sort_by(|a, b| {
            texts[*b].cmp(&texts[*a]).then_with(|| self.words[*a].cmp(&self.words[*b]))
        });
        order.truncate(self.options.words_max);
        let mut anew = vec![None; self.words.len()];
        (0..).zip(&order).for_each(|(number, at)| anew[*at] = Some(number));
        let mut kept = Vec::new();
        let mut from = 0;
        for end in &mut self.ends {
            let words = self.entries[from..*end].iter();
            kept.extend(words.filter_map(|(word, weight)| Some((anew[*word as usize]?, *weight))));
            from = std::mem::replace(end, kept.len());
        }
        self.entries = kept;
        self.words = order.iter().map(|at| std::mem::take(&mut self.words[*at])).collect();
        let total = self.entries.len() as f32;
        order.iter().map(|at| texts[*at] as f32 / total).collect()
    }

    fn words_of(&self, text: usize) -> &[(u32, f32)] {
        let Some(end) = self.ends.get(text) else { return &[] };
        let from = if text == 0 { 0 } else { self.ends[text - 1] };
        &self.entries[from..*end]
    }

    /// Which words were together: in texts, and across texts of what was bought together.
    fn together(&self) -> Baskets {
        let mut together = Baskets::new(self.words.len());
        let mut entries = Vec::new();
        let mut parts = Vec::with_capacity(self.ends.len());
        for text in 0..self.ends.len() {
            let first = together.len();
            entries.clear();
            entries.extend_from_slice(self.words_of(text));
            together.add(&mut entries, TOGETHER_MAX);
            parts.push(first..together.len());
        }
        let of_texts = together.len();
        let mut bought = vec![0u32; self.ends.len()];
        for (number, basket) in (0..).zip(&self.baskets) {
            let mut texts: Vec<u32> =
                basket.iter().copied().filter(|text| (*text as usize) < self.ends.len()).collect();
            texts.sort_unstable();
            texts.dedup();
            // A long one is dealt out as `Baskets::add` does, but whole texts.
            Random::new(number).shuffle(&mut texts);
            let words = |text: &u32| self.words_of(*text as usize);
            let total = texts.iter().flat_map(words).map(|entry| f64::from(entry.1)).sum();
            let mut rest = texts.as_slice();
            while !rest.is_empty() {
                let mut room = BOUGHT_TOGETHER_MAX;
                let fits = rest.iter().take_while(|text| {
                    let fits = words(text).len() <= room;
                    room = room.saturating_sub(words(text).len());
                    fits
                });
                let (dealt, after) = rest.split_at(fits.count().max(1));
                rest = after;
                if dealt.len() > 1 {
                    dealt.iter().for_each(|text| bought[*text as usize] += 1);
                    together.push(&sum(dealt.iter().flat_map(words)), total);
                }
            }
        }
        let within: Vec<(usize, u32)> = parts
            .into_iter()
            .zip(bought)
            .flat_map(|(parts, times)| parts.map(move |part| (part, times)))
            .collect();
        together.only_across(of_texts, &within, f64::from(self.options.baskets_share));
        together
    }

    /// The first principal direction of the texts' vectors, by power iteration; empty if there are
    /// too few texts.
    fn common(&self, model: &TrainedEmbedder) -> Vec<f32> {
        if self.ends.len() < TEXTS_FOR_COMMON {
            return Vec::new();
        }
        let step = self.ends.len().div_ceil(TEXTS_SAMPLED);
        let mut common = vec![0.0; model.dimensions];
        let mut vectors = Vec::new();
        for text in (0..self.ends.len()).step_by(step) {
            let mut vector = vec![0.0; model.dimensions];
            for (word, _) in self.words_of(text) {
                model.add_word(&mut vector, *word as usize, 1.0);
            }
            normalise(&mut vector);
            add_scaled(&mut common, 1.0, &vector);
            vectors.push(vector);
        }
        for _ in 0..STEPS {
            normalise(&mut common);
            let mut next = vec![0.0; model.dimensions];
            for vector in &vectors {
                add_scaled(&mut next, dot(vector, &common), vector);
            }
            common = next;
        }
        if normalise(&mut common) { common } else { Vec::new() }
    }
}

/// Each word once, with the sum of its weights.
fn sum<'a>(entries: impl Iterator<Item = &'a (u32, f32)>) -> Vec<(u32, f32)> {
    let mut entries: Vec<(u32, f32)> = entries.copied().collect();
    entries.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    entries.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        kept.1 += if same { next.1 } else { 0.0 };
        same
    });
    entries
}
