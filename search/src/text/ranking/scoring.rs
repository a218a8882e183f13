//! What each word is worth, in each field of each product that is wanted.

use tantivy::postings::{Postings, TermInfo};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, InvertedIndexReader, TantivyError};

use super::super::plan::{Plan, Word};
use super::super::schema::{FIELDS, SURFACE_BOOST};
use super::super::snapshot::{SATURATION, Segment, Snapshot, each};
use super::{Hit, Room};

/// Where fewer products than one in so many are wanted, they are looked up, rather than all read.
const SPARSE: usize = 16;

/// Works out scores in one segment.
pub(super) struct Scoring<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) segment: &'a Segment,
    /// Words that a product needs to be worth it.
    pub(super) needed: u32,
}

/// Products that have a word in one field, and what it is worth there.
pub(super) struct List<'a> {
    pub(super) index: &'a InvertedIndexReader,
    pub(super) info: TermInfo,
    /// For the very word, which counts the same wherever and however often it is.
    pub(super) field: Option<usize>,
    weight: f32,
}

impl Scoring<'_> {
    pub(super) fn score(
        &self,
        plan: &Plan,
        standing_in: &[Vec<u32>],
        hits: &mut [Hit],
        room: &mut Room,
    ) -> Result<(), TantivyError> {
        if hits.is_empty() {
            return Ok(());
        }
        let mut wanted = Vec::new();
        for word in plan.asked.iter().flat_map(|phrase| &phrase.words) {
            for list in self.lists(word)? {
                if hits.len() >= list.info.doc_freq as usize / SPARSE {
                    self.read(&list, room)?;
                    continue;
                }
                if wanted.is_empty() {
                    wanted.extend(hits.iter().map(|hit| (hit.doc, 1.0)));
                    wanted.sort_unstable_by_key(|(doc, _)| *doc);
                }
                self.look_up(&list, &wanted, &mut room.scores)?;
            }
        }
        let mut docs = Vec::new();
        for (phrase, with) in plan.stand_ins.iter().zip(standing_in) {
            docs.clear();
            for doc in with {
                let place = self.segment.offset + *doc as usize;
                let missing = phrase.covers & !room.counted[place];
                if missing != 0 && room.has[place].count_ones() >= self.needed {
                    // What is there itself has been counted.
                    let share = missing.count_ones() as f32 / phrase.covers.count_ones() as f32;
                    docs.push((*doc, share));
                    room.counted[place] |= phrase.covers;
                }
            }
            if docs.is_empty() {
                continue;
            }
            for word in &phrase.words {
                for list in self.lists(word)? {
                    self.look_up(&list, &docs, &mut room.scores)?;
                }
            }
        }
        for hit in hits {
            hit.score = room.scores[self.segment.offset + hit.doc as usize];
        }
        Ok(())
    }

    pub(super) fn lists(&self, word: &Word) -> Result<Vec<List<'_>>, TantivyError> {
        let mut lists = Vec::with_capacity(FIELDS.len() + 1);
        for (at, (rule, (index, _))) in FIELDS.iter().zip(&self.segment.fields).enumerate() {
            let term = self.snapshot.field_term(at, &word.stem);
            if let Some(info) = index.get_term_info(&term)? {
                let weight = word.weight * rule.boost * (SATURATION + 1.0);
                lists.push(List { index, info, field: Some(at), weight });
            }
        }
        if let Some(surface) = &word.surface {
            let index = &self.segment.surface;
            if let Some(info) = index.get_term_info(&self.snapshot.surface_term(surface))? {
                let weight = word.weight * SURFACE_BOOST;
                lists.push(List { index, info, field: None, weight });
            }
        }
        Ok(lists)
    }

    /// Counts a list by going through all of it.
    fn read(&self, list: &List<'_>, room: &mut Room) -> Result<(), TantivyError> {
        let read = IndexRecordOption::WithFreqs;
        let mut postings = list.index.read_block_postings_from_terminfo(&list.info, read)?;
        let worth = self.worth(list);
        let offset = self.segment.offset;
        // Lists without frequencies hand over none.
        let once = [1; 128];
        each(&mut postings, |docs, frequencies| {
            let frequencies = if list.field.is_some() { frequencies } else { &once };
            for (doc, frequency) in docs.iter().zip(frequencies) {
                let place = offset + *doc as usize;
                if room.has[place].count_ones() >= self.needed {
                    room.scores[place] += worth(*doc, *frequency);
                }
            }
            true
        });
        Ok(())
    }

    /// Counts a list for some products only, each with its share.
    fn look_up(
        &self,
        list: &List<'_>,
        wanted: &[(u32, f32)],
        scores: &mut [f32],
    ) -> Result<(), TantivyError> {
        let read = IndexRecordOption::WithFreqs;
        let mut postings = list.index.read_postings_from_terminfo(&list.info, read)?;
        let worth = self.worth(list);
        for (doc, share) in wanted {
            if postings.doc() <= *doc && postings.seek(*doc) == *doc {
                let place = self.segment.offset + *doc as usize;
                scores[place] += share * worth(*doc, postings.term_freq());
            }
        }
        Ok(())
    }

    fn worth<'a>(&'a self, list: &List<'_>) -> impl Fn(u32, u32) -> f32 + 'a {
        let weight = list.weight;
        let field = list.field.map(|at| (&self.segment.fields[at].1, &self.snapshot.norms[at]));
        move |doc, frequency| {
            let Some((lengths, norms)) = field else { return weight };
            let frequency = frequency as f32;
            weight * frequency / (frequency + norms[lengths.fieldnorm_id(doc) as usize])
        }
    }
}
