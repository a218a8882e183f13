//! Reading a text, and repairing what is misspelt in it before anything is searched.
//!
//! A word is misspelt if it is in no product, completes to none, and has no synonym. It is then,
//! the first that can be: written together with a neighbour; the nearest word at one slip; two
//! words that were written together; the nearest word at two slips. Otherwise it stays as it is, a
//! word that no product has.

use tantivy::TantivyError;

use super::super::snapshot::{Snapshot, Stem};
use super::super::synonyms::Thesaurus;
use super::super::words::{Compound, compounds, has_digit};
use super::WORDS_MAX;

/// Misspelt words of one text that are repaired, the first ones: each costs a look at most of the
/// vocabulary, and whoever misspells more means no product.
const REPAIRED_MAX: usize = 8;
/// Letters from which one slip is repaired, and from which two are.
const ONE_SLIP_MIN: usize = 4;
const TWO_SLIPS_MIN: usize = 8;
/// Letters that each of two words written together has at least.
const HALF_MIN: usize = 2;
/// Completions looked at to find one that is still on sale.
const COMPLETIONS_TRIED: usize = 8;

/// A word that is searched for.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Asked {
    /// As shown to people: as typed, if it was not repaired.
    shown: String,
    pub(super) word: String,
    pub(super) stem: Stem,
    /// What it may also be written as.
    pub(super) parts: Vec<String>,
    /// Whether it may go on: the last word, as long as nothing comes after it.
    pub(super) open: bool,
}

pub(super) struct Repaired {
    pub(super) asked: Vec<Asked>,
    pub(super) corrected: Option<String>,
}

struct Reader<'a> {
    snapshot: &'a Snapshot,
}

pub(super) fn read(
    snapshot: &Snapshot,
    thesaurus: &Thesaurus,
    text: &str,
) -> Result<Repaired, TantivyError> {
    let reader = Reader { snapshot };
    let found = compounds(text, WORDS_MAX);
    let end = found.last().and_then(|last| last.parts.last()).map_or(0, |part| part.to);
    let open = end == text.len();
    let mut asked = Vec::new();
    let last = found.len().saturating_sub(1);
    for (at, compound) in found.into_iter().enumerate() {
        reader.ask(text, compound, open && at == last, &mut asked)?;
    }
    let stems: Vec<_> = asked.iter().map(|one| one.stem.text.clone()).collect();
    let mut known = Vec::new();
    for one in &asked {
        known.push(reader.is_known(one)?);
    }
    for (from, length, _) in thesaurus.find(&stems) {
        known[from..from + length].fill(true);
    }
    let mut repaired = Vec::new();
    let mut changed = false;
    let mut tried = 0;
    let mut at = 0;
    while at < asked.len() {
        // A neighbour that is misspelt may need this one.
        let pair = asked.get(at + 1).filter(|_| !known[at] || !known[at + 1]);
        if let Some(next) = pair
            && let joined = format!("{}{}", asked[at].word, next.word)
            && reader.has(&joined)?
        {
            repaired.push(reader.word(joined)?);
            changed = true;
            at += 2;
            continue;
        }
        let misspelt = !known[at] && tried < REPAIRED_MAX;
        tried += usize::from(misspelt);
        match misspelt.then(|| reader.repair(&asked[at].word)).transpose()?.flatten() {
            Some(words) => {
                for word in words {
                    repaired.push(reader.word(word)?);
                }
                changed = true;
            }
            None => repaired.push(asked[at].clone()),
        }
        at += 1;
    }
    let shown: Vec<_> = repaired.iter().map(|one| one.shown.as_str()).collect();
    let corrected = changed.then(|| shown.join(" "));
    let mut asked: Vec<Asked> = Vec::new();
    for one in repaired {
        // Saying a word twice asks for no more.
        if !asked.iter().any(|other| other.stem.text == one.stem.text) {
            asked.push(one);
        }
    }
    asked.truncate(WORDS_MAX);
    Ok(Repaired { asked, corrected })
}

impl Reader<'_> {
    /// A compound is one word where products have it written together, and its parts elsewhere.
    fn ask(
        &self,
        text: &str,
        compound: Compound,
        open: bool,
        asked: &mut Vec<Asked>,
    ) -> Result<(), TantivyError> {
        let typed = |from: usize, to: usize| text.get(from..to).unwrap_or_default().to_owned();
        let parts = compound.parts;
        if let (Some(joined), [first, .., last]) = (compound.joined, parts.as_slice()) {
            let known = self.has(&joined)? || (open && self.completes(&joined)?);
            if known {
                let shown = typed(first.from, last.to);
                let parts = parts.into_iter().map(|part| part.word).collect();
                asked.push(Asked { shown, parts, open, ..self.word(joined)? });
                return Ok(());
            }
        }
        let last = parts.len().saturating_sub(1);
        for (at, part) in parts.into_iter().enumerate() {
            let shown = typed(part.from, part.to);
            let parts = number_and_unit(&part.word).unwrap_or_default();
            let open = open && at == last;
            asked.push(Asked { shown, parts, open, ..self.word(part.word)? });
        }
        Ok(())
    }

    fn word(&self, word: String) -> Result<Asked, TantivyError> {
        let stem = self.snapshot.stem_of(&word)?;
        Ok(Asked { shown: word.clone(), word, stem, parts: Vec::new(), open: false })
    }

    fn has(&self, word: &str) -> Result<bool, TantivyError> {
        self.snapshot.has(&self.snapshot.stem_of(word)?)
    }

    fn completes(&self, prefix: &str) -> Result<bool, TantivyError> {
        let completions = self.snapshot.completions(prefix, super::COMPLETIONS_MAX)?;
        for completion in completions.iter().take(COMPLETIONS_TRIED) {
            if self.snapshot.has(&completion.stem)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_known(&self, one: &Asked) -> Result<bool, TantivyError> {
        Ok(self.snapshot.has(&one.stem)? || (one.open && self.completes(&one.word)?))
    }

    fn repair(&self, word: &str) -> Result<Option<Vec<String>>, TantivyError> {
        let length = word.chars().count();
        if length < ONE_SLIP_MIN || has_digit(word) {
            return Ok(None);
        }
        let slips = if length < TWO_SLIPS_MIN { 1 } else { 2 };
        let mut nearest = None;
        for (near, distance) in self.snapshot.near(word, slips) {
            if self.has(near)? {
                nearest = Some((near, distance));
                break;
            }
        }
        if let Some((near, 1)) = nearest {
            return Ok(Some(vec![near.to_owned()]));
        }
        if let Some(halves) = self.split(word)? {
            return Ok(Some(halves.into()));
        }
        Ok(nearest.map(|(near, _)| vec![near.to_owned()]))
    }

    fn together(&self, left: &str, right: &str) -> Result<bool, TantivyError> {
        self.snapshot.has_all(&[self.snapshot.stem_of(left)?, self.snapshot.stem_of(right)?])
    }

    /// Two words that are found in the same product, the rarer of them as frequent as can be.
    fn split(&self, word: &str) -> Result<Option<[String; 2]>, TantivyError> {
        let mut best: Option<(u64, [String; 2])> = None;
        let places = word.char_indices().map(|(at, _)| at);
        let count = word.chars().count();
        for at in places.skip(HALF_MIN).take((count + 1).saturating_sub(2 * HALF_MIN)) {
            let (left, right) = word.split_at(at);
            let frequency = |half| self.snapshot.stem_of(half).map(|stem| stem.frequency);
            let rarer = frequency(left)?.min(frequency(right)?);
            let better = best.as_ref().is_none_or(|(most, _)| rarer > *most);
            if rarer > 0 && better && self.together(left, right)? {
                best = Some((rarer, [left.to_owned(), right.to_owned()]));
            }
        }
        Ok(best.map(|(_, halves)| halves))
    }
}

/// `500ml` as `500` and `ml`, `iphone15` as `iphone` and `15`; but `3d` is nothing else.
fn number_and_unit(word: &str) -> Option<Vec<String>> {
    let bytes = word.as_bytes();
    let changes = |at: &usize| bytes[at - 1].is_ascii_digit() != bytes[*at].is_ascii_digit();
    let mut places = (1..bytes.len()).filter(changes);
    let (place, None) = (places.next()?, places.next()) else { return None };
    let (left, right) = (word.get(..place)?, word.get(place..)?);
    let letters = if left.starts_with(|c: char| c.is_ascii_digit()) { right } else { left };
    (letters.len() > 1).then(|| vec![left.to_owned(), right.to_owned()])
}
