//! Which products have what was asked for, and how well each of them fits.
//!
//! A word at a time: first which products have it, so that it is known how many words each has and
//! how many have to be asked for; then, for those that have enough, what each word is worth in each
//! field, by BM25 (Robertson, Zaragoza 2009), weighted by [`FIELDS`]. How rare a word is, is counted
//! over all fields together: a word is no rarer for being in few brands.

use std::collections::BTreeMap;

use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, TantivyError};

use super::plan::{Phrase, Plan, Word};
use super::schema::FIELDS;
use super::snapshot::{Segment, Snapshot, each};

mod room;
mod scoring;

use room::Room;
pub(super) use room::Rooms;
use scoring::Scoring;

/// Products below which fewer words are asked for.
pub(super) const ENOUGH: usize = 10;

/// Where more products than one in so many have any of the words, all are gone through.
const DENSE: usize = 16;

pub(super) struct Hit {
    pub(super) number: i64,
    pub(super) score: f32,
    /// Place of its segment, and its own within that.
    segment: usize,
    doc: u32,
    /// Words asked for that it has.
    has: u32,
}

/// Products that match a plan, in no order.
pub(super) fn rank(
    snapshot: &Snapshot,
    plan: &Plan,
    rooms: &Rooms,
) -> Result<Vec<Hit>, TantivyError> {
    // What an error leaves behind is dropped, not given back.
    let mut room = rooms.take(snapshot.places);
    let mut standing_in = Vec::new();
    let mut ends = Vec::new();
    for segment in &snapshot.segments {
        standing_in.push(mark(snapshot, segment, plan, &mut room)?);
        ends.push(room.touched.len());
    }
    let needed = needed(plan, &room);
    let mut hits = Vec::new();
    let mut from = 0;
    for (at, segment) in snapshot.segments.iter().enumerate() {
        let first = hits.len();
        let touched = &room.touched[from..ends[at]];
        let all = segment.offset..segment.offset + segment.numbers.len();
        if touched.len() > all.len() / DENSE {
            // In the order of products, however many words they come from: what is done with each
            // of them afterwards then goes through memory in one direction.
            hits.extend(all.filter_map(|place| hit(segment, at, place, room.has[place], needed)));
        } else {
            let places = touched.iter();
            hits.extend(
                places.filter_map(|place| hit(segment, at, *place, room.has[*place], needed)),
            );
        }
        from = ends[at];
        let scoring = Scoring { snapshot, segment, needed };
        scoring.score(plan, &standing_in[at], &mut hits[first..], &mut room)?;
    }
    rooms.give_back(room);
    by_words(plan, &mut hits);
    Ok(hits)
}

/// A product, if it has enough of the words.
fn hit(segment: &Segment, at: usize, place: usize, has: u32, needed: u32) -> Option<Hit> {
    let has = has.count_ones();
    let place = place - segment.offset;
    let doc = u32::try_from(place).unwrap_or(u32::MAX);
    let of = || Hit { number: segment.numbers[place], score: 0.0, segment: at, doc, has };
    (has >= needed).then(of)
}

/// Finds which products of a segment have what; answers which have each of the stand-ins.
fn mark(
    snapshot: &Snapshot,
    segment: &Segment,
    plan: &Plan,
    room: &mut Room,
) -> Result<Vec<Vec<u32>>, TantivyError> {
    let first = room.touched.len();
    for phrase in &plan.asked {
        for word in &phrase.words {
            let term = snapshot.stem_term(&word.stem);
            let Some(info) = segment.all.get_term_info(&term)? else { continue };
            let mut postings =
                segment.all.read_block_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
            each(&mut postings, |docs, _| {
                for doc in docs {
                    room.mark(segment.offset + *doc as usize, phrase.covers);
                }
                true
            });
        }
    }
    for place in &room.touched[first..] {
        room.counted[*place] = room.has[*place];
    }
    let mut standing_in = Vec::with_capacity(plan.stand_ins.len());
    for phrase in &plan.stand_ins {
        let terms: Vec<_> =
            phrase.words.iter().map(|word| snapshot.stem_term(&word.stem)).collect();
        let mut docs = segment.having(&terms)?;
        docs.retain(|doc| {
            let place = segment.offset + *doc as usize;
            let missing = room.counted[place] & phrase.covers != phrase.covers;
            if missing {
                room.mark(place, phrase.covers);
            }
            missing
        });
        standing_in.push(docs);
    }
    if segment.reader.has_deletes() {
        for place in &room.touched[first..] {
            let doc = u32::try_from(*place - segment.offset).unwrap_or(u32::MAX);
            if segment.reader.is_deleted(doc) {
                room.has[*place] = 0;
            }
        }
    }
    Ok(standing_in)
}

/// How many of the words a product needs: all, or as many as some products have.
fn needed(plan: &Plan, room: &Room) -> u32 {
    let mut with = [0_usize; 33];
    for place in &room.touched {
        with[room.has[*place].count_ones() as usize] += 1;
    }
    let mut found = 0;
    let all = u32::try_from(plan.words).unwrap_or(u32::MAX).min(32);
    (1..=all)
        .rev()
        .find(|words| {
            found += with[*words as usize];
            found >= ENOUGH
        })
        .unwrap_or(1)
}

/// Puts products that have more of the words above all that have fewer.
fn by_words(plan: &Plan, hits: &mut [Hit]) {
    let mut best = [0.0_f32; 33];
    for hit in hits.iter() {
        let best = &mut best[hit.has as usize];
        *best = best.max(hit.score);
    }
    if best.iter().filter(|best| **best > 0.0).count() < 2 {
        return;
    }
    let mut below = [0.0_f32; 33];
    for words in 1..=plan.words.min(32) {
        below[words] = below[words - 1] + best[words - 1];
    }
    for hit in hits {
        hit.score += below[hit.has as usize];
    }
}

/// What of the `most` best hits matched: words searched for, by field, by the product's number.
pub(super) fn matched(
    snapshot: &Snapshot,
    plan: &Plan,
    hits: &[Hit],
    most: usize,
) -> Result<BTreeMap<i64, BTreeMap<String, Vec<String>>>, TantivyError> {
    let mut best: Vec<&Hit> = hits.iter().collect();
    best.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.number.cmp(&b.number)));
    best.truncate(most);
    best.sort_unstable_by_key(|hit| (hit.segment, hit.doc));
    let mut matched: BTreeMap<i64, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    let phrases = plan.asked.iter().chain(&plan.stand_ins);
    let words: Vec<&Word> = phrases.flat_map(|phrase: &Phrase| &phrase.words).collect();
    for hits in best.chunk_by(|a, b| a.segment == b.segment) {
        let segment = &snapshot.segments[hits[0].segment];
        let scoring = Scoring { snapshot, segment, needed: 0 };
        for word in &words {
            for list in scoring.lists(word)? {
                let Some(field) = list.field else { continue };
                let read = IndexRecordOption::Basic;
                let mut postings = list.index.read_postings_from_terminfo(&list.info, read)?;
                for hit in hits {
                    if postings.doc() <= hit.doc && postings.seek(hit.doc) == hit.doc {
                        let fields = matched.entry(hit.number).or_default();
                        let shown = fields.entry(FIELDS[field].name.to_owned()).or_default();
                        if !shown.contains(&word.shown) {
                            shown.push(word.shown.clone());
                        }
                    }
                }
            }
        }
    }
    Ok(matched)
}
