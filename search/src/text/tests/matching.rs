//! Which products match a text.

use super::*;

#[test]
fn words_are_found_in_every_field() {
    let shop = Shop::new(&["lamp|acme|lighting|cosy|amber|warm glow", "chair|other|||red|"]);
    for text in ["lamp", "ACME", "Lighting", "cosy", "amber", "glow", "acme lamp glow"] {
        assert_eq!(shop.find(text), [1], "{text}");
    }
    assert_eq!(shop.find("colour"), [0; 0], "names of attributes are not searched");
}

#[test]
fn forms_and_accents_make_no_difference() {
    let shop = Shop::new(&["Crème brûlée dishes", "women's T-Shirt", "running shoe"]);
    assert_eq!(shop.find("creme brulee dish"), [1]);
    assert_eq!(shop.find("CRÈME dishes "), [1]);
    for text in ["woman's t-shirts", "tshirt", "t shirts", "womens tshirt", "T-SHIRT "] {
        assert!(shop.find(text).contains(&2), "{text}");
    }
    assert_eq!(shop.find("shoes run"), [3]);
    assert_eq!(shop.corrected("shoes running"), None);
}

#[test]
fn words_together_and_apart_find_each_other() {
    let shop = Shop::new(&["tshirt white", "t shirt blue", "bottle 500ml", "bottle 500 ml"]);
    assert_eq!(sorted(shop.find("t shirt ")), [1, 2]);
    assert_eq!(sorted(shop.find("t-shirt ")), [1, 2]);
    assert_eq!(sorted(shop.find("bottle 500 ml ")), [3, 4]);
    assert_eq!(sorted(shop.find("bottle 500ml ")), [3, 4]);
    assert_eq!(shop.corrected("bottle 500ml "), None);
}

#[test]
fn the_last_word_may_go_on() {
    let shop = Shop::new(&["desk lamp", "desk lampshade", "lamington cake"]);
    assert_eq!(sorted(shop.find("lam")), [1, 2, 3]);
    assert_eq!(shop.find("desk lamps"), [1, 2], "a form of lamp, and a beginning of lampshade");
    assert_eq!(shop.find("desk lampsh"), [2, 1], "no more than a beginning of lampshade");
    assert_eq!(shop.find("lamp"), [1, 2], "the word itself first");
    assert_eq!(shop.find("lamp "), [1]);
    assert_eq!(shop.find("lam "), [0; 0]);
    assert_eq!(shop.find("lam desk "), [1, 2], "only the last word does, so `lam` is lacking");
}

#[test]
fn completions_are_the_most_frequent_ones() {
    let mut texts: Vec<String> = (0..60).map(|at| format!("xy{}k", letters(at))).collect();
    texts.push("xyaak again".to_owned());
    texts.push("xybhk again".to_owned());
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    let found = Shop::new(&texts).find("xy");
    // Fifty words, of which two are in two products.
    assert_eq!(found.len(), 52);
    assert!(found.contains(&61) && found.contains(&62));
}

fn letters(at: usize) -> String {
    let letter = |at: usize| char::from(b'a' + u8::try_from(at).unwrap());
    format!("{}{}", letter(at / 26), letter(at % 26))
}

#[test]
fn synonyms_stand_for_each_other_as_they_were_told() {
    let synonyms = "sofa, couch\ntv => television\nbin bag, trash bag\nmugg => cup";
    let settings =
        TextSettings { synonyms: Synonyms::parse(synonyms).unwrap(), ..TextSettings::default() };
    let shop = Shop::with(
        settings,
        &[
            "red sofa",
            "red couch",
            "old television",
            "tv stand",
            "bin bags",
            "trash bags",
            "tea cup",
        ],
    );
    assert_eq!(shop.find("red sofa "), [1, 2]);
    assert_eq!(shop.find("couches "), [2, 1]);
    assert_eq!(shop.find("tv "), [4, 3]);
    assert_eq!(shop.find("television "), [3]);
    assert_eq!(shop.find("bin bag "), [5, 6]);
    assert_eq!(shop.find("trash bag "), [6, 5]);
    assert_eq!(shop.find("mugg "), [7], "no product has it, but it has a synonym");
    assert_eq!(shop.corrected("mugg "), None);
}

#[test]
fn the_language_decides_about_stems() {
    let settings = |language| TextSettings { language, synonyms: Synonyms::default() };
    let texts = ["rote Kerzen"];
    assert_eq!(Shop::with(settings(Language::German), &texts).find("roter kerze "), [1]);
    let plain = Shop::with(settings(Language::None), &["candles", "other"]);
    assert_eq!(plain.find("candles "), [1]);
    assert_eq!(plain.corrected("candle "), Some("candles".to_owned()));
}

#[test]
fn explanations_name_words_by_field() {
    let shop = Shop::new(&["desk lamp|lamp works|||lamp|", "desk||||| with a lampshade"]);
    let found = shop.index.matches("desk lam", true).unwrap();
    let fields = |number| {
        let fields: &BTreeMap<_, _> = &found.matched[&number];
        fields.iter().map(|(field, words)| format!("{field}: {}", words.join(" "))).collect()
    };
    let first: Vec<String> = fields(1);
    assert_eq!(first, ["attributes: lamp", "brand: lamp", "name: desk lamp"]);
    let second: Vec<String> = fields(2);
    assert_eq!(second, ["description: lampshade", "name: desk"]);
    assert!(shop.matches("desk").matched.is_empty());
}

fn sorted(mut numbers: Vec<i64>) -> Vec<i64> {
    numbers.sort_unstable();
    numbers
}
