//! That the shop and the questions are what the checks take them for.

use std::collections::BTreeSet;

use super::expected::{Expected, text_of, words};
use super::{everything, filter, filters};

#[test]
fn no_word_is_near_another() {
    let documents = Expected::shop().documents;
    let all: BTreeSet<String> = documents.values().flat_map(|it| words(&text_of(it))).collect();
    // Numbers are told apart exactly by all engines.
    let is_word = |word: &&String| word.chars().all(char::is_alphabetic) && word.len() > 2;
    let all: Vec<&String> = all.iter().filter(is_word).collect();
    assert!(all.len() > 30, "{all:?}");
    for (index, a) in all.iter().enumerate() {
        for b in &all[index + 1..] {
            assert!(!b.starts_with(a.as_str()), "{b} begins with {a}");
            if a.len() >= 4 && b.len() >= 4 {
                assert!(distance(a, b) >= 3, "{a} is near {b}");
            }
        }
    }
}

/// Levenshtein's.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (at, other) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[test]
fn every_filter_takes_something_and_leaves_something() {
    let expected = Expected::shop();
    let all = expected.numbers(&everything()).len();
    for (name, chosen) in filters() {
        let left = expected.numbers(&filter(chosen)).len();
        let wanted = match name {
            "none" => left == all,
            "an empty category" => left == 0,
            _ => left > 0 && left < all,
        };
        assert!(wanted, "{name} leaves {left} of {all}");
    }
}
