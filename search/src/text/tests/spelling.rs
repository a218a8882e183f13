//! What is misspelt, and what was meant.

use super::*;

fn shop() -> Shop {
    Shop::new(&[
        "candle holder brass",
        "candle red",
        "handle",
        "headphones wireless",
        "tea towel linen",
        "lunchbox steel",
        "x100 camera",
        "tea lamp",
    ])
}

fn repaired(text: &str) -> String {
    shop().corrected(text).unwrap_or_else(|| "(as it was)".to_owned())
}

#[test]
fn one_slip_is_repaired_from_four_letters_and_two_from_eight() {
    assert_eq!(repaired("cnadle "), "candle");
    assert_eq!(repaired("candlle "), "candle");
    assert_eq!(repaired("hedaphnoes"), "headphones");
    assert_eq!(repaired("briss "), "brass");
    assert_eq!(repaired("rde "), "(as it was)");
    assert_eq!(repaired("baass "), "brass");
    assert_eq!(repaired("baasz "), "(as it was)");
}

#[test]
fn the_nearest_wins_and_of_those_the_most_frequent() {
    // One slip from each of candle, which two products have, and handle, which one has.
    assert_eq!(repaired("zandle "), "candle");
    assert_eq!(repaired("hadle "), "handle");
}

#[test]
fn what_is_known_in_any_form_stays() {
    for text in ["candles", "handles ", "holders ", "wirele", "x100", "x101 ", "ab ", ""] {
        assert_eq!(repaired(text), "(as it was)", "{text}");
    }
}

#[test]
fn words_are_split_and_joined() {
    assert_eq!(repaired("teatowel "), "tea towel");
    assert_eq!(shop().find("teatowel"), [5, 8]);
    assert_eq!(repaired("lunch box"), "lunchbox");
    assert_eq!(repaired("Steel lunch box "), "Steel lunchbox");
    assert_eq!(repaired("lampbrass "), "(as it was)", "no product has both");
}

#[test]
fn the_corrected_text_is_what_was_searched() {
    let shop = shop();
    assert_eq!(shop.corrected("RED, cnadle!"), Some("RED candle".to_owned()));
    assert_eq!(shop.find("RED, cnadle!"), shop.find("red candle "));
    assert_eq!(shop.corrected("red candle"), None);
    assert_eq!(shop.corrected("cnadle zzzzzz "), Some("candle zzzzzz".to_owned()));
}

#[test]
fn only_so_many_words_are_repaired() {
    assert_eq!(
        repaired(&format!("{} cnadle ", "qqqqq ".repeat(7))),
        format!("{}candle", "qqqqq ".repeat(7))
    );
    assert_eq!(repaired(&format!("{} cnadle ", "qqqqq ".repeat(8))), "(as it was)");
}

#[test]
fn a_new_word_is_known_at_once_and_a_removed_one_no_longer() {
    let shop = shop();
    assert_eq!(repaired("candla "), "candle");
    shop.index.apply(&[product(20, "candla")], &[], "").unwrap();
    assert_eq!(shop.corrected("candla "), None);
    assert_eq!(shop.find("candla "), [20]);
    shop.index.apply(&[], &[id(20)], "").unwrap();
    assert_eq!(shop.corrected("candla "), Some("candle".to_owned()));
    shop.index.apply(&[], &[id(1), id(2)], "").unwrap();
    assert_eq!(shop.corrected("candla "), None, "nobody has candles any more");
}

#[test]
fn other_scripts_are_repaired_too() {
    let settings = TextSettings { language: Language::Russian, synonyms: Synonyms::default() };
    let shop = Shop::with(settings, &["красная лампа"]);
    assert_eq!(shop.corrected("крансая "), Some("красная".to_owned()));
}
