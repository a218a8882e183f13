//! Texts that nobody means well with.

use proptest::prelude::*;

use super::*;

fn shop() -> Shop {
    Shop::new(&["red and green lamp", "not or near chair", "name brand tv"])
}

#[test]
fn nothing_is_a_query_language() {
    let shop = shop();
    assert_eq!(shop.find("red AND green "), [1]);
    assert_eq!(shop.find("\"lamp red\" "), [1]);
    assert_eq!(shop.find("NOT chair "), [2]);
    assert_eq!(shop.find("name:chair "), [3, 2]);
    assert_eq!(shop.find("la* "), [0; 0]);
    assert_eq!(shop.find("(lamp^100 [red TO green]~ "), [1]);
}

#[test]
fn what_has_no_word_matches_nothing() {
    let shop = shop();
    for text in [
        "",
        " ",
        "*",
        "\"\"",
        "!?()[]{}:^~\\",
        "\u{0}\u{1}\u{7f}",
        "\u{1f56f}\u{fe0f}",
        "\u{202e}\u{200f}",
        "-",
        "'s",
    ] {
        let found = shop.matches(text);
        assert!(found.scores.is_empty(), "{text:?}");
        assert_eq!(found.corrected, None, "{text:?}");
    }
}

#[test]
fn long_texts_are_cut() {
    let shop = shop();
    assert!(shop.find(&"x".repeat(100_000)).is_empty());
    assert!(shop.find(&"xy ".repeat(50_000)).is_empty());
    assert!(shop.find(&"-".repeat(100_000)).is_empty());
    assert!(shop.find(&"a'".repeat(50_000)).is_empty());
    let filler: String = (0..32).map(|at| format!("w{at} ")).collect();
    assert!(shop.find(&format!("{filler}lamp ")).is_empty(), "the 33rd word");
    let filler = filler.replacen("w31 ", "", 1);
    assert_eq!(shop.find(&format!("{filler}lamp ")), [1], "the 32nd word");
}

#[test]
fn products_may_be_as_odd_as_texts() {
    let long = "y".repeat(70_000);
    let texts = ["", "\u{0}\u{202e}", &long, "\u{1f56f}", "a'a-a'a", "x".repeat(64).leak()];
    let shop = Shop::new(&texts);
    assert_eq!(shop.index.documents(), 6);
    assert_eq!(shop.find(&"y".repeat(64)), [3], "found by what is left of it");
    assert_eq!(shop.find(&"x".repeat(99)), [6]);
}

#[test]
fn right_to_left_is_as_good_as_any() {
    let settings = TextSettings { language: Language::Arabic, synonyms: Synonyms::default() };
    let shop = Shop::with(settings, &["مصباح أحمر", "שולחן"]);
    assert_eq!(shop.find("مصباح "), [1]);
    assert_eq!(shop.find("שולחן "), [2]);
}

#[test]
fn any_text_has_an_answer() {
    let shop = shop();
    proptest!(ProptestConfig::with_cases(300), |(text in any::<String>(), explain in any::<bool>())| {
        let found = shop.index.matches(&text, explain).unwrap();
        prop_assert!(found.scores.len() <= 3);
        prop_assert!(found.scores.iter().all(|(_, score)| score.is_finite() && *score > 0.0));
    });
    proptest!(ProptestConfig::with_cases(300),
        |(text in "(red|lamp|chiar|lmap|near|tv|[a-z]{1,9}| |-|'){1,12}")| {
        let found = shop.index.matches(&text, true).unwrap();
        let numbers: BTreeSet<_> = found.scores.iter().map(|(number, _)| *number).collect();
        prop_assert_eq!(numbers.len(), found.scores.len());
        prop_assert_eq!(&shop.index.matches(&text, true).unwrap(), &found);
    });
}
