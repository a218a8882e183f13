//! Several processes at one index: requests that all of them see, and two that write.

use super::{Place, with_shop};
use crate::conformance::{Subject, everything, filled, shop};
use crate::{Changes, Refilling, SearchEngine, SearchError};

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
