//! Which products have how many of the words, and how many are needed.
//!
//! Mostly enough products have all words. Then only those count that have the rarest of them, and they
//! are all that is looked at; not even who has one of the others needs to be known.

use tantivy::TantivyError;
use tantivy::schema::IndexRecordOption;

use super::super::plan::{Phrase, Plan};
use super::super::snapshot::{Segment, Snapshot, each};
use super::{ENOUGH, Room, count};

/// On products that have the rarest word. A text of so many words that one of them has this bit is not
/// taken by its rarest.
const SEEN: u32 = 1 << 31;
const WORDS_MAX: usize = 31;

pub(super) struct Marked {
    /// For each segment and each stand-in, which of the segment's products have it and lack what it
    /// stands for.
    pub(super) standing_in: Vec<Vec<Vec<u32>>>,
    /// For each segment, where its products end among those touched.
    pub(super) ends: Vec<usize>,
    /// How many of the words a product needs: all, or as many as some products have.
    pub(super) needed: u32,
    /// Products that have so many.
    pub(super) hits: usize,
    /// Whether only some of the products that have any of the words were looked at.
    pub(super) some: bool,
}

pub(super) fn mark(
    snapshot: &Snapshot,
    plan: &Plan,
    room: &mut Room,
) -> Result<Marked, TantivyError> {
    if let Some(rarest) = rarest(plan) {
        let mut marked = Marking { plan, rarest: Some(rarest) }.all(snapshot, room)?;
        let every = (1 << plan.words) - 1;
        marked.hits = room.clean(SEEN, every);
        if marked.hits >= ENOUGH {
            marked.needed = plan.words as u32;
            return Ok(marked);
        }
        room.clear();
    }
    let mut marked = Marking { plan, rarest: None }.all(snapshot, room)?;
    (marked.needed, marked.hits) = needed(plan, room);
    Ok(marked)
}

/// The bit of the word that the fewest products have, by itself or by what stands for it; `None` if that
/// is not worth knowing: one word, or one that no product has.
fn rarest(plan: &Plan) -> Option<u32> {
    if !(2..=WORDS_MAX).contains(&plan.words) {
        return None;
    }
    let products = |bit: u32| -> u64 {
        let phrases = plan.asked.iter().chain(&plan.stand_ins);
        let rarest_of = |phrase: &Phrase| phrase.words.iter().map(|word| word.stem.frequency).min();
        phrases.filter(|phrase| phrase.covers & bit != 0).filter_map(rarest_of).sum()
    };
    let bits = (0..plan.words).map(|at| 1 << at);
    let (least, bit) = bits.map(|bit| (products(bit), bit)).min()?;
    (least > 0).then_some(bit)
}

struct Marking<'a> {
    plan: &'a Plan,
    /// Only products that have this one are marked.
    rarest: Option<u32>,
}

impl Marking<'_> {
    fn all(&self, snapshot: &Snapshot, room: &mut Room) -> Result<Marked, TantivyError> {
        let mut marked = Marked {
            standing_in: Vec::new(),
            ends: Vec::new(),
            needed: 0,
            hits: 0,
            some: self.rarest.is_some(),
        };
        for (at, segment) in snapshot.segments.iter().enumerate() {
            marked.standing_in.push(self.segment(segment, at, room)?);
            marked.ends.push(room.touched().len());
        }
        Ok(marked)
    }

    /// Answers which products of the segment, which is at a place among all, have each of the stand-ins.
    fn segment(
        &self,
        segment: &Segment,
        at: usize,
        room: &mut Room,
    ) -> Result<Vec<Vec<u32>>, TantivyError> {
        let first = room.touched().len();
        let place = |doc: &u32| segment.offset + *doc as usize;
        if let Some(rarest) = self.rarest {
            let phrases = self.plan.asked.iter().chain(&self.plan.stand_ins);
            for phrase in phrases.filter(|phrase| phrase.covers & rarest != 0) {
                having(segment, at, phrase, |docs| {
                    docs.iter().for_each(|doc| room.mark(place(doc), SEEN));
                })?;
            }
        }
        for phrase in &self.plan.asked {
            having(segment, at, phrase, |docs| match self.rarest {
                Some(_) => docs.iter().for_each(|doc| room.mark_seen(place(doc), phrase.covers)),
                None => docs.iter().for_each(|doc| room.mark(place(doc), phrase.covers)),
            })?;
        }
        let mut standing_in = Vec::with_capacity(self.plan.stand_ins.len());
        if !self.plan.stand_ins.is_empty() {
            room.count_from(first, if self.rarest.is_some() { !SEEN } else { !0 });
        }
        for phrase in &self.plan.stand_ins {
            let mut with = Vec::new();
            having(segment, at, phrase, |docs| {
                self.stand_in(phrase.covers, docs, place, room, &mut with)
            })?;
            standing_in.push(with);
        }
        if segment.reader.has_deletes() {
            room.forget(first, |place| {
                let doc = u32::try_from(place - segment.offset).unwrap_or(u32::MAX);
                segment.reader.is_deleted(doc)
            });
        }
        Ok(standing_in)
    }

    /// Marks those that lack some of what is covered, and adds them to `with`. Without a branch: which
    /// they are is not to be guessed.
    fn stand_in(
        &self,
        covers: u32,
        docs: &[u32],
        place: impl Fn(&u32) -> usize,
        room: &mut Room,
        with: &mut Vec<u32>,
    ) {
        let mut end = with.len();
        with.resize(end + docs.len(), 0);
        for doc in docs {
            let place = place(doc);
            let mut missing = room.counted[place] & covers != covers;
            if self.rarest.is_some() {
                missing &= room.has[place] != 0;
                room.mark_seen(place, if missing { covers } else { 0 });
            } else {
                // Who has none of the words lacks what is covered.
                room.mark(place, if missing { covers } else { 0 });
            }
            with[end] = *doc;
            end += usize::from(missing);
        }
        with.truncate(end);
    }
}

/// Hands over the products of a segment that have all words of a phrase, some at a time; ascending,
/// removed ones among them.
fn having(
    segment: &Segment,
    at: usize,
    phrase: &Phrase,
    mut visit: impl FnMut(&[u32]),
) -> Result<(), TantivyError> {
    let [word] = phrase.words.as_slice() else {
        visit(&segment.having(at, phrase.words.iter().map(|word| &word.stem))?);
        return Ok(());
    };
    if let Some(info) = word.stem.at(at).and_then(|ordinal| segment.terms.all(ordinal)) {
        let read = IndexRecordOption::Basic;
        let mut postings = segment.all.read_block_postings_from_terminfo(&info, read)?;
        each(&mut postings, |docs, _| {
            visit(docs);
            true
        });
    }
    Ok(())
}

/// The number of words, and how many products have so many.
fn needed(plan: &Plan, room: &Room) -> (u32, usize) {
    if plan.words <= 1 {
        return (1, room.touched().len());
    }
    let mut with = [0_usize; 33];
    for place in room.touched() {
        with[count(room.has[*place as usize]) as usize] += 1;
    }
    let mut found = 0;
    let all = u32::try_from(plan.words).unwrap_or(u32::MAX).min(32);
    let enough = (1..=all).rev().find(|words| {
        found += with[*words as usize];
        found >= ENOUGH
    });
    (enough.unwrap_or(1), found)
}
