//! Which products match a text, and the little that is promised of their order.

use super::expected::{Expected, has_words, text_of};
use super::{Subject, everything, numbers, shop, text};
use crate::{Filter, Question};

/// If at least this many have all words, nothing else is found.
const ENOUGH: usize = 10;

pub(crate) async fn only_what_has_all_words_matches(subject: Subject) {
    let subject = subject.with_shop().await;
    let expected = Expected::shop();
    for words in
        ["lantern", "pillow", "durable lantern", "lantern durable", "camping durable outdoors"]
    {
        let question = text(words);
        let wanted = expected.numbers(&question);
        assert!(wanted.len() >= ENOUGH, "the check is about texts that much matches: {words}");
        assert_eq!(subject.found(&question).await, wanted, "products with all of `{words}`");
    }
    for (words, wanted) in [("torch", vec![7]), ("zzyzxqwv", vec![])] {
        assert_eq!(subject.found(&text(words)).await, wanted, "products with `{words}`");
    }
    for word in ["nordwind", "tamarisk", "cookware", "household", "clearance", "midnight", "ochre"]
    {
        let question = text(word);
        let wanted = expected.numbers(&question);
        assert!(!wanted.is_empty());
        let found = subject.found(&question).await;
        assert_eq!(found, wanted, "brands, categories, tags and attributes are searched: {word}");
    }
}

pub(crate) async fn a_misspelt_word_is_found(subject: Subject) {
    let subject = subject.with_shop().await;
    let expected = Expected::shop();
    for (misspelt, meant) in [
        ("lantrn", "lantern"),
        ("hamock", "hammock"),
        ("bicylce", "bicycle"),
        ("sacuepan", "saucepan"),
        ("velvat", "velvet"),
        ("teaspooons", "teaspoons"),
        ("durable lantrn", "durable lantern"),
        ("durabel lantern", "durable lantern"),
    ] {
        let found = subject.found(&text(misspelt)).await;
        assert_eq!(found, expected.numbers(&text(meant)), "`{misspelt}` finds `{meant}`");
    }
}

pub(crate) async fn the_last_word_may_be_only_begun(subject: Subject) {
    let subject = subject.with_shop().await;
    let expected = Expected::shop();
    for begun in ["lant", "sauc", "hammo", "bicy", "durable lant"] {
        let question = text(begun);
        let wanted = expected.numbers(&question);
        assert!(wanted.len() > 5, "the check is about words that are there: {begun}");
        assert_eq!(subject.found(&question).await, wanted, "`{begun}` while it is being typed");
    }
}

pub(crate) async fn a_word_that_something_follows_is_whole(subject: Subject) {
    let subject = subject.with_shop().await;
    let expected = Expected::shop();
    for closed in ["lant ", "sauc  ", "hammo!", "bicy,"] {
        assert_eq!(subject.found(&text(closed)).await, [0; 0], "`{closed}` is no word");
    }
    for (closed, whole) in [("lantern ", "lantern"), ("durable lantern ", "durable lantern")] {
        let wanted = expected.numbers(&text(whole));
        assert_eq!(subject.found(&text(closed)).await, wanted, "`{closed}`");
    }
    // What is only begun and closed is a word that no product has: one word fewer is found.
    let some = subject.found(&text("durable lant ")).await;
    assert_eq!(some, expected.numbers(&text("durable")), "`lant ` is a word that nothing has");
}

pub(crate) async fn case_and_accents_do_not_matter(subject: Subject) {
    let subject = subject.with_shop().await;
    for written in ["crème", "creme", "CRÈME", "CREME", "brulee", "Brûlée", "creme brulee torch"]
    {
        let found = subject.hits(&text(written)).await;
        assert_eq!(found.first(), Some(&7), "`{written}` finds the Crème brûlée torch");
    }
    let expected = Expected::shop().numbers(&text("unique"));
    for written in ["ünique", "unique", "ÜNIQUE", "Unique"] {
        assert_eq!(subject.found(&text(written)).await, expected, "{written}");
    }
}

pub(crate) async fn one_and_many_are_the_same(subject: Subject) {
    let subject = subject.with_shop().await;
    for (one, many) in [("lantern", "lanterns"), ("teaspoon", "teaspoons"), ("pillow", "pillows")] {
        let found = subject.found(&text(one)).await;
        assert!(!found.is_empty(), "{one}");
        assert_eq!(subject.found(&text(many)).await, found, "{one}, {many}");
    }
}

pub(crate) async fn hostile_texts_find_little(subject: Subject) {
    let subject = subject.with_shop().await;
    let long = "lantern ".repeat(2_000);
    let one_word = "x".repeat(100_000);
    let deep = format!("{}lantern{}", "(".repeat(5_000), ")".repeat(5_000));
    for hostile in [
        "*",
        "**",
        "?",
        "!",
        "!!!",
        "-",
        "--",
        "+",
        "\"",
        "\"\"",
        "''",
        "(",
        ")",
        "[]",
        "{}",
        ":",
        "::",
        "/",
        "\\",
        "^",
        "~",
        "%",
        "_",
        ".",
        "...",
        "&&",
        "||",
        "\u{0}",
        "\u{feff}",
        "\u{200b}",
        "\u{301}",
        "-lantern",
        "- lantern",
        "-\"lantern\"",
        "NOT lantern",
        "!lantern",
        "*:*",
        "name:*",
        "id EXISTS",
        "kind = product",
        "kind:product",
        "/.*/",
        "[a TO z]",
        "[* TO *]",
        "lantern~2",
        "lantern^9",
        "\" OR kind = \"product",
        "' OR '1'='1",
        "\u{1f4a9}",
        "q\u{0}zz",
        "\\\"",
        "<script>",
        "%00",
        "\u{202e}nretnal",
        "ﷺ",
        long.trim(),
        &one_word,
        &deep,
    ] {
        let findings = subject.ask(&text(hostile)).await;
        let shown: String = hostile.chars().take(40).collect();
        assert!(
            findings.total < u64::from(shop::PRODUCTS) / 2,
            "`{shown}` finds little or nothing, but found {}",
            findings.total
        );
        assert_eq!(findings.total, findings.hits.len() as u64, "`{shown}`");
    }
}

pub(crate) async fn what_has_some_words_follows_what_has_all(subject: Subject) {
    let subject = subject.with_shop().await;
    let expected = Expected::shop();
    for words in ["crimson lantern", "emerald hammock", "lantern zzyzxqwv", "voucher walnut"] {
        let has_all = |n: &u32| has_words(&expected.documents[&shop::product_id(*n)], words);
        let all = expected.numbers(&text(words));
        assert!(all.len() < ENOUGH, "the check is about texts that little matches: {words}");
        let hits = subject.hits(&text(words)).await;
        assert!(!hits.is_empty(), "what has some of `{words}` is found");
        let first: Vec<bool> = hits.iter().map(has_all).collect();
        assert_eq!(first.iter().filter(|all| **all).count(), all.len(), "all with `{words}`");
        assert!(
            first.is_sorted_by(|a, b| a >= b),
            "those with all of `{words}` come first: {hits:?}"
        );
        for hit in hits {
            let document = &expected.documents[&shop::product_id(hit)];
            let has_one = words.split(' ').any(|word| has_words(document, word));
            assert!(has_one, "{hit} has some word of `{words}`: {}", text_of(document));
        }
    }
    // What follows is decided by the text alone: a filter only takes away.
    let unfiltered = subject.hits(&text("crimson lantern")).await;
    let filter = Filter { in_stock: Some(true), ..Filter::default() };
    let filtered = Question { filter, ..text("crimson lantern") };
    let in_stock = |n: &u32| expected.documents[&shop::product_id(*n)].in_stock;
    let mut wanted: Vec<u32> = unfiltered.into_iter().filter(in_stock).collect();
    wanted.sort_unstable();
    assert_eq!(subject.found(&filtered).await, wanted);
}

pub(crate) async fn a_word_in_the_name_ranks_above_one_in_the_description(subject: Subject) {
    let subject = subject.with_shop().await;
    let hits = subject.hits(&text("lantern")).await;
    assert_eq!(hits.last(), Some(&9), "only its description speaks of a lantern: {hits:?}");
    let hits = subject.hits(&text("durable lantern")).await;
    assert_eq!(hits.last(), Some(&9), "only its description speaks of a lantern: {hits:?}");
}

pub(crate) async fn explanations_are_given_if_asked_for(subject: Subject) {
    let subject = subject.with_shop().await;
    let plain = subject.ask(&text("lantern")).await;
    assert!(plain.hits.iter().all(|hit| hit.explanation.is_none()), "nobody asked");
    let explained = subject.ask(&Question { explain: true, offset: 2, ..text("lantern") }).await;
    assert_eq!(numbers(&explained), numbers(&plain)[2..], "explaining changes no order");
    for (index, hit) in explained.hits.iter().enumerate() {
        let explanation = hit.explanation.as_ref().expect("an explanation was asked for");
        let text = explanation.text.as_ref().expect("the hit is there for its text");
        assert_eq!(text.rank, index + 3, "ranks count all that match, from 1");
        assert!(text.score.is_finite());
        assert_eq!(explanation.semantic, None);
    }
    let browsed = subject.ask(&Question { explain: true, ..everything() }).await;
    let text_scores = browsed.hits.iter().filter_map(|hit| hit.explanation.as_ref()?.text.as_ref());
    assert_eq!(text_scores.count(), 0, "without a text nothing is there for its text");
}
