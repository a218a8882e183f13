//! What is a word.

use proptest::prelude::*;

use super::*;

fn words(text: &str) -> Vec<String> {
    compounds(text, 100)
        .into_iter()
        .flat_map(|compound| {
            let parts = compound.parts.into_iter().map(|part| part.word);
            parts.chain(compound.joined).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn words_are_split_at_whatever_is_neither_letter_nor_digit() {
    assert_eq!(
        words("Red, GREEN & blue/black (2 pcs.)"),
        ["red", "green", "blue", "black", "2", "pcs"]
    );
    assert_eq!(words("3D usb_c +AND* \"x\":"), ["3d", "usb", "c", "and", "x"]);
    assert!(words("... -- '' \u{1f56f} \u{0} \u{7}").is_empty());
}

#[test]
fn accents_are_folded_however_they_are_written() {
    assert_eq!(
        words("Crème BRÛLÉE Straße Ærø cafe\u{301}"),
        ["creme", "brulee", "strasse", "aero", "cafe"]
    );
    assert_eq!(words("ёлка İstanbul"), ["елка", "istanbul"]);
}

#[test]
fn compounds_are_found_by_their_parts_and_together() {
    assert_eq!(words("T-Shirt"), ["t", "shirt", "tshirt"]);
    assert_eq!(words("o'neill l\u{2019}eau"), ["o", "neill", "oneill", "l", "eau", "leau"]);
    assert_eq!(words("3-in-1"), ["3", "in", "1", "3in1"]);
    assert_eq!(words("3.5mm 1,000"), ["3", "5mm", "3.5mm", "1", "000", "1.000"]);
    assert_eq!(words("10-20 a.b -x- y-"), ["10", "20", "a", "b", "x", "y"]);
    assert_eq!(words("a-b-c-d-e"), ["a", "b", "c", "d", "e"]);
}

#[test]
fn a_possessive_is_dropped() {
    assert_eq!(
        words("Women's kid\u{2019}s-shoes dogs'"),
        ["women", "kid", "shoes", "kidshoes", "dogs"]
    );
    assert_eq!(words("'s s's"), ["s", "s"]);
}

#[test]
fn scripts_without_spaces_are_split_by_character() {
    assert_eq!(words("木の机desk"), ["木", "の", "机", "desk"]);
}

#[test]
fn long_words_are_cut_and_further_words_left_out() {
    assert_eq!(words(&"x".repeat(100_000))[0].len(), CHARACTERS_MAX);
    assert_eq!(compounds(&"a-b ".repeat(50_000), 5).len(), 3);
    let all: usize = compounds(&"a-b ".repeat(50), 5).iter().map(|one| one.parts.len()).sum();
    assert_eq!(all, 5);
}

#[test]
fn stems_are_those_of_the_language() {
    assert_eq!(stem(Language::English, "candles"), "candl");
    assert_eq!(stem(Language::German, "kerzen"), stem(Language::German, "kerze"));
    assert_eq!(stem(Language::None, "candles"), "candles");
    assert_eq!(stem(Language::English, "3ds"), "3ds");
}

proptest! {
    #[test]
    fn any_text_becomes_words_that_are_words_again(text in any::<String>()) {
        for compound in compounds(&text, 40) {
            prop_assert!(!compound.parts.is_empty());
            for part in &compound.parts {
                prop_assert!(part.from < part.to && text.get(part.from..part.to).is_some());
                prop_assert!(!part.word.is_empty());
            }
        }
    }

    #[test]
    fn every_stemmer_takes_every_word(word in "\\PC{1,40}") {
        for language in [Language::English, Language::Turkish, Language::Arabic, Language::Tamil,
            Language::Greek, Language::Russian, Language::French] {
            prop_assert!(!stem(language, &word).is_empty());
        }
    }
}
