//! What is searched: the index as it was after a commit, opened once and shared by all searches.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tantivy::fieldnorm::FieldNormReader;
use tantivy::index::SegmentId;
use tantivy::postings::BlockSegmentPostings;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet, InvertedIndexReader, Searcher, SegmentReader, Term};

use super::schema::{FIELDS, Layout, NUMBER};
use super::vocabulary::{Near, SegmentWords};

mod known;

use known::Known;

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
    short_prefixes: Mutex<HashMap<String, Arc<Vec<String>>>>,
    /// Keeps the files.
    _searcher: Searcher,
}

pub(super) struct Segment {
    id: SegmentId,
    pub(super) reader: SegmentReader,
    /// Place of its first product among those of all segments.
    pub(super) offset: usize,
    pub(super) numbers: Arc<Vec<i64>>,
    pub(super) words: Arc<SegmentWords>,
    pub(super) fields: [(Arc<InvertedIndexReader>, FieldNormReader); FIELDS.len()],
    pub(super) all: Arc<InvertedIndexReader>,
    pub(super) surface: Arc<InvertedIndexReader>,
}

impl Snapshot {
    /// Opens what was committed last; what it shares with the one before is taken from there.
    pub(super) fn open(
        layout: &Layout,
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
                segments.iter().map(|segment| segment.fields[at].0.total_num_tokens()).sum();
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
            short_prefixes: Mutex::default(),
            _searcher: searcher,
        })
    }

    /// Products with a stem, removed ones among them.
    pub(super) fn frequency(&self, stem: &str) -> Result<u64, Error> {
        let term = Term::from_field_text(self.layout.all, stem);
        let mut frequency = 0;
        for segment in &self.segments {
            frequency += u64::from(segment.all.doc_freq(&term)?);
        }
        Ok(frequency)
    }

    /// To look up products as they were written.
    pub(super) fn known(&self) -> Result<Known<'_>, Error> {
        Known::open(self)
    }

    /// Whether a product that can be found has a stem.
    pub(super) fn has(&self, stem: &str) -> Result<bool, Error> {
        let term = Term::from_field_text(self.layout.all, stem);
        for segment in &self.segments {
            let Some(mut postings) = postings(&segment.all, &term, IndexRecordOption::Basic)?
            else {
                continue;
            };
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
    pub(super) fn has_all(&self, stems: &[String]) -> Result<bool, Error> {
        let terms: Vec<_> = stems.iter().map(|stem| self.stem_term(stem)).collect();
        for segment in &self.segments {
            let with = segment.having(&terms)?;
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
    pub(super) fn completions(&self, prefix: &str, most: usize) -> Arc<Vec<String>> {
        let short = prefix.chars().count() <= SHORT_PREFIX;
        // What panicked while it held the lock left at worst one prefix out.
        let remembered = || self.short_prefixes.lock().unwrap_or_else(|lock| lock.into_inner());
        if short && let Some(words) = remembered().get(prefix) {
            return words.clone();
        }
        let words = Arc::new(self.find_completions(prefix, most));
        if short && remembered().len() < SHORT_PREFIXES_MAX {
            remembered().insert(prefix.to_owned(), words.clone());
        }
        words
    }

    fn find_completions(&self, prefix: &str, most: usize) -> Vec<String> {
        let mut words: Vec<(&str, u64)> = match self.segments.as_slice() {
            [one] => one.words.completions(prefix).map(|(w, n)| (w, u64::from(n))).collect(),
            several => {
                let mut frequencies = HashMap::new();
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
        words.into_iter().map(|(word, _)| word.to_owned()).collect()
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

    pub(super) fn stem_term(&self, stem: &str) -> Term {
        Term::from_field_text(self.layout.all, stem)
    }

    pub(super) fn surface_term(&self, word: &str) -> Term {
        Term::from_field_text(self.layout.surface, word)
    }

    pub(super) fn field_term(&self, field: usize, stem: &str) -> Term {
        Term::from_field_text(self.layout.fields[field], stem)
    }
}

impl Segment {
    fn open(
        layout: &Layout,
        reader: &SegmentReader,
        offset: usize,
        before: Option<&Snapshot>,
    ) -> Result<Self, Error> {
        let id = reader.segment_id();
        let old = before.and_then(|before| before.segments.iter().find(|old| old.id == id));
        let index = |field: Field| reader.inverted_index(field);
        let surface = index(layout.surface)?;
        let (numbers, words) = match old {
            Some(old) => (old.numbers.clone(), old.words.clone()),
            None => {
                let column = reader.fast_fields().i64(NUMBER)?;
                let mut numbers = vec![0; reader.max_doc() as usize];
                for (doc, number) in (0..reader.max_doc()).zip(&mut numbers) {
                    *number = column.first(doc).unwrap_or_default();
                }
                (Arc::new(numbers), Arc::new(SegmentWords::read(surface.terms())?))
            }
        };
        let mut fields = Vec::new();
        for field in layout.fields {
            fields.push((index(field)?, reader.get_fieldnorms_reader(field)?));
        }
        let fields = fields
            .try_into()
            .map_err(|_| Error::InternalError("as many readers as fields".to_owned()))?;
        let all = index(layout.all)?;
        Ok(Self { id, reader: reader.clone(), offset, numbers, words, fields, all, surface })
    }

    /// Products, removed ones among them, that have all of some stems; ascending.
    pub(super) fn having(&self, terms: &[Term]) -> Result<Vec<u32>, Error> {
        let mut found = Vec::new();
        for term in terms {
            let Some(info) = self.all.get_term_info(term)? else { return Ok(Vec::new()) };
            found.push(info);
        }
        found.sort_by_key(|info| info.doc_freq);
        let Some((rarest, others)) = found.split_first() else { return Ok(Vec::new()) };
        let read = IndexRecordOption::Basic;
        let mut docs = Vec::with_capacity(rarest.doc_freq as usize);
        each(&mut self.all.read_block_postings_from_terminfo(rarest, read)?, |more, _| {
            docs.extend_from_slice(more);
            true
        });
        for info in others {
            let mut postings = self.all.read_postings_from_terminfo(info, read)?;
            docs.retain(|doc| postings.doc() <= *doc && postings.seek(*doc) == *doc);
        }
        Ok(docs)
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
