//! Texts as words.
//!
//! Lower case, letters and digits of any script, without accents. Apostrophes within a word vanish.
//! Scripts that put no spaces between words give each pair of neighbouring characters as a word.

/// Words of one text that are used; the rest is left out.
const WORDS_MAX: usize = 1_000;

/// Characters of a word that are used.
const CHARACTERS_MAX: usize = 40;

/// The words of a text, in order.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut found = Found::default();
    for character in text.chars().flat_map(char::to_lowercase) {
        if is_unspaced(character) {
            found.end_word();
            found.run.push(character);
            continue;
        }
        found.end_run();
        if matches!(character, '\'' | '’') || is_mark(character) {
            continue;
        }
        if character.is_alphanumeric() {
            found.add(character);
        } else {
            found.end_word();
        }
        if found.words.len() >= WORDS_MAX {
            break;
        }
    }
    found.end_run();
    found.end_word();
    found.words.truncate(WORDS_MAX);
    found.words
}

#[derive(Default)]
struct Found {
    words: Vec<String>,
    word: String,
    length: usize,
    /// Characters of a script without spaces.
    run: Vec<char>,
}

impl Found {
    fn add(&mut self, character: char) {
        let mut own = [0; 4];
        let letters = plain(character).unwrap_or_else(|| character.encode_utf8(&mut own));
        let longer = self.length + letters.chars().count();
        if longer <= CHARACTERS_MAX {
            self.word.push_str(letters);
            self.length = longer;
        }
    }

    fn end_word(&mut self) {
        if !self.word.is_empty() {
            self.words.push(std::mem::take(&mut self.word));
            self.length = 0;
        }
    }

    fn end_run(&mut self) {
        if let [alone] = self.run[..] {
            self.words.push(alone.to_string());
        }
        self.words.extend(self.run.windows(2).take(WORDS_MAX).map(|pair| pair.iter().collect()));
        self.run.clear();
    }
}

/// Marks that stand over or under the letter before them.
fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}')
}

fn is_unspaced(character: char) -> bool {
    matches!(character,
        '\u{0e01}'..='\u{0e4e}' // Thai
        | '\u{3041}'..='\u{30ff}' // Kana
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' // Han
        | '\u{20000}'..='\u{323af}')
}

/// Latin letters with accents as those they are derived from, lower case only.
fn plain(character: char) -> Option<&'static str> {
    if character.is_ascii() {
        return None;
    }
    Some(match character {
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'ǎ' | 'ạ' | 'ả' | 'ấ'..='ậ' | 'ắ'..='ặ' => {
            "a"
        }
        'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' | 'ẹ' | 'ẻ' | 'ẽ' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' | 'ị' | 'ỉ' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' | 'ơ' | 'ọ' | 'ỏ' => "o",
        'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'þ' => "th",
        'ς' => "σ",
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' | 'ư' | 'ụ' | 'ủ' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' | 'ỳ' | 'ỹ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_folded_and_parted() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            (" -- \u{0} ", &[]),
            ("Crème-brûlée TORCH, 2x", &["creme", "brulee", "torch", "2x"]),
            ("Women's  Straße naïve", &["womens", "strasse", "naive"]),
            ("cafe\u{301} İzmir", &["cafe", "izmir"]),
            ("Чайник 電気 ポット a水b", &["чайник", "電気", "ポッ", "ット", "a", "水", "b"]),
            ("水", &["水"]),
            ("12V/24V", &["12v", "24v"]),
        ];
        for (text, wanted) in cases {
            assert_eq!(words(text), *wanted, "{text}");
        }
        assert_eq!(words(&"x".repeat(100))[0].len(), CHARACTERS_MAX);
        assert_eq!(words(&"x ".repeat(5_000)).len(), WORDS_MAX);
    }

    proptest! {
        /// What words are made of are words.
        #[test]
        fn any_text_has_words_and_they_are_their_own(text in any::<String>()) {
            let once = words(&text);
            prop_assert!(once.iter().all(|word| !word.is_empty()));
            prop_assert_eq!(words(&text.to_lowercase()), once.clone());
            for word in once {
                prop_assert_eq!(words(&word).concat(), word);
            }
        }
    }
}
