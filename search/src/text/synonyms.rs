//! Words that mean the same, as the operator says.

use std::collections::BTreeMap;

use super::Language;
use super::words::{compounds, stem};

/// Longest phrase, words, and most phrases on one line.
const PHRASE_MAX: usize = 6;
const PHRASES_MAX: usize = 50;
/// Most phrases that stand for one: all of them are searched.
const OTHERS_MAX: usize = 50;

/// Synonyms, from lines of `sofa, couch, settee` (each stands for all others) and of
/// `tv => television` (the left is also searched as the right, but not the other way round).
/// A phrase may have several words; `#` begins a comment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Synonyms {
    /// Phrases, by the phrase that is also searched as them.
    rules: Vec<(Vec<String>, Vec<String>)>,
}

/// A line of synonyms that says nothing sensible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("synonyms: line {line}: {rule}")]
pub struct SynonymsError {
    /// From 1.
    pub line: usize,
    /// What does not hold.
    pub rule: String,
}

impl Synonyms {
    /// Reads synonyms; see the type.
    ///
    /// # Errors
    /// Names the first line that is wrong, and why.
    pub fn parse(text: &str) -> Result<Self, SynonymsError> {
        let mut rules = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let wrong = |rule: String| SynonymsError { line: at + 1, rule };
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let sides: Vec<_> = line.split("=>").map(phrases).collect();
            for phrase in sides.iter().flatten() {
                match phrase {
                    Phrase::Sound(_) => {}
                    Phrase::Empty => {
                        return Err(wrong("a phrase needs a letter or digit".into()));
                    }
                    Phrase::Long(phrase) => {
                        return Err(wrong(format!("`{phrase}` has more than {PHRASE_MAX} words")));
                    }
                }
            }
            let sound: Vec<Vec<Vec<String>>> = sides
                .into_iter()
                .map(|side| side.into_iter().filter_map(Phrase::sound).collect())
                .collect();
            if sound.iter().any(|side| side.len() > PHRASES_MAX) {
                return Err(wrong(format!("more than {PHRASES_MAX} phrases")));
            }
            match sound.as_slice() {
                [group] if group.len() < 2 => {
                    return Err(wrong(
                        "a group needs two phrases, as in `sofa, couch`, or `=>` between them"
                            .into(),
                    ));
                }
                [group] => {
                    let pairs =
                        group.iter().flat_map(|from| group.iter().map(move |to| (from, to)));
                    rules.extend(
                        pairs.filter(|(from, to)| from != to).map(|(a, b)| (a.clone(), b.clone())),
                    );
                }
                [left, right] => {
                    let pairs = left.iter().flat_map(|from| right.iter().map(move |to| (from, to)));
                    rules.extend(pairs.map(|(from, to)| (from.clone(), to.clone())));
                }
                _ => return Err(wrong("`=>` may stand only once".into())),
            }
        }
        Ok(Self { rules })
    }

    /// For each phrase those that are also searched for it, words with spaces between them.
    #[must_use]
    pub fn by_phrase(&self) -> BTreeMap<String, Vec<String>> {
        let mut by_phrase = BTreeMap::<String, Vec<String>>::new();
        for (from, to) in &self.rules {
            by_phrase.entry(from.join(" ")).or_default().push(to.join(" "));
        }
        by_phrase
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

enum Phrase {
    Sound(Vec<String>),
    Empty,
    Long(String),
}

impl Phrase {
    fn sound(self) -> Option<Vec<String>> {
        match self {
            Self::Sound(words) => Some(words),
            Self::Empty | Self::Long(_) => None,
        }
    }
}

fn phrases(side: &str) -> Vec<Phrase> {
    side.split(',')
        .map(|phrase| {
            let found = compounds(phrase, PHRASE_MAX + 1);
            let words: Vec<_> =
                found.into_iter().flat_map(|one| one.parts).map(|part| part.word).collect();
            match words.len() {
                0 => Phrase::Empty,
                1..=PHRASE_MAX => Phrase::Sound(words),
                _ => Phrase::Long(phrase.trim().chars().take(80).collect()),
            }
        })
        .collect()
}

/// Synonyms by the stems of the phrases that have some.
#[derive(Debug, Default)]
pub(super) struct Thesaurus {
    others: BTreeMap<Vec<String>, Vec<Vec<String>>>,
    longest: usize,
}

impl Thesaurus {
    pub(super) fn new(language: Language, synonyms: &Synonyms) -> Self {
        let mut thesaurus = Self::default();
        for (from, to) in &synonyms.rules {
            let key: Vec<_> = from.iter().map(|word| stem(language, word)).collect();
            thesaurus.longest = thesaurus.longest.max(key.len());
            let others = thesaurus.others.entry(key).or_default();
            if others.len() < OTHERS_MAX && !others.contains(to) {
                others.push(to.clone());
            }
        }
        thesaurus
    }

    /// Every phrase in a text, given by its stems, that has synonyms: where it begins, how many
    /// words it has, and the synonyms, as words.
    pub(super) fn find<'a>(
        &'a self,
        stems: &'a [String],
    ) -> impl Iterator<Item = (usize, usize, &'a [Vec<String>])> {
        (0..stems.len()).flat_map(move |from| {
            (1..=self.longest.min(stems.len() - from)).filter_map(move |length| {
                let others = self.others.get(&stems[from..from + length])?;
                Some((from, length, others.as_slice()))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rules: &str, text: &str) -> Vec<String> {
        let thesaurus = Thesaurus::new(Language::English, &Synonyms::parse(rules).unwrap());
        let stems: Vec<_> = text.split(' ').map(|word| stem(Language::English, word)).collect();
        let mut found: Vec<_> = thesaurus
            .find(&stems)
            .flat_map(|(from, length, others)| {
                others.iter().map(move |other| format!("{from}+{length} {}", other.join(" ")))
            })
            .collect();
        found.sort();
        found
    }

    #[test]
    fn groups_go_both_ways_and_arrows_one() {
        let rules = "# furniture\nsofa, Couch , settee # all the same\n\ntv => television";
        assert_eq!(found(rules, "red sofas"), ["1+1 couch", "1+1 settee"]);
        assert_eq!(found(rules, "settee"), ["0+1 couch", "0+1 sofa"]);
        assert_eq!(found(rules, "tv"), ["0+1 television"]);
        assert!(found(rules, "television").is_empty());
    }

    #[test]
    fn phrases_may_have_several_words() {
        let rules = "bin bag, trash bag\ntelly, goggle-box => television set";
        assert_eq!(found(rules, "big bin bags"), ["1+2 trash bag"]);
        assert_eq!(found(rules, "goggle box"), ["0+2 television set"]);
        assert!(found(rules, "bin").is_empty());
    }

    #[test]
    fn errors_name_line_and_rule() {
        let error = |text: &str| Synonyms::parse(text).unwrap_err().to_string();
        assert_eq!(
            error("a, b\nsofa"),
            "synonyms: line 2: a group needs two phrases, as in `sofa, couch`, or `=>` between them"
        );
        assert_eq!(error("a => b => c"), "synonyms: line 1: `=>` may stand only once");
        assert_eq!(error("a, , b"), "synonyms: line 1: a phrase needs a letter or digit");
        assert_eq!(error("=> b"), "synonyms: line 1: a phrase needs a letter or digit");
        assert_eq!(
            error("\n\na, b c d e f g h"),
            "synonyms: line 3: `b c d e f g h` has more than 6 words"
        );
        assert!(Synonyms::parse("# nothing\n\n").unwrap().is_empty());
    }
}
