//! The words of one segment of the index, in memory: for what a shopper is about to type, and for
//! what a misspelt word may have meant.
//!
//! A segment never changes, so its words are read once and are exactly those that can be found.
//! A scan for similar words looks only at those of a similar length whose sets of letters differ
//! in few enough; of 100,000 words that leaves some hundreds to be compared.

use std::io;
use std::ops::Range;

use tantivy::termdict::TermDictionary;

use super::distance::distance_within;
use super::words::{CHARACTERS_MAX, has_digit};

/// Words shorter than this are not what a misspelt word is repaired to.
const REPAIR_LENGTH_MIN: usize = 3;

#[derive(Debug, Default)]
pub(super) struct SegmentWords {
    /// All words, one after the other, in order.
    text: String,
    /// Where each ends.
    ends: Vec<u32>,
    /// Documents with each, removed ones among them.
    frequencies: Vec<u32>,
    /// By length in characters; without words that have digits.
    by_length: Vec<Bucket>,
}

#[derive(Debug, Default)]
struct Bucket {
    letters: Vec<u64>,
    words: Vec<u32>,
}

/// A word that may have been meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Near<'a> {
    pub(super) word: &'a str,
    pub(super) distance: usize,
    pub(super) frequency: u32,
}

impl SegmentWords {
    pub(super) fn read(dictionary: &TermDictionary) -> io::Result<Self> {
        let mut words = Self::default();
        let mut stream = dictionary.stream()?;
        while let Some((word, info)) = stream.next() {
            let word = std::str::from_utf8(word)
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a word is not UTF-8"))?;
            words.push(word, info.doc_freq);
        }
        Ok(words)
    }

    /// Adds a word, which comes after all others in order.
    fn push(&mut self, word: &str, frequency: u32) {
        // More than four thousand million bytes of different words are no shop.
        let (Ok(place), Ok(end)) =
            (u32::try_from(self.ends.len()), u32::try_from(self.text.len() + word.len()))
        else {
            return;
        };
        self.text.push_str(word);
        self.ends.push(end);
        self.frequencies.push(frequency);
        let length = word.chars().count();
        if (REPAIR_LENGTH_MIN..=CHARACTERS_MAX).contains(&length) && !has_digit(word) {
            if self.by_length.len() <= length {
                self.by_length.resize_with(length + 1, Bucket::default);
            }
            let bucket = &mut self.by_length[length];
            bucket.letters.push(letters(word));
            bucket.words.push(place);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    fn word(&self, place: usize) -> &str {
        let from = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[from as usize..self.ends[place] as usize]
    }

    fn first_not_before(&self, word: &str) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.word(middle) < word {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn beginning_with(&self, prefix: &str) -> Range<usize> {
        let from = self.first_not_before(prefix);
        let (mut low, mut high) = (from, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.word(middle).starts_with(prefix) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        from..low
    }

    /// Words that begin with `prefix`, and how many documents have them.
    pub(super) fn completions(&self, prefix: &str) -> impl Iterator<Item = (&str, u32)> {
        self.beginning_with(prefix).map(|place| (self.word(place), self.frequencies[place]))
    }

    /// Words within `distance_max` of `word`.
    pub(super) fn near<'a>(&'a self, word: &str, distance_max: usize, found: &mut Vec<Near<'a>>) {
        let wanted = letters(word);
        let characters: Vec<char> = word.chars().collect();
        let from = characters.len().saturating_sub(distance_max).max(REPAIR_LENGTH_MIN);
        let to = (characters.len() + distance_max + 1).min(self.by_length.len());
        // A letter replaced takes one away and adds one.
        let differ_max = u32::try_from(2 * distance_max).unwrap_or(u32::MAX);
        for bucket in self.by_length.get(from..to).unwrap_or_default() {
            for (letters, place) in bucket.letters.iter().zip(&bucket.words) {
                if (letters ^ wanted).count_ones() > differ_max {
                    continue;
                }
                let other = self.word(*place as usize);
                let distance = if word.is_ascii() && other.is_ascii() {
                    distance_within(word.as_bytes(), other.as_bytes(), distance_max)
                } else {
                    let other: Vec<char> = other.chars().collect();
                    distance_within(&characters, &other, distance_max)
                };
                if let Some(distance) = distance {
                    let frequency = self.frequencies[*place as usize];
                    found.push(Near { word: other, distance, frequency });
                }
            }
        }
    }
}

/// A bit for each letter that a word has; rarer letters share bits.
fn letters(word: &str) -> u64 {
    word.chars().fold(0, |bits, character| bits | 1 << (u32::from(character) % 64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vocabulary(words: &[&str]) -> SegmentWords {
        let mut sorted: Vec<_> = words.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let mut vocabulary = SegmentWords::default();
        for (frequency, word) in (1..).zip(sorted) {
            vocabulary.push(word, frequency);
        }
        vocabulary
    }

    #[test]
    fn completions_are_all_words_that_begin_so() {
        let words = vocabulary(&["lamp", "lamps", "lampshade", "land", "zoo", "la"]);
        let found: Vec<_> = words.completions("lamp").map(|(word, _)| word).collect();
        assert_eq!(found, ["lamp", "lamps", "lampshade"]);
        assert_eq!(words.completions("zoo").next(), Some(("zoo", 6)));
        assert!(words.completions("lampz").next().is_none());
        assert!(SegmentWords::default().completions("a").next().is_none());
        assert_eq!(words.completions("").count(), 6);
    }

    #[test]
    fn words_with_digits_and_very_short_ones_are_not_meant() {
        let words = vocabulary(&["mp3", "mpx", "mp"]);
        let mut found = Vec::new();
        words.near("mpy", 1, &mut found);
        assert_eq!(found.iter().map(|near| near.word).collect::<Vec<_>>(), ["mpx"]);
    }

    proptest! {
        #[test]
        fn a_scan_finds_all_that_are_near(
            words in proptest::collection::btree_set("[abcdé]{1,10}", 0..60),
            wanted in "[abcdé]{3,10}",
            max in 1_usize..3,
        ) {
            let all: Vec<&str> = words.iter().map(String::as_str).collect();
            let vocabulary = vocabulary(&all);
            let mut found = Vec::new();
            vocabulary.near(&wanted, max, &mut found);
            let mut found: Vec<_> = found.iter().map(|near| (near.word, near.distance)).collect();
            found.sort_unstable();
            let characters = |word: &str| word.chars().collect::<Vec<_>>();
            let expected: Vec<_> = all
                .iter()
                .filter(|word| word.chars().count() >= REPAIR_LENGTH_MIN)
                .filter_map(|word| {
                    let distance = distance_within(&characters(&wanted), &characters(word), max)?;
                    Some((*word, distance))
                })
                .collect();
            prop_assert_eq!(found, expected);
        }
    }
}
