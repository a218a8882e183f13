//! Which products have what was asked for, and how well each of them fits.
//!
//! A word at a time: first which products have it, so that it is known how many words each has and
//! how many have to be asked for; then, for those that have enough, what each word is worth in each
//! field, by BM25 (Robertson, Zaragoza 2009), weighted by [`FIELDS`]. How rare a word is, is counted
//! over all fields together: a word is no rarer for being in few brands.

use std::collections::BTreeMap;
use std::sync::Mutex;

use tantivy::postings::{Postings, TermInfo};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, InvertedIndexReader, TantivyError};

use super::plan::{Phrase, Plan, Word};
use super::schema::{FIELDS, SURFACE_BOOST};
use super::snapshot::{SATURATION, Segment, Snapshot, each};

/// Products below which fewer words are asked for.
pub(super) const ENOUGH: usize = 10;
/// Where fewer products than one in so many are wanted, they are looked up, rather than all read.
const SPARSE: usize = 16;
/// Rooms kept for the next searches.
const ROOMS_MAX: usize = 16;

pub(super) struct Hit {
    pub(super) number: i64,
    pub(super) score: f32,
    /// Place of its segment, and its own within that.
    segment: usize,
    doc: u32,
    /// Words asked for that it has.
    has: u32,
}

/// Room to work in, kept because making it anew takes longer than a search.
#[derive(Default)]
pub(super) struct Rooms(Mutex<Vec<Room>>);

/// By a product's place; all zero between searches.
#[derive(Default)]
struct Room {
    /// Words that it has, or that something else stands for; a bit for each.
    has: Vec<u32>,
    /// Words that have been counted in the score.
    counted: Vec<u32>,
    scores: Vec<f32>,
    /// Places that are not zero.
    touched: Vec<usize>,
}

impl Rooms {
    fn take(&self, places: usize) -> Room {
        let mut room =
            self.0.lock().unwrap_or_else(|lock| lock.into_inner()).pop().unwrap_or_default();
        room.has.resize(places, 0);
        room.counted.resize(places, 0);
        room.scores.resize(places, 0.0);
        room
    }

    fn give_back(&self, mut room: Room) {
        for place in room.touched.drain(..) {
            room.has[place] = 0;
            room.counted[place] = 0;
            room.scores[place] = 0.0;
        }
        let mut rooms = self.0.lock().unwrap_or_else(|lock| lock.into_inner());
        if rooms.len() < ROOMS_MAX {
            rooms.push(room);
        }
    }
}

impl Room {
    fn mark(&mut self, place: usize, covers: u32) {
        if self.has[place] == 0 {
            self.touched.push(place);
        }
        self.has[place] |= covers;
    }
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
        for place in &room.touched[from..ends[at]] {
            let has = room.has[*place].count_ones();
            if has >= needed {
                let place = *place - segment.offset;
                let doc = u32::try_from(place).unwrap_or(u32::MAX);
                let number = segment.numbers[place];
                hits.push(Hit { number, score: 0.0, segment: at, doc, has });
            }
        }
        from = ends[at];
        let scoring = Scoring { snapshot, segment, needed };
        scoring.score(plan, &standing_in[at], &mut hits[first..], &mut room)?;
    }
    rooms.give_back(room);
    by_words(plan, &mut hits);
    Ok(hits)
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

struct Scoring<'a> {
    snapshot: &'a Snapshot,
    segment: &'a Segment,
    needed: u32,
}

/// Products that have a word in one field, and what it is worth there.
struct List<'a> {
    index: &'a InvertedIndexReader,
    info: TermInfo,
    /// For the very word, which counts the same wherever and however often it is.
    field: Option<usize>,
    weight: f32,
}

impl Scoring<'_> {
    fn score(
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

    fn lists(&self, word: &Word) -> Result<Vec<List<'_>>, TantivyError> {
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
