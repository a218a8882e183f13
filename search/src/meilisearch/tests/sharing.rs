//! Several processes at one index: requests that all of them see, two that write, and two shops.

use projections::catalogue::SearchDocument;
use serde_json::json;
use uuid::Uuid;

use super::{Place, with_shop};
use crate::conformance::{Subject, everything, filled, shop};
use crate::meilisearch::MeilisearchEngine;
use crate::meilisearch::document::{Document, Meta};
use crate::meilisearch::write::{send_values, wait};
use crate::{Changes, Filled, Refilling, SearchEngine, SearchError};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_seen_by_all_and_met_by_another_index() {
    let place = Place::doubled();
    let asking = place.engine().await;
    assert!(asking.request_refill().await.unwrap());
    assert!(asking.refilling().await.unwrap().is_requested, "there is none yet");
    let writing = with_shop(&place).await;
    let products = u64::from(shop::PRODUCTS);
    let quiet = Refilling { is_requested: false, serving: products, filling: None };
    assert_eq!(asking.refilling().await.unwrap(), quiet);
    for _ in 0..2 {
        assert!(asking.request_refill().await.unwrap(), "it may be asked for twice");
    }
    let asked = Refilling { is_requested: true, ..quiet };
    assert_eq!(writing.refilling().await.unwrap(), asked);
    assert_eq!(writing.filled().await.unwrap(), Some(filled(1)), "it serves as before");
    assert_eq!(writing.search(&everything()).await.unwrap().total, products);
    writing.begin().await.unwrap();
    let begun = Refilling { filling: Some(0), ..asked };
    assert_eq!(asking.refilling().await.unwrap(), begun);
    let subject = Subject::new(writing.clone());
    subject.refill(&shop::documents(), &shop::categories(), filled(2)).await;
    assert_eq!(asking.refilling().await.unwrap(), quiet);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_overtaken_by_another_writer_or_a_refill_is_told() {
    let place = Place::doubled();
    let one = with_shop(&place).await;
    let other = std::sync::Arc::new(place.engine().await);
    let change = |n| Changes { documents: vec![shop::document(n)], ..Changes::default() };
    other.apply(change(12), filled(1), filled(3)).await.unwrap();
    let late = one.apply(change(5), filled(1), filled(2)).await;
    assert!(matches!(late, Err(SearchError::Unavailable(_))), "{late:?}");
    assert_eq!(one.filled().await.unwrap(), Some(filled(3)));
    one.apply(change(5), filled(3), filled(4)).await.unwrap();
    let subject = Subject::new(other.clone());
    subject.refill(&shop::documents(), &shop::categories(), filled(3)).await;
    let late = one.apply(Changes::default(), filled(4), filled(5)).await;
    assert!(matches!(late, Err(SearchError::Unavailable(_))), "{late:?}");
    one.apply(Changes::default(), filled(3), filled(5)).await.unwrap();
    assert_eq!(other.filled().await.unwrap(), Some(filled(5)));
}

/// An engine of another shop, with other settings, at the same index.
async fn of_another_shop(place: &Place) -> MeilisearchEngine {
    let mut options = place.options();
    options.journal = Uuid::from_u128(78);
    options.synonyms.insert("torch".to_owned(), vec!["lantern".to_owned()]);
    place.connect(options).await
}

fn of_theirs(position: u64) -> Filled {
    Filled { journal: Uuid::from_u128(78), ..filled(position) }
}

fn is_anothers<T: std::fmt::Debug>(answer: Result<T, SearchError>) {
    let says = "filled from another journal";
    assert!(
        matches!(&answer, Err(SearchError::Misconfigured(why)) if why.contains(says)),
        "{answer:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_another_shop_is_neither_searched_in_nor_replaced_unless_it_is_asked_for() {
    let place = Place::doubled();
    let theirs = of_another_shop(&place).await;
    let ours = with_shop(&place).await;
    is_anothers(theirs.filled().await);
    is_anothers(theirs.search(&everything()).await);
    let change = Changes { documents: vec![shop::document(5)], ..Changes::default() };
    is_anothers(theirs.apply(change.clone(), filled(1), of_theirs(2)).await);
    // Both began to fill when there was none yet.
    theirs.begin().await.unwrap();
    theirs.fill(change.clone()).await.unwrap();
    is_anothers(theirs.swap(of_theirs(2)).await);
    // That its owner asks for it to be filled anew is no leave to take it.
    assert!(ours.request_refill().await.unwrap());
    assert!(!theirs.refilling().await.unwrap().is_requested);
    is_anothers(theirs.filled().await);
    assert_eq!(ours.filled().await.unwrap(), Some(filled(1)));
    assert_eq!(ours.search(&everything()).await.unwrap().total, u64::from(shop::PRODUCTS));

    assert!(theirs.request_refill().await.unwrap());
    assert!(theirs.refilling().await.unwrap().is_requested);
    assert_eq!(theirs.filled().await.unwrap(), None, "it may be filled now");
    assert_eq!(ours.filled().await.unwrap(), Some(filled(1)), "and serves until it is");
    theirs.begin().await.unwrap();
    theirs.fill(change).await.unwrap();
    theirs.swap(of_theirs(2)).await.unwrap();
    assert_eq!(theirs.filled().await.unwrap(), Some(of_theirs(2)));
    assert!(!theirs.refilling().await.unwrap().is_requested);
    is_anothers(ours.filled().await);
    is_anothers(ours.search(&everything()).await);
}

/// Neither takes what the other has begun for left behind; its own it does.
#[tokio::test(flavor = "multi_thread")]
async fn shops_that_fill_one_index_for_the_first_time_leave_each_others_alone() {
    let place = Place::doubled();
    let theirs = of_another_shop(&place).await;
    let ours = std::sync::Arc::new(place.engine().await);
    theirs.begin().await.unwrap();
    let change = Changes { documents: vec![shop::document(5)], ..Changes::default() };
    theirs.fill(change).await.unwrap();
    assert_eq!(ours.refilling().await.unwrap().filling, None, "nothing of ours");
    let subject = Subject::new(ours.clone());
    ours.begin().await.unwrap();
    subject.refill(&shop::documents(), &shop::categories(), filled(1)).await;
    // Theirs is still there, and whole.
    assert_eq!(theirs.refilling().await.unwrap().filling, Some(1));
    is_anothers(theirs.swap(of_theirs(2)).await);
    let shared = &place.double().shared;
    assert_eq!(shared.indexes().len(), 2);
    theirs.begin().await.unwrap();
    assert_eq!(shared.indexes().len(), 2, "what this shop left behind is swept up");
    assert_eq!(ours.filled().await.unwrap(), Some(filled(1)));
}

/// What a shop had found to be its own, and then sends although another has taken it over meanwhile.
async fn send_late(from: &MeilisearchEngine, product: SearchDocument, meta: Option<&Meta>) {
    let journal = from.options.journal;
    let mut late = vec![json!(Document::new(product, journal, shop::instant(0)))];
    late.extend(meta.map(|meta| json!(meta)));
    let task = send_values(from, &from.options.index, &late).await.unwrap();
    wait(from, task, "take in changes").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_shop_sends_too_late_does_not_give_it_back_an_index_that_was_taken_over() {
    let place = Place::doubled();
    let theirs = of_another_shop(&place).await;
    let ours = with_shop(&place).await;
    let (meta, _) = ours.meta().await.unwrap().unwrap();
    let taken = Changes {
        documents: [4, 5, 6].map(shop::document).to_vec(),
        removed: Vec::new(),
        categories: Some(shop::categories()),
    };
    let take_over = async |position| {
        theirs.begin().await.unwrap();
        theirs.fill(taken.clone()).await.unwrap();
        theirs.swap(of_theirs(position)).await.unwrap();
        assert_eq!(theirs.filled().await.unwrap(), Some(of_theirs(position)));
        assert_eq!(theirs.search(&everything()).await.unwrap().total, 3);
    };
    assert!(theirs.request_refill().await.unwrap());
    take_over(1).await;
    // A product that only the first shop has is not found.
    send_late(&ours, shop::document(12), None).await;
    assert_eq!(theirs.filled().await.unwrap(), Some(of_theirs(1)));
    assert_eq!(theirs.search(&everything()).await.unwrap().total, 3);
    // One in place of a product of the same id, and one with what says how far it is, are noticed.
    for (product, meta) in [(5, None), (12, Some(&meta))] {
        send_late(&ours, shop::document(product), meta).await;
        is_anothers(ours.filled().await);
        is_anothers(ours.search(&everything()).await);
        let change = Changes { documents: vec![shop::document(7)], ..Changes::default() };
        is_anothers(ours.apply(change, filled(1), filled(2)).await);
        assert_eq!(theirs.filled().await.unwrap(), None, "it has to be filled anew");
        take_over(2).await;
    }
}
