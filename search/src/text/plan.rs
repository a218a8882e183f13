//! What a text asks for: words that are searched, and what else may stand for them.

use tantivy::TantivyError;

use super::snapshot::{Completion, Snapshot, Stem};
use super::synonyms::Thesaurus;

mod repair;

pub(super) use repair::Asked;

/// Words of a text that are searched; what is beyond is left out.
pub(super) const WORDS_MAX: usize = 32;
/// Completions of the last word that are searched.
const COMPLETIONS_MAX: usize = 50;
/// Phrases that may stand for others, in one text.
const STAND_INS_MAX: usize = 200;

/// What the parts of a compound count beside it written together, and the other way round.
const TOGETHER: f32 = 0.9;
/// What a synonym counts beside the word that was typed.
const SYNONYM: f32 = 0.8;
/// What a completion counts beside the word itself.
const COMPLETION: f32 = 0.4;

/// What to search for.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Words asked for, those among them that are in no product. At most [`WORDS_MAX`].
    pub(super) words: usize,
    /// The words themselves.
    pub(super) asked: Vec<Phrase>,
    /// What counts where the words themselves are missing, the best first.
    pub(super) stand_ins: Vec<Phrase>,
    pub(super) corrected: Option<String>,
}

/// A product has it if it has all its words, in any fields.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Phrase {
    /// The words asked for that it stands for, a bit for each.
    pub(super) covers: u32,
    pub(super) words: Vec<Word>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    /// As it is shown to people.
    pub(super) shown: String,
    pub(super) stem: Stem,
    /// The very word; counts on top of its stem.
    pub(super) surface: Option<String>,
    /// How much it counts.
    pub(super) weight: f32,
}

impl Plan {
    pub(super) fn new(
        snapshot: &Snapshot,
        thesaurus: &Thesaurus,
        text: &str,
    ) -> Result<Self, TantivyError> {
        let repair::Repaired { asked, corrected } = repair::read(snapshot, thesaurus, text)?;
        let mut plan = Self { words: asked.len(), corrected, ..Self::default() };
        let mut rarities = Vec::new();
        for (at, one) in asked.iter().enumerate() {
            rarities.push(snapshot.rarity(one.stem.frequency));
            if one.stem.frequency > 0 {
                plan.asked.push(Phrase {
                    covers: 1 << at,
                    words: vec![Word {
                        shown: one.word.clone(),
                        stem: one.stem.clone(),
                        surface: Some(one.word.clone()),
                        weight: rarities[at],
                    }],
                });
            }
        }
        plan.together(snapshot, &asked, &rarities)?;
        plan.synonyms(snapshot, thesaurus, &asked, &rarities)?;
        plan.completions(snapshot, &asked, &rarities)?;
        Ok(plan)
    }

    /// A phrase that stands for the words from `from` on; it says as much as they do.
    fn stand_in(
        &mut self,
        snapshot: &Snapshot,
        (from, length): (usize, usize),
        words: &[String],
        factor: f32,
        rarities: &[f32],
    ) -> Result<(), TantivyError> {
        if self.stand_ins.len() >= STAND_INS_MAX || words.is_empty() {
            return Ok(());
        }
        let covers = (from..from + length).fold(0, |bits, at| bits | 1 << at);
        let rarity: f32 = rarities[from..from + length].iter().sum();
        let weight = factor * rarity / words.len() as f32;
        let mut of = Vec::with_capacity(words.len());
        for word in words {
            let stem = snapshot.stem_of(word)?;
            of.push(Word { shown: word.clone(), stem, surface: None, weight });
        }
        self.stand_ins.push(Phrase { covers, words: of });
        Ok(())
    }

    /// `tshirt` for `t shirt`, and `t shirt` for `t-shirt`; `500 ml` for `500ml`.
    fn together(
        &mut self,
        snapshot: &Snapshot,
        asked: &[Asked],
        rarities: &[f32],
    ) -> Result<(), TantivyError> {
        for (at, one) in asked.iter().enumerate() {
            if one.parts.len() > 1 {
                self.stand_in(snapshot, (at, 1), &one.parts, TOGETHER, rarities)?;
            }
            if let Some(next) = asked.get(at + 1) {
                let joined = format!("{}{}", one.word, next.word);
                if snapshot.stem_of(&joined)?.frequency > 0 {
                    self.stand_in(snapshot, (at, 2), &[joined], TOGETHER, rarities)?;
                }
            }
        }
        Ok(())
    }

    fn synonyms(
        &mut self,
        snapshot: &Snapshot,
        thesaurus: &Thesaurus,
        asked: &[Asked],
        rarities: &[f32],
    ) -> Result<(), TantivyError> {
        let stems: Vec<_> = asked.iter().map(|one| one.stem.text.clone()).collect();
        for (from, length, others) in thesaurus.find(&stems) {
            for other in others {
                self.stand_in(snapshot, (from, length), other, SYNONYM, rarities)?;
            }
        }
        Ok(())
    }

    /// What the last word may become as one types on.
    fn completions(
        &mut self,
        snapshot: &Snapshot,
        asked: &[Asked],
        rarities: &[f32],
    ) -> Result<(), TantivyError> {
        let Some((last, before)) = asked.split_last().filter(|(last, _)| last.open) else {
            return Ok(());
        };
        let covers = 1 << before.len();
        let known = self.asked.iter().any(|phrase| phrase.covers == covers);
        let mut words: Vec<Word> = Vec::new();
        // All completions say the same: the most frequent may well be the likeliest.
        let mut rarity = if known { rarities[before.len()] } else { f32::MAX };
        for Completion { word, stem } in snapshot.completions(&last.word, COMPLETIONS_MAX)?.iter() {
            let again = words.iter().any(|other| other.stem.text == stem.text);
            if stem.text == last.stem.text || again {
                continue;
            }
            rarity = rarity.min(snapshot.rarity(stem.frequency));
            words.push(Word {
                shown: word.clone(),
                stem: stem.clone(),
                surface: None,
                weight: 0.0,
            });
        }
        self.stand_ins.extend(words.into_iter().map(|word| Phrase {
            covers,
            words: vec![Word { weight: COMPLETION * rarity, ..word }],
        }));
        Ok(())
    }
}
