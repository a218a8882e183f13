//! What the index has of a product, by its id.

use std::sync::Arc;

use domain::ProductId;
use tantivy::columnar::Column;
use tantivy::schema::IndexRecordOption;
use tantivy::{InvertedIndexReader, SegmentReader};

use super::{Error, Snapshot, each, postings};
use crate::text::schema::{FINGERPRINT, Layout};

/// Products by their ids. Opened for some products and closed again: changes are rarer than searches,
/// which need none of it.
pub(in super::super) struct Known<'a> {
    layout: &'a Layout,
    segments: Vec<(&'a SegmentReader, Arc<InvertedIndexReader>, Column<u64>)>,
}

impl<'a> Known<'a> {
    pub(super) fn open(snapshot: &'a Snapshot) -> Result<Self, Error> {
        let layout = &snapshot.layout;
        let mut segments = Vec::new();
        for segment in &snapshot.segments {
            let reader = &segment.reader;
            let ids = reader.inverted_index(layout.id)?;
            segments.push((reader, ids, reader.fast_fields().u64(FINGERPRINT)?));
        }
        Ok(Self { layout, segments })
    }

    /// What was written of the product; `None` if it cannot be found.
    pub(in super::super) fn fingerprint(&self, id: ProductId) -> Result<Option<u64>, Error> {
        let term = self.layout.id_term(id);
        let mut found = None;
        for (reader, ids, fingerprints) in &self.segments {
            let Some(mut postings) = postings(ids, &term, IndexRecordOption::Basic)? else {
                continue;
            };
            each(&mut postings, |docs, _| {
                let alive = docs.iter().find(|doc| !reader.is_deleted(**doc));
                found = alive.and_then(|doc| fingerprints.first(*doc));
                found.is_none()
            });
            if found.is_some() {
                break;
            }
        }
        Ok(found)
    }
}
