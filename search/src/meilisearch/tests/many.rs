//! Many products, and how many requests it takes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use projections::catalogue::SearchDocument;

use super::{Place, with_shop};
use crate::conformance::{Subject, all_facets, everything, filled, filter, numbers, shop, text};
use crate::{Changes, Filter, Fusion, Neighbour, Question, SearchEngine};

fn many(count: u32, filler: usize) -> Vec<SearchDocument> {
    let filler = "Sturdy and made to last. ".repeat(filler);
    (1..=count)
        .map(|n| SearchDocument {
            number: i64::from(n),
            product_id: shop::product_id(n),
            description: filler.clone(),
            ..shop::document(n % 60 + 1)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_products_go_in_parts() {
    let place = Place::doubled();
    let engine = place.engine().await;
    let documents = many(20_000, 20);
    engine.begin().await.unwrap();
    for part in documents.chunks(7_000) {
        let changes = Changes { documents: part.to_vec(), ..Changes::default() };
        engine.fill(changes).await.unwrap();
    }
    engine.swap(filled(1)).await.unwrap();
    let shared = &place.double().shared;
    assert_eq!(shared.documents(&place.index), 20_003, "and three that say what the index is");
    let largest = shared.largest_body.load(Relaxed);
    assert!(largest > 1 << 20, "parts are not tiny: {largest}");
    assert!(largest < 6 << 20, "no part is larger than a server takes: {largest}");
    assert_eq!(engine.filled().await.unwrap(), Some(filled(1)));
    let question = Question { limit: 1, ..everything() };
    assert_eq!(engine.search(&question).await.unwrap().total, 20_000);
    // A change of many, of which some are new and some are gone.
    let mut documents = many(20_100, 20).split_off(17_000);
    documents.truncate(3_100);
    let removed = (1..=1_500).map(shop::product_id).collect();
    engine
        .apply(Changes { documents, removed, categories: None }, filled(1), filled(2))
        .await
        .unwrap();
    assert_eq!(engine.filled().await.unwrap(), Some(filled(2)));
    assert_eq!(engine.search(&question).await.unwrap().total, 18_600);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_go_on_behind_what_is_fused() {
    let place = Place::doubled();
    let engine = Arc::new(place.engine().await);
    let subject = Subject::new(engine.clone());
    subject.refill(&many(1_300, 1), &shop::categories(), filled(1)).await;
    // Of the neighbours one is far behind in the text's list.
    let words = text("sturdy");
    let by_text =
        numbers(&engine.search(&Question { limit: 2_000, ..words.clone() }).await.unwrap());
    assert_eq!(by_text.len(), 1_300);
    let near = [by_text[1_200], by_text[3], by_text[700], by_text[1_299]];
    let neighbours =
        near.iter().map(|n| Neighbour { product_id: shop::product_id(*n), similarity: 0.5 });
    let fusion = Fusion { only_behind: false, ..Fusion::default() };
    let question = Question { neighbours: neighbours.collect(), fusion, ..words };
    let whole = engine.search(&Question { limit: 2_000, ..question.clone() }).await.unwrap();
    assert_eq!(whole.total, 1_300);
    let whole = numbers(&whole);
    let distinct: BTreeSet<u32> = whole.iter().copied().collect();
    assert_eq!((whole.len(), distinct.len()), (1_300, 1_300), "nothing twice, nothing left out");
    let behind: Vec<u32> = by_text[1_000..].iter().copied().filter(|n| !near.contains(n)).collect();
    assert_eq!(whole[1_002..], behind, "the rest is as the text has it");
    let mut pages = Vec::new();
    for offset in (0..1_300).step_by(171) {
        let page = Question { offset, limit: 171, ..question.clone() };
        pages.extend(numbers(&engine.search(&page).await.unwrap()));
    }
    assert_eq!(pages, whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_fused_is_explained_without_fetching_it_whole() {
    let place = Place::doubled();
    let engine = Arc::new(place.engine().await);
    let subject = Subject::new(engine.clone());
    subject.refill(&many(1_300, 1), &shop::categories(), filled(1)).await;
    let words = text("sturdy");
    let by_text =
        numbers(&engine.search(&Question { limit: 2_000, ..words.clone() }).await.unwrap());
    let near = [by_text[900], by_text[1_200]];
    let neighbours =
        near.iter().map(|n| Neighbour { product_id: shop::product_id(*n), similarity: 0.5 });
    let fusion = Fusion { only_behind: false, ..Fusion::default() };
    let question = Question { neighbours: neighbours.collect(), fusion, limit: 10, ..words };
    let shared = &place.double().shared;
    // The first page, and one behind what is fused.
    for (offset, requests) in [(0, 3), (998, 3)] {
        let plain = Question { offset, ..question.clone() };
        let found = numbers(&engine.search(&plain).await.unwrap());
        shared.largest_answer.store(0, Relaxed);
        let before = shared.requests.load(Relaxed);
        let explained = engine.search(&Question { explain: true, ..plain.clone() }).await.unwrap();
        assert_eq!(shared.requests.load(Relaxed) - before, requests);
        let largest = shared.largest_answer.load(Relaxed);
        assert!(largest < 200_000, "a thousand products are some 900 kB: {largest}");
        assert_eq!(numbers(&explained), found, "explained or not, the same");
        for hit in &explained.hits {
            let explanation = hit.explanation.as_ref().unwrap();
            let Some(text) = &explanation.text else {
                assert_eq!(shop::number(hit.product_id), by_text[1_200], "only near");
                continue;
            };
            assert_eq!(text.matched["description"], ["sturdy"]);
            assert!(text.score > 0.0);
            let place = by_text.iter().position(|n| *n == shop::number(hit.product_id)).unwrap();
            assert!(text.rank <= place + 1, "{} {place}", text.rank);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_is_one_request_or_two() {
    let place = Place::doubled();
    let engine = with_shop(&place).await;
    let brands = ["Nordwind".to_owned()].into();
    let chosen = Question {
        facets: all_facets(),
        price_bounds: vec![1_000, 2_000],
        ..filter(Filter { brands, ..Filter::default() })
    };
    // The order of the categories is fetched once.
    engine.search(&chosen).await.unwrap();
    let shared = &place.double().shared;
    let near = vec![Neighbour { product_id: shop::product_id(3), similarity: 0.5 }];
    for (question, requests, searches) in [
        // What the index is, the total with three facets, brands, three buckets, hits.
        (chosen.clone(), 1, 1 + 1 + 1 + 3 + 1),
        (everything(), 1, 1 + 1 + 1),
        (text("lantern"), 1, 1 + 1 + 1),
        (text("durable lantern"), 2, 1 + 3),
        (Question { neighbours: near.clone(), ..text("lantern") }, 2, 1 + 5),
    ] {
        let before = (shared.requests.load(Relaxed), shared.searches.load(Relaxed));
        engine.search(&question).await.unwrap();
        let after = (shared.requests.load(Relaxed), shared.searches.load(Relaxed));
        assert_eq!((after.0 - before.0, after.1 - before.1), (requests, searches), "{question:?}");
    }
}
