//! Which products come first.

use proptest::prelude::*;

use super::*;

#[test]
fn fields_count_as_much_as_they_are_told_to() {
    let shop = Shop::new(&[
        "thing a||||oak|",
        "thing b|||||oak",
        "thing c|||oak||",
        "thing d||oak|||",
        "thing e|oak||||",
        "thing oak|||||",
    ]);
    let found = shop.find("oak");
    assert_eq!(found[0], 6, "name");
    assert_eq!(found[1], 5, "brand");
    assert_eq!(found[2], 4, "category");
    assert_eq!(found[5], 1, "attributes");
}

#[test]
fn the_word_itself_comes_before_another_form_of_it() {
    let shop = Shop::new(&["candles", "candle", "other"]);
    assert_eq!(shop.find("candle"), [2, 1]);
    assert_eq!(shop.find("candles"), [1, 2]);
}

#[test]
fn all_words_come_before_some_however_good_those_are() {
    let shop = Shop::new(&[
        "oak||||| oak oak oak",
        "thing||||table|a long text that says something of oak in the middle of everything else",
        "oak oak oak|oak|oak|oak||oak",
        "table",
        "something else",
    ]);
    let found = shop.find("oak table ");
    assert_eq!(found[0], 2);
    assert_eq!(sorted(&found[1..]), [1, 3, 4]);
}

#[test]
fn fewer_words_are_asked_for_only_until_there_are_ten() {
    let mut texts = vec!["red oak table"; 9];
    texts.extend(["red oak chair", "red oak"]);
    texts.extend(["red"; 5]);
    let shop = Shop::new(&texts);
    assert_eq!(shop.find("red oak table ").len(), 11, "nine with all, two that lack one");
    let ten: Vec<_> = [vec!["red oak table"], texts].concat();
    assert_eq!(Shop::new(&ten).find("red oak table ").len(), 10);
}

#[test]
fn a_word_that_nobody_has_is_one_that_all_lack() {
    let shop = Shop::new(&["red oak table", "red oak chair lamp rug", "oak"]);
    assert_eq!(shop.find("red oak qqqqqqqqqqq "), [1, 2, 3]);
    assert_eq!(shop.find("red oak zz9 "), [1, 2, 3]);
    assert_eq!(shop.find("qqqqqqqqqqq "), [0; 0]);
}

/// Lists are kept in blocks of 128.
#[test]
fn long_lists_are_read_to_their_end() {
    for many in [127, 128, 129, 256, 257] {
        let shop = Shop::new(&vec!["lamp"; many]);
        assert_eq!(shop.find("lamp ").len(), many);
        assert_eq!(shop.find("lam").len(), many);
    }
}

/// Of a frequent word, only what it is worth in the few products that have a rare one is looked up.
#[test]
fn frequent_words_count_beside_rare_ones() {
    let mut texts = vec!["lamp"; 400];
    for at in 0..12 {
        texts[at * 30] = if at % 2 == 0 { "lamp zebra" } else { "zebra thing|||||lamp" };
    }
    let found = Shop::new(&texts).find("zebra lamp ");
    assert_eq!(found.len(), 12);
    assert_eq!(sorted(&found[..6]), [1, 61, 121, 181, 241, 301], "by name, not by description");
}

#[test]
fn stand_ins_come_after_what_was_asked_for() {
    let synonyms = Synonyms::parse("sofa, couch, settee").unwrap();
    let settings = TextSettings { synonyms, ..TextSettings::default() };
    let texts = ["couch settee", "sofa", "couch", "sofa couch settee other", "sofa"];
    let shop = Shop::with(settings, &texts);
    let found = shop.find("sofa ");
    assert_eq!(found[..2], [2, 5], "the rarity of a synonym does not lift it");
    assert_eq!(found.len(), 5);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Against the definition, word by word.
    #[test]
    fn what_matches_is_what_the_rule_says(
        products in proptest::collection::vec(
            proptest::collection::btree_set(0_usize..6, 1..5), 1..40),
        asked in proptest::collection::btree_set(0_usize..6, 1..5),
        batches in 1_usize..4,
        removed in proptest::collection::btree_set(1_i64..40, 0..6),
    ) {
        const WORDS: [&str; 6] = ["amber", "birch", "cedar", "denim", "ebony", "flint"];
        let directory = tempfile::tempdir().unwrap();
        let index = TextIndex::create(directory.path(), &TextSettings::default()).unwrap();
        let text = |words: &BTreeSet<usize>| {
            words.iter().map(|word| WORDS[*word]).collect::<Vec<_>>().join(" ")
        };
        let all: Vec<_> = (1..).zip(&products).map(|(at, has)| product(at, &text(has))).collect();
        for some in all.chunks(all.len().div_ceil(batches)) {
            index.apply(some, &[], "").unwrap();
        }
        let removed: Vec<i64> = removed.into_iter().collect();
        index.apply(&[], &removed.iter().map(|number| id(*number)).collect::<Vec<_>>(), "").unwrap();

        let left: Vec<_> = (1..)
            .zip(&products)
            .filter(|(number, _)| !removed.contains(number))
            .map(|(number, has)| (number, has.intersection(&asked).count()))
            .collect();
        // A word that no product is left with is repaired or lacking: another test's.
        let known = asked.iter().all(|word| {
            (1..).zip(&products).any(|(number, has)| !removed.contains(&number) && has.contains(word))
        });
        prop_assume!(known);
        let with = |words: usize| left.iter().filter(|(_, has)| *has >= words).count();
        let needed = (1..=asked.len()).rev().find(|words| with(*words) >= 10).unwrap_or(1);
        let mut expected: Vec<i64> =
            left.iter().filter(|(_, has)| *has >= needed).map(|(number, _)| *number).collect();

        let mut scores = index.matches(&format!("{} ", text(&asked)), false).unwrap().scores;
        scores.sort_by(|a, b| b.1.total_cmp(&a.1));
        let has: BTreeMap<i64, usize> = left.iter().copied().collect();
        prop_assert!(scores.is_sorted_by(|a, b| has[&a.0] >= has[&b.0]), "{scores:?}");
        let mut found: Vec<i64> = scores.into_iter().map(|(number, _)| number).collect();
        found.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(index.documents(), left.len() as u64);
    }
}

fn sorted(numbers: &[i64]) -> Vec<i64> {
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable();
    numbers
}
