//! A part of the index that never changes, and what of it is kept in memory.

use std::sync::Arc;

use tantivy::index::SegmentId;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet, InvertedIndexReader, SegmentReader};

use super::terms::Terms;
use super::{Error, Snapshot, Stem, each};
use crate::text::schema::{FIELDS, Layout, NUMBER};
use crate::text::vocabulary::SegmentWords;

pub(in super::super) struct Segment {
    id: SegmentId,
    pub(in super::super) reader: SegmentReader,
    /// Place of its first product among those of all segments.
    pub(in super::super) offset: usize,
    pub(in super::super) numbers: Arc<Vec<i64>>,
    pub(in super::super) words: Arc<SegmentWords>,
    pub(in super::super) terms: Arc<Terms>,
    pub(in super::super) fields: [SegmentField; FIELDS.len()],
    pub(in super::super) all: Arc<InvertedIndexReader>,
    pub(in super::super) surface: Arc<InvertedIndexReader>,
}

pub(in super::super) struct SegmentField {
    pub(in super::super) index: Arc<InvertedIndexReader>,
    /// For each product the byte that stands for the field's length.
    pub(in super::super) lengths: Arc<Vec<u8>>,
}

impl Segment {
    pub(super) fn open(
        layout: &Layout,
        reader: &SegmentReader,
        offset: usize,
        before: Option<&Snapshot>,
    ) -> Result<Self, Error> {
        let id = reader.segment_id();
        let old = before.and_then(|before| before.segments.iter().find(|old| old.id == id));
        let index = |field: Field| reader.inverted_index(field);
        let (all, surface) = (index(layout.all)?, index(layout.surface)?);
        let mut fields = Vec::new();
        for (at, field) in layout.fields.into_iter().enumerate() {
            let lengths = match old {
                Some(old) => old.fields[at].lengths.clone(),
                None => {
                    let lengths = reader.get_fieldnorms_reader(field)?;
                    Arc::new((0..reader.max_doc()).map(|doc| lengths.fieldnorm_id(doc)).collect())
                }
            };
            fields.push(SegmentField { index: index(field)?, lengths });
        }
        let (numbers, words, terms) = match old {
            Some(old) => (old.numbers.clone(), old.words.clone(), old.terms.clone()),
            None => {
                let column = reader.fast_fields().i64(NUMBER)?;
                let mut numbers = vec![0; reader.max_doc() as usize];
                for (doc, number) in (0..reader.max_doc()).zip(&mut numbers) {
                    *number = column.first(doc).unwrap_or_default();
                }
                let of_fields: Vec<_> = fields.iter().map(|field| field.index.terms()).collect();
                let terms = Terms::read(all.terms(), &of_fields)?;
                (Arc::new(numbers), Arc::new(SegmentWords::read(surface.terms())?), Arc::new(terms))
            }
        };
        let fields = fields
            .try_into()
            .map_err(|_| Error::InternalError("as many readers as fields".to_owned()))?;
        let reader = reader.clone();
        Ok(Self { id, reader, offset, numbers, words, terms, fields, all, surface })
    }

    /// Products, removed ones among them, that have all of some stems; ascending. `at` is the segment's
    /// place.
    pub(in super::super) fn having<'a>(
        &self,
        at: usize,
        stems: impl Iterator<Item = &'a Stem>,
    ) -> Result<Vec<u32>, Error> {
        let mut found = Vec::new();
        for stem in stems {
            let info = stem.at(at).and_then(|ordinal| self.terms.all(ordinal));
            let Some(info) = info else { return Ok(Vec::new()) };
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
