//! What is near in meaning beside what matches by text.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::expected::Expected;
use super::pages::page_by_page;
use super::{Subject, all_facets, everything, filters, numbers, shop, text};
use crate::{Filter, Fusion, Neighbour, Order, Question};

/// Two lanterns, one that is found by its description alone, what does not match, what is not for
/// sale, and what nobody knows.
const NEAR: &[u32] = &[31, 12, 9, 61, 44, 7, 900, 20, 18, 3, 50];

fn near(numbers: &[u32]) -> Vec<Neighbour> {
    let near = numbers.iter().enumerate().map(|(index, n)| Neighbour {
        product_id: shop::product_id(*n),
        similarity: 0.9 - index as f32 / 100.0,
    });
    near.collect()
}

fn behind(words: &str) -> Question {
    Question { neighbours: near(NEAR), ..text(words) }
}

fn fused(words: &str) -> Question {
    let fusion = Fusion { only_behind: false, semantic_weight: 0.7, ..Fusion::default() };
    Question { fusion, ..behind(words) }
}

pub(crate) async fn what_is_near_comes_behind(subject: Subject) {
    let subject = subject.with_shop().await;
    let expected = Expected::shop();
    for words in ["lantern", "torch", "crimson lantern", "zzyzxqwv"] {
        for (name, filter) in filters() {
            let question = Question { filter, ..behind(words) };
            let by_text = Question { neighbours: Vec::new(), ..question.clone() };
            let mut wanted = subject.hits(&by_text).await;
            let passing = Question { text: None, neighbours: Vec::new(), ..question.clone() };
            let passing = expected.numbers(&passing);
            for n in NEAR {
                if passing.contains(n) && !wanted.contains(n) {
                    wanted.push(*n);
                }
            }
            assert_eq!(subject.hits(&question).await, wanted, "`{words}`, filter: {name}");
        }
    }
    let findings = subject.ask(&Question { explain: true, ..behind("torch") }).await;
    let explanation = |index: usize| findings.hits[index].explanation.as_ref().unwrap();
    assert_eq!(explanation(0).text.as_ref().map(|text| text.rank), Some(1));
    // 31, 12, 9 and 44 are before it; 61 is not for sale.
    let semantic = explanation(0).semantic.expect("it is near as well");
    assert_eq!(semantic.rank, 5, "ranks are among the neighbours that pass");
    let semantic = explanation(1).semantic.expect("it is only near");
    assert_eq!((semantic.rank, semantic.similarity), (1, 0.9));
    assert!(explanation(1).text.is_none());
}

pub(crate) async fn two_lists_are_fused_by_rank(subject: Subject) {
    let subject = subject.with_shop().await;
    let expected = Expected::shop();
    for words in ["lantern", "torch", "durable", "zzyzxqwv"] {
        for (name, filter) in filters() {
            let question = Question { filter, ..fused(words) };
            let by_text = Question { neighbours: Vec::new(), ..question.clone() };
            let by_text = subject.hits(&by_text).await;
            let passing = Question { text: None, neighbours: Vec::new(), ..question.clone() };
            let passing = expected.numbers(&passing);
            let fusion = question.fusion;
            let mut scores = BTreeMap::<u32, f32>::new();
            for (index, n) in by_text.iter().enumerate() {
                *scores.entry(*n).or_default() +=
                    fusion.text_weight / (fusion.k + index as f32 + 1.0);
            }
            for (index, n) in NEAR.iter().filter(|n| passing.contains(n)).enumerate() {
                *scores.entry(*n).or_default() +=
                    fusion.semantic_weight / (fusion.k + index as f32 + 1.0);
            }
            let hits = subject.hits(&question).await;
            assert_eq!(hits.len(), scores.len(), "what is on either list: `{words}`, {name}");
            let scores: Vec<f32> = hits.iter().map(|n| scores[n]).collect();
            assert!(
                scores.is_sorted_by(|a, b| a + 1e-6 >= *b),
                "the highest score is first: `{words}`, filter: {name}: {hits:?} {scores:?}"
            );
        }
    }
}

pub(crate) async fn facets_and_totals_are_of_both(subject: Subject) {
    let subject = subject.with_shop().await;
    let expected = Expected::shop();
    for words in ["lantern", "torch", "durable", "zzyzxqwv"] {
        for (name, filter) in filters() {
            for asked in [behind(words), fused(words)] {
                let question = Question {
                    filter: filter.clone(),
                    facets: all_facets(),
                    price_bounds: vec![900, 1_500],
                    limit: 3,
                    ..asked
                };
                let findings = subject.ask(&question).await;
                let wanted = expected.found(&question).len() as u64;
                assert_eq!(findings.total, wanted, "total: `{words}`, filter: {name}");
                let facets = expected.facets(&question);
                assert_eq!(findings.facets, facets, "facets: `{words}`, filter: {name}");
                assert_eq!(findings.buckets, expected.buckets(&question));
            }
        }
    }
}

pub(crate) async fn pages_of_both_are_disjoint(subject: Subject) {
    let subject = subject.with_shop().await;
    for question in [behind("lantern"), fused("lantern"), behind("torch"), fused("durable")] {
        for order in [Order::Relevance, Order::Name, Order::PriceDescending] {
            let question = Question { order, ..question.clone() };
            let whole = subject.hits(&question).await;
            for size in [1, 4, 11] {
                let pages = page_by_page(&subject, &question, size).await;
                assert_eq!(pages, whole, "by {order:?} in pages of {size}");
            }
        }
    }
}

pub(crate) async fn orders_hold_for_both(subject: Subject) {
    let subject = subject.with_shop().await;
    let expected = Expected::shop();
    let filter = Filter { in_stock: Some(true), ..Filter::default() };
    for order in
        [Order::Newest, Order::Name, Order::PriceAscending, Order::PriceDescending, Order::Rating]
    {
        for question in [behind("lantern"), fused("torch")] {
            let question = Question { order, filter: filter.clone(), ..question };
            assert_eq!(subject.hits(&question).await, expected.ordered(&question), "{order:?}");
        }
    }
}

pub(crate) async fn neighbours_that_are_unknown_are_left_out(subject: Subject) {
    let subject = subject.with_shop().await;
    let mut neighbours = near(&[900, 901, 61]);
    neighbours.push(Neighbour { product_id: Uuid::nil().into(), similarity: 0.1 });
    let question = Question { neighbours, ..text("zzyzxqwv") };
    assert!(subject.hits(&question).await.is_empty());
    // Nothing can be added to everything.
    let question = Question { neighbours: near(NEAR), ..everything() };
    assert_eq!(subject.ask(&question).await.total, u64::from(shop::PRODUCTS));
    // Whoever is named twice is still found once.
    let question = Question { neighbours: near(&[12, 13, 12]), ..text("zzyzxqwv") };
    assert_eq!(numbers(&subject.ask(&question).await), [12, 13]);
}
