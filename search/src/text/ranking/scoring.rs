//! What each word is worth, in each field of each product that is wanted.

use tantivy::postings::{Postings, TermInfo};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, InvertedIndexReader, TantivyError};

use super::super::plan::{Plan, Word};
use super::super::schema::{FIELDS, SURFACE_BOOST};
use super::super::snapshot::{SATURATION, Segment, Snapshot, each};
use super::{Hit, Room, count};

/// Where fewer products than one in so many are wanted, they are looked up, rather than all read.
const SPARSE: usize = 16;

/// Works out scores in one segment.
pub(super) struct Scoring<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) segment: &'a Segment,
    /// The segment's place among all.
    pub(super) at: usize,
    /// Words that a product needs to be worth it.
    pub(super) needed: u32,
    /// Whether products have words that were not touched.
    pub(super) some: bool,
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
        let lists = plan.asked.iter().flat_map(|phrase| &phrase.words).map(|word| self.lists(word));
        if self.some {
            // Nothing may be written where nobody wipes it away.
            wanted.extend(hits.iter().map(|hit| (hit.doc, 1.0)));
            wanted.sort_unstable_by_key(|(doc, _)| *doc);
            let lists: Vec<_> = lists.collect::<Result<Vec<_>, _>>()?;
            self.count(lists.iter().flatten(), &wanted, room)?;
        } else {
            for lists in lists {
                for list in lists? {
                    if hits.len() >= list.info.doc_freq as usize / SPARSE {
                        self.read(&list, None, &mut room.scores)?;
                        continue;
                    }
                    if wanted.is_empty() {
                        wanted.extend(hits.iter().map(|hit| (hit.doc, 1.0)));
                        wanted.sort_unstable_by_key(|(doc, _)| *doc);
                    }
                    self.look_up(&list, &wanted, &mut room.scores)?;
                }
            }
        }
        let mut docs = Vec::new();
        for (phrase, with) in plan.stand_ins.iter().zip(standing_in) {
            docs.clear();
            let words = phrase.covers.count_ones() as f32;
            for doc in with {
                let place = self.segment.offset + *doc as usize;
                let missing = phrase.covers & !room.counted[place];
                if missing != 0 && count(room.has[place]) >= self.needed {
                    // What is there itself has been counted.
                    docs.push((*doc, count(missing) as f32 / words));
                    room.counted[place] |= phrase.covers;
                }
            }
            if docs.is_empty() {
                continue;
            }
            let lists = phrase.words.iter().map(|word| self.lists(word));
            let lists: Vec<_> = lists.collect::<Result<Vec<_>, _>>()?;
            self.count(lists.iter().flatten(), &docs, room)?;
        }
        for hit in hits {
            hit.score = room.scores[self.segment.offset + hit.doc as usize];
        }
        Ok(())
    }

    /// Counts lists for some products, each with its share.
    fn count<'l>(
        &self,
        lists: impl Iterator<Item = &'l List<'l>>,
        docs: &[(u32, f32)],
        room: &mut Room,
    ) -> Result<(), TantivyError> {
        let offset = self.segment.offset;
        let mut shared = false;
        for list in lists {
            if docs.len() < list.info.doc_freq as usize / SPARSE {
                self.look_up(list, docs, &mut room.scores)?;
                continue;
            }
            if !shared {
                docs.iter().for_each(|(doc, share)| room.shares[offset + *doc as usize] = *share);
                shared = true;
            }
            self.read(list, Some(&room.shares), &mut room.scores)?;
        }
        if shared {
            docs.iter().for_each(|(doc, _)| room.shares[offset + *doc as usize] = 0.0);
        }
        Ok(())
    }

    pub(super) fn lists(&self, word: &Word) -> Result<Vec<List<'_>>, TantivyError> {
        let mut lists = Vec::with_capacity(FIELDS.len() + 1);
        if let Some(ordinal) = word.stem.at(self.at) {
            for (field, info) in self.segment.terms.fields(ordinal) {
                let index = self.segment.fields[field].index.as_ref();
                let weight = word.weight * FIELDS[field].boost * (SATURATION + 1.0);
                lists.push(List { index, info, field: Some(field), weight });
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

    /// Counts a list by going through all of it: for all products that have it, wanted or not, or by
    /// the share of each.
    fn read(
        &self,
        list: &List<'_>,
        shares: Option<&[f32]>,
        scores: &mut [f32],
    ) -> Result<(), TantivyError> {
        let read = IndexRecordOption::WithFreqs;
        let mut postings = list.index.read_block_postings_from_terminfo(&list.info, read)?;
        let own = self.segment.offset..self.segment.offset + self.segment.numbers.len();
        let shares = shares.map(|shares| &shares[own.clone()]);
        let scores = &mut scores[own];
        let worth = self.worth(list);
        // Lists without frequencies hand over none.
        let once = [1; 128];
        each(&mut postings, |docs, frequencies| {
            let frequencies = if list.field.is_some() { frequencies } else { &once };
            let postings = docs.iter().zip(frequencies);
            match shares {
                None => postings.for_each(|(doc, frequency)| {
                    scores[*doc as usize] += worth(*doc, *frequency);
                }),
                Some(shares) => postings.for_each(|(doc, frequency)| {
                    let share = shares[*doc as usize];
                    scores[*doc as usize] += share * worth(*doc, *frequency);
                }),
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
        let field = list
            .field
            .map(|at| (self.segment.fields[at].lengths.as_slice(), &self.snapshot.norms[at]));
        move |doc, frequency| {
            let Some((lengths, norms)) = field else { return weight };
            let frequency = frequency as f32;
            weight * frequency / (frequency + norms[usize::from(lengths[doc as usize])])
        }
    }
}
