//! What is searched: the index as it was after a commit, opened once and shared by all searches.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;
use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::BlockSegmentPostings;
use tantivy::schema::IndexRecordOption;
use tantivy::{InvertedIndexReader, Searcher, Term};

use super::Language;
use super::schema::{FIELDS, Layout};
use super::vocabulary::Near;
use super::words::stem;

mod known;
mod segment;
mod terms;

use known::Known;
pub(super) use segment::Segment;

/// `k1` of BM25 (Robertson, Zaragoza 2009): how soon more of the same word stops to count.
pub(super) const SATURATION: f32 = 1.2;
/// Prefixes up to this many characters have so many completions that they are remembered.
const SHORT_PREFIX: usize = 2;
const SHORT_PREFIXES_MAX: usize = 4_096;

type Error = tantivy::TantivyError;

pub(super) struct Snapshot {
    pub(super) segments: Vec<Segment>,
    /// Products that can be found.
    pub(super) documents: u64,
    /// Products, and those removed that still take room.
    pub(super) places: usize,
    /// For each field, by the byte that stands for its length in a product: what is added to the
    /// frequency of a word there to have it saturate.
    pub(super) norms: [Box<[f32; 256]>; FIELDS.len()],
    layout: Layout,
    language: Language,
    short_prefixes: Mutex<HashMap<String, Arc<Vec<Completion>>>>,
    /// Keeps the files.
    _searcher: Searcher,
}

/// A stem, and where its lists are.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stem {
    pub(super) text: String,
    /// For each segment its ordinal there, or [`ABSENT`].
    ordinals: Vec<u32>,
    /// Products that have it, removed ones among them.
    pub(super) frequency: u64,
}

/// In place of an ordinal: no product of the segment has the stem.
const ABSENT: u32 = u32::MAX;

impl Stem {
    /// Its ordinal in a segment.
    pub(super) fn at(&self, segment: usize) -> Option<u32> {
        self.ordinals.get(segment).copied().filter(|ordinal| *ordinal != ABSENT)
    }
}

/// What a word that is only begun may become.
#[derive(Debug)]
pub(super) struct Completion {
    pub(super) word: String,
    pub(super) stem: Stem,
}

impl Snapshot {
    /// Opens what was committed last; what it shares with the one before is taken from there.
    pub(super) fn open(
        layout: &Layout,
        language: Language,
        searcher: Searcher,
        before: Option<&Self>,
    ) -> Result<Self, Error> {
        let mut segments = Vec::new();
        let mut places = 0;
        for reader in searcher.segment_readers() {
            let segment = Segment::open(layout, reader, places, before)?;
            places += segment.numbers.len();
            segments.push(segment);
        }
        let mut norms = FIELDS.map(|_| Box::new([0.0; 256]));
        for (at, (rule, norms)) in FIELDS.iter().zip(&mut norms).enumerate() {
            let words: u64 =
                segments.iter().map(|segment| segment.fields[at].index.total_num_tokens()).sum();
            let mean = (words as f32 / places.max(1) as f32).max(f32::MIN_POSITIVE);
            for (id, norm) in (0..=u8::MAX).zip(norms.iter_mut()) {
                let length = FieldNormReader::id_to_fieldnorm(id) as f32;
                *norm = SATURATION * (1.0 - rule.length + rule.length * length / mean);
            }
        }
        Ok(Self {
            segments,
            documents: searcher.num_docs(),
            places,
            norms,
            layout: layout.clone(),
            language,
            short_prefixes: Mutex::default(),
            _searcher: searcher,
        })
    }

    /// The stem of a word as it is written.
    pub(super) fn stem_of(&self, word: &str) -> Result<Stem, Error> {
        self.stem(stem(self.language, word))
    }

    pub(super) fn stem(&self, text: String) -> Result<Stem, Error> {
        let mut ordinals = Vec::with_capacity(self.segments.len());
        let mut frequency = 0;
        for segment in &self.segments {
            let ordinal = segment.all.terms().term_ord(&text)?;
            let ordinal = ordinal.and_then(|ordinal| u32::try_from(ordinal).ok());
            frequency += ordinal.map_or(0, |ordinal| segment.terms.frequency(ordinal));
            ordinals.push(ordinal.unwrap_or(ABSENT));
        }
        Ok(Stem { text, ordinals, frequency })
    }

    /// To look up products as they were written.
    pub(super) fn known(&self) -> Result<Known<'_>, Error> {
        Known::open(self)
    }

    /// Whether a product that can be found has a stem.
    pub(super) fn has(&self, stem: &Stem) -> Result<bool, Error> {
        for (at, segment) in self.segments.iter().enumerate() {
            let Some(info) = stem.at(at).and_then(|ordinal| segment.terms.all(ordinal)) else {
                continue;
            };
            if !segment.reader.has_deletes() {
                return Ok(true);
            }
            let read = IndexRecordOption::Basic;
            let mut postings = segment.all.read_block_postings_from_terminfo(&info, read)?;
            let mut found = false;
            each(&mut postings, |docs, _| {
                found = docs.iter().any(|doc| !segment.reader.is_deleted(*doc));
                !found
            });
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a product that can be found has all of these stems.
    pub(super) fn has_all(&self, stems: &[Stem]) -> Result<bool, Error> {
        for (at, segment) in self.segments.iter().enumerate() {
            let with = segment.having(at, stems.iter())?;
            if with.iter().any(|doc| !segment.reader.is_deleted(*doc)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How much a word says that `frequency` products have: `ln(1 + (N - n + 0.5) / (n + 0.5))`.
    pub(super) fn rarity(&self, frequency: u64) -> f32 {
        let all = self.places as f32;
        let with = (frequency as f32).min(all);
        (1.0 + (all - with + 0.5) / (with + 0.5)).ln()
    }

    /// The `most` most frequent words that begin with `prefix`, the prefix itself left out.
    pub(super) fn completions(
        &self,
        prefix: &str,
        most: usize,
    ) -> Result<Arc<Vec<Completion>>, Error> {
        let short = prefix.chars().count() <= SHORT_PREFIX;
        // What panicked while it held the lock left at worst one prefix out.
        let remembered = || self.short_prefixes.lock().unwrap_or_else(|lock| lock.into_inner());
        if short && let Some(words) = remembered().get(prefix) {
            return Ok(words.clone());
        }
        let mut completions = Vec::new();
        for word in self.find_completions(prefix, most) {
            completions.push(Completion { word: word.to_owned(), stem: self.stem_of(word)? });
        }
        let words = Arc::new(completions);
        if short && remembered().len() < SHORT_PREFIXES_MAX {
            remembered().insert(prefix.to_owned(), words.clone());
        }
        Ok(words)
    }

    fn find_completions(&self, prefix: &str, most: usize) -> Vec<&str> {
        let mut words: Vec<(&str, u64)> = match self.segments.as_slice() {
            [one] => one.words.completions(prefix).map(|(w, n)| (w, u64::from(n))).collect(),
            several => {
                let mut frequencies = FxHashMap::default();
                for (word, frequency) in
                    several.iter().flat_map(|segment| segment.words.completions(prefix))
                {
                    *frequencies.entry(word).or_default() += u64::from(frequency);
                }
                frequencies.into_iter().collect()
            }
        };
        words.retain(|(word, _)| *word != prefix);
        let order = |a: &(&str, u64), b: &(&str, u64)| b.1.cmp(&a.1).then(a.0.cmp(b.0));
        if words.len() > most {
            words.select_nth_unstable_by(most, order);
            words.truncate(most);
        }
        words.sort_unstable_by(order);
        words.into_iter().map(|(word, _)| word).collect()
    }

    /// Words within `distance_max` of `word`: the nearest first, then the most frequent, then by
    /// their letters.
    pub(super) fn near(&self, word: &str, distance_max: usize) -> Vec<(&str, usize)> {
        let mut near: Vec<Near<'_>> = Vec::new();
        for segment in &self.segments {
            segment.words.near(word, distance_max, &mut near);
        }
        near.sort_unstable_by(|a, b| a.word.cmp(b.word));
        let mut words: Vec<(Near<'_>, u64)> = Vec::new();
        for one in near {
            let frequency = u64::from(one.frequency);
            match words.last_mut().filter(|(last, _)| last.word == one.word) {
                Some((_, sum)) => *sum += frequency,
                None => words.push((one, frequency)),
            }
        }
        words.sort_by(|(a, m), (b, n)| a.distance.cmp(&b.distance).then(n.cmp(m)));
        words.into_iter().map(|(near, _)| (near.word, near.distance)).collect()
    }

    pub(super) fn surface_term(&self, word: &str) -> Term {
        Term::from_field_text(self.layout.surface, word)
    }
}

/// Opens the list of products with a term; `None` if none has it.
pub(super) fn postings(
    index: &InvertedIndexReader,
    term: &Term,
    record: IndexRecordOption,
) -> Result<Option<BlockSegmentPostings>, Error> {
    Ok(index.read_block_postings(term, record)?)
}

/// Hands over products and frequencies, some at a time, until there are no more or `visit` says so.
pub(super) fn each(
    postings: &mut BlockSegmentPostings,
    mut visit: impl FnMut(&[u32], &[u32]) -> bool,
) {
    while !postings.docs().is_empty() {
        if !visit(postings.docs(), postings.freqs()) {
            return;
        }
        postings.advance();
    }
}
