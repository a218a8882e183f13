//! Which products have what was asked for, and how well each of them fits.
//!
//! A word at a time: first which products have it, so that it is known how many words each has and
//! how many have to be asked for ([`marking`]); then, for those that have enough, what each word is worth in each
//! field, by BM25 (Robertson, Zaragoza 2009), weighted by [`FIELDS`]. How rare a word is, is counted
//! over all fields together: a word is no rarer for being in few brands.

use std::collections::BTreeMap;

use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, TantivyError};

use super::plan::{Phrase, Plan, Word};
use super::schema::FIELDS;
use super::snapshot::{Segment, Snapshot};

mod marking;
mod room;
mod scoring;

use marking::{Marked, mark};
pub(super) use room::{Room, Rooms};
use scoring::Scoring;

/// Products below which fewer words are asked for.
pub(super) const ENOUGH: usize = 10;

/// Where more products than one in so many have any of the words, all are gone through.
const DENSE: usize = 16;

pub(super) struct Hit {
    pub(super) number: i64,
    pub(super) score: f32,
    /// Place of its segment, and its own within that.
    segment: u32,
    doc: u32,
    /// Words asked for that it has.
    has: u32,
}

/// Finds the products that match a plan; they are the room's hits then, in no order.
pub(super) fn rank(snapshot: &Snapshot, plan: &Plan, room: &mut Room) -> Result<(), TantivyError> {
    let marked = mark(snapshot, plan, room)?;
    let Marked { standing_in, ends, needed, hits: count, some } = marked;
    // Products that have one word lie in order as they are.
    let ordered = plan.asked.len() + plan.stand_ins.len() == 1;
    let mut hits = std::mem::take(&mut room.hits);
    hits.reserve(count);
    let mut from = 0;
    for (at, segment) in snapshot.segments.iter().enumerate() {
        let first = hits.len();
        let hit = |place| hit(segment, at, place, room.has[place], needed);
        if !ordered && count > snapshot.places / DENSE {
            // In the order of products, however many words they come from: what is done with each
            // of them afterwards then goes through memory in one direction.
            let all = segment.offset..segment.offset + segment.numbers.len();
            hits.extend(all.filter_map(hit));
        } else {
            let touched = &room.touched()[from..ends[at]];
            hits.extend(touched.iter().filter_map(|place| hit(*place as usize)));
        }
        from = ends[at];
        let scoring = Scoring { snapshot, segment, at, needed, some };
        scoring.score(plan, &standing_in[at], &mut hits[first..], room)?;
    }
    by_words(plan, &mut hits);
    room.hits = hits;
    Ok(())
}

/// A product, if it has enough of the words.
fn hit(segment: &Segment, at: usize, place: usize, has: u32, needed: u32) -> Option<Hit> {
    let has = count(has);
    if has < needed {
        return None;
    }
    let place = place - segment.offset;
    let number = segment.numbers[place];
    // Neither a segment nor a list of them is longer than its own numbers go.
    Some(Hit { number, score: 0.0, segment: at as u32, doc: place as u32, has })
}

/// How many bits are set: mostly few words are asked for, and processors that can count bits by
/// themselves are not presupposed.
pub(super) fn count(bits: u32) -> u32 {
    match bits {
        0 | 1 => bits,
        2 => 1,
        3 => 2,
        more => more.count_ones(),
    }
}

/// Puts products that have more of the words above all that have fewer.
fn by_words(plan: &Plan, hits: &mut [Hit]) {
    if plan.words <= 1 {
        return;
    }
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
        let at = hits[0].segment as usize;
        let segment = &snapshot.segments[at];
        let scoring = Scoring { snapshot, segment, at, needed: 0, some: true };
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
