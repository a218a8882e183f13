//! Words spelt alike: what a word unknown to the model might be.

use std::collections::HashMap;

/// Lengths of the pieces that words are compared by.
const LENGTHS: std::ops::RangeInclusive<usize> = 3..=5;

/// Share of pieces in common (Dice) below which two words have nothing to do with each other.
const ALIKE: f32 = 0.2;

/// Most words taken for one that is unknown.
const WORDS_MAX: usize = 8;

/// Which known words have which pieces.
pub(super) struct Spellings {
    /// Hash of a piece, and a word that has it; ascending.
    pieces: Vec<(u64, u32)>,
    /// Pieces of each word.
    counts: Vec<u32>,
}

impl Spellings {
    pub(super) fn of<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        let (mut pieces, mut counts) = (Vec::new(), Vec::new());
        for (number, word) in (0..).zip(words) {
            let own = pieces_of(word);
            counts.push(own.len() as u32);
            pieces.extend(own.into_iter().map(|piece| (piece, number)));
        }
        pieces.sort_unstable();
        Self { pieces, counts }
    }

    /// The known words most like this one, the most like first, and the share of pieces in common;
    /// none below half that of the first. Equally like: the lower number first.
    pub(super) fn alike(&self, word: &str) -> Vec<(usize, f32)> {
        let own = pieces_of(word);
        let mut shared: HashMap<u32, u32> = HashMap::new();
        for piece in &own {
            let from = self.pieces.partition_point(|(other, _)| other < piece);
            for (_, word) in self.pieces[from..].iter().take_while(|(other, _)| other == piece) {
                *shared.entry(*word).or_default() += 1;
            }
        }
        let mut alike: Vec<(usize, f32)> = shared
            .into_iter()
            .map(|(other, shared)| {
                let pieces = own.len() as f32 + self.counts[other as usize] as f32;
                (other as usize, 2.0 * shared as f32 / pieces)
            })
            .filter(|(_, share)| *share >= ALIKE)
            .collect();
        alike.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let best = alike.first().map_or(0.0, |first| first.1);
        alike.truncate(WORDS_MAX);
        alike.retain(|(_, share)| *share >= best / 2.0);
        alike
    }
}

/// Hashes of the different pieces of a word, with marks for its beginning and end.
fn pieces_of(word: &str) -> Vec<u64> {
    let characters: Vec<char> = std::iter::once('<').chain(word.chars()).chain(['>']).collect();
    let mut pieces: Vec<u64> = LENGTHS
        .flat_map(|length| characters.windows(length))
        .map(|piece| {
            // FNV-1a, over characters.
            piece.iter().fold(0xcbf2_9ce4_8422_2325, |hash, character| {
                (hash ^ u64::from(*character)).wrapping_mul(0x0000_0100_0000_01b3)
            })
        })
        .collect();
    pieces.sort_unstable();
    pieces.dedup();
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_words_and_plurals_find_what_was_meant() {
        let known = ["charger", "kettle", "cable", "table", "tablecloth", "umbrella", "led"];
        let spellings = Spellings::of(known.into_iter());
        let cases = [
            ("chargr", "charger"),
            ("chargers", "charger"),
            ("ketle", "kettle"),
            ("kettels", "kettle"),
            ("tables", "table"),
            ("umbrela", "umbrella"),
            ("leds", "led"),
        ];
        for (word, wanted) in cases {
            let alike = spellings.alike(word);
            assert_eq!(alike.first().map(|(at, _)| known[*at]), Some(wanted), "{word}: {alike:?}");
        }
        assert_eq!(spellings.alike("xyzzy"), []);
        assert_eq!(spellings.alike(""), []);
        let same = spellings.alike("cable");
        assert_eq!(same[0], (2, 1.0));
        assert!(Spellings::of(std::iter::empty()).alike("cable").is_empty());
    }
}
