//! How a text becomes words: the same way for products and for what shoppers type.
//!
//! A word is a run of letters and digits, in lower case, without accents, of at most
//! [`CHARACTERS_MAX`] characters. Words held together by a hyphen or an apostrophe (`t-shirt`,
//! `o'neill`) and numbers with a point (`3.5`) make a [`Compound`]: its parts, and what they are
//! when written together (`tshirt`, `3.5`). A possessive `'s` is dropped. Characters of scripts
//! that are written without spaces are words of their own.

use std::iter::Peekable;
use std::str::CharIndices;

use tantivy::tokenizer::{
    AsciiFoldingFilter, RawTokenizer, Stemmer, TokenFilter, TokenStream, Tokenizer,
};

use super::Language;

/// Characters of a word; what is longer is cut.
pub(super) const CHARACTERS_MAX: usize = 64;
/// Parts and characters up to which a compound is also taken as one word.
const PARTS_MAX: usize = 4;
const JOINED_MAX: usize = 40;

/// One word, or several that are held together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Compound {
    /// As written, in order; never empty.
    pub(super) parts: Vec<Part>,
    /// The parts written together, where that is a word people may use.
    pub(super) joined: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) word: String,
    /// Where it stands in the text, bytes.
    pub(super) from: usize,
    pub(super) to: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Link {
    Hyphen,
    Point,
}

/// The first `words_max` words of a text, compounds counted by their parts.
pub(super) fn compounds(text: &str, words_max: usize) -> Vec<Compound> {
    let mut reader = Reader { found: Vec::new(), words: 0, parts: Vec::new(), links: Vec::new() };
    let mut characters = text.char_indices().peekable();
    let mut part: Option<(String, usize, usize)> = None;
    let mut before = ' ';
    while let Some((at, character)) = characters.next() {
        let end = at + character.len_utf8();
        if is_silent(character) {
            continue;
        }
        if stands_alone(character) {
            reader.part(part.take());
            reader.end();
            reader.part(Some((character.to_string(), at, end)));
            reader.end();
        } else if character.is_alphanumeric() {
            let (word, _, to) = part.get_or_insert_with(|| (String::new(), at, end));
            if word.chars().count() < CHARACTERS_MAX {
                word.extend(character.to_lowercase().filter(|c| !is_silent(*c)));
            }
            *to = end;
        } else if part.is_some() && is_apostrophe(character) && possessive(&characters) {
            characters.next();
        } else {
            let next = characters.peek().map(|(_, next)| *next);
            let link = part.as_ref().and(next).and_then(|next| link(before, character, next));
            reader.part(part.take());
            match link {
                Some(link) => reader.links.push(link),
                None => reader.end(),
            }
        }
        before = character;
        if reader.words >= words_max {
            break;
        }
    }
    reader.part(part);
    reader.end();
    let mut left = words_max;
    reader.found.retain_mut(|compound| {
        if compound.parts.len() > left {
            compound.parts.truncate(left);
            compound.joined = None;
        }
        left -= compound.parts.len();
        !compound.parts.is_empty()
    });
    reader.found
}

/// What has been read so far.
struct Reader {
    found: Vec<Compound>,
    words: usize,
    parts: Vec<Part>,
    links: Vec<Link>,
}

impl Reader {
    fn part(&mut self, part: Option<(String, usize, usize)>) {
        if let Some((word, from, to)) = part.filter(|(word, ..)| !word.is_empty()) {
            self.words += 1;
            self.parts.push(Part { word: folded(word), from, to });
        }
    }

    fn end(&mut self) {
        let (parts, links) = (std::mem::take(&mut self.parts), std::mem::take(&mut self.links));
        if !parts.is_empty() {
            self.found.push(Compound { joined: joined(&parts, &links), parts });
        }
    }
}

fn joined(parts: &[Part], links: &[Link]) -> Option<String> {
    if !(2..=PARTS_MAX).contains(&parts.len()) {
        return None;
    }
    let mut word = String::new();
    for (place, part) in parts.iter().enumerate() {
        // A point is kept: 3.5 is not 35.
        if place > 0 && links.get(place - 1) == Some(&Link::Point) {
            word.push('.');
        }
        word.push_str(&part.word);
    }
    let says = links.contains(&Link::Point) || word.chars().any(char::is_alphabetic);
    (says && word.chars().count() <= JOINED_MAX).then_some(word)
}

fn link(before: char, character: char, next: char) -> Option<Link> {
    let numbers = before.is_ascii_digit() && next.is_ascii_digit();
    match character {
        '.' | ',' if numbers => Some(Link::Point),
        '-' | '\u{2010}' | '\u{2011}' if next.is_alphanumeric() => Some(Link::Hyphen),
        _ if is_apostrophe(character) && next.is_alphanumeric() => Some(Link::Hyphen),
        _ => None,
    }
}

fn is_apostrophe(character: char) -> bool {
    matches!(character, '\'' | '\u{2019}' | '\u{2bc}')
}

/// Whether an `s` comes next and ends its word.
fn possessive(rest: &Peekable<CharIndices<'_>>) -> bool {
    let mut rest = rest.clone();
    matches!(rest.next(), Some((_, 's' | 'S')))
        && rest.next().is_none_or(|(_, after)| !after.is_alphanumeric())
}

/// Marks that change a letter or its shape, but neither are one nor end a word.
fn is_silent(character: char) -> bool {
    matches!(
        character,
        '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{feff}'
    )
}

/// Han, Hiragana, Katakana, and Thai.
fn stands_alone(character: char) -> bool {
    character.is_alphabetic()
        && matches!(character, '\u{e00}'..='\u{e7f}' | '\u{3040}'..='\u{30ff}'
            | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{323af}')
}

/// Without accents.
fn folded(word: String) -> String {
    if word.is_ascii() {
        return word;
    }
    let word = word.replace('ё', "е");
    let mut filter = AsciiFoldingFilter.transform(RawTokenizer::default());
    first(&mut filter.token_stream(&word)).unwrap_or(word)
}

/// What a word is reduced to. Words with digits are names of things, and stay as they are.
pub(super) fn stem(language: Language, word: &str) -> String {
    let Some(algorithm) = language.algorithm().filter(|_| !has_digit(word)) else {
        return word.to_owned();
    };
    let mut filter = Stemmer::new(algorithm).transform(RawTokenizer::default());
    let stem = first(&mut filter.token_stream(word)).filter(|stem| !stem.is_empty());
    stem.unwrap_or_else(|| word.to_owned())
}

pub(super) fn has_digit(word: &str) -> bool {
    word.chars().any(char::is_numeric)
}

fn first(stream: &mut impl TokenStream) -> Option<String> {
    stream.advance().then(|| std::mem::take(&mut stream.token_mut().text))
}

#[cfg(test)]
mod tests;
