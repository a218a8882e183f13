//! Filling an engine, and filling it anew while it serves.

use projections::catalogue::SearchDocument;

use super::changes::assert_same;
use super::expected::Expected;
use super::{Subject, everything, filled, numbers, shop, text};
use crate::{Changes, Question, SearchError};

fn small_shop() -> Vec<SearchDocument> {
    [3, 6, 9, 12].map(shop::document).to_vec()
}

/// What is expected of a shop of these alone.
fn expected(documents: &[SearchDocument]) -> Expected {
    let documents = documents.iter().map(|it| (it.product_id, it.clone())).collect();
    Expected { documents, categories: shop::categories() }
}

async fn assert_empty(subject: &Subject) {
    assert_eq!(subject.engine.filled().await.unwrap(), None, "nothing was filled");
    for question in [everything(), text("lantern")] {
        let answer = subject.engine.search(&question).await;
        assert!(
            matches!(answer, Err(SearchError::Unavailable(_))),
            "there is nothing to search in, but: {answer:?}"
        );
    }
}

pub(crate) async fn an_empty_engine_says_so(subject: Subject) {
    assert_empty(&subject).await;
    subject.engine.begin().await.unwrap();
    subject.fill(&shop::documents(), &shop::categories()).await;
    assert_empty(&subject).await;
    (subject.tell_all)(&shop::documents(), &shop::categories());
    subject.engine.swap(filled(1)).await.unwrap();
    assert_eq!(subject.engine.filled().await.unwrap(), Some(filled(1)));
    assert_same(&subject, &Expected::shop()).await;
}

pub(crate) async fn a_refill_replaces_everything(subject: Subject) {
    let subject = subject.with_shop().await;
    subject.refill(&small_shop(), &shop::categories(), filled(5)).await;
    assert_eq!(subject.engine.filled().await.unwrap(), Some(filled(5)));
    assert_same(&subject, &expected(&small_shop())).await;
    assert_eq!(subject.found(&everything()).await, [3, 6, 9, 12]);
    // And back, more than once.
    for position in 6..9 {
        subject.refill(&shop::documents(), &shop::categories(), filled(position)).await;
        assert_eq!(subject.engine.filled().await.unwrap(), Some(filled(position)));
    }
    assert_same(&subject, &Expected::shop()).await;
}

pub(crate) async fn the_old_serves_while_the_new_is_filled(subject: Subject) {
    let subject = subject.with_shop().await;
    subject.engine.begin().await.unwrap();
    assert_same(&subject, &Expected::shop()).await;
    subject.fill(&small_shop(), &shop::categories()).await;
    assert_same(&subject, &Expected::shop()).await;
    assert_eq!(subject.engine.filled().await.unwrap(), Some(filled(1)));
    (subject.tell_all)(&small_shop(), &shop::categories());
    subject.engine.swap(filled(2)).await.unwrap();
    assert_same(&subject, &expected(&small_shop())).await;

    // Whoever searches while one takes the other's place gets one of the two.
    subject.engine.begin().await.unwrap();
    subject.fill(&small_shop(), &shop::categories()).await;
    let question = Question { limit: 10, ..everything() };
    let (swapped, answers) = tokio::join!(subject.engine.swap(filled(3)), async {
        let mut answers = Vec::new();
        for _ in 0..20 {
            answers.push(subject.engine.search(&question).await);
            tokio::task::yield_now().await;
        }
        answers
    });
    swapped.unwrap();
    for answer in answers {
        let found = numbers(&answer.expect("searches go on during a swap"));
        assert_eq!(found, [12, 9, 6, 3]);
    }
}

pub(crate) async fn changes_go_on_while_the_new_is_filled(subject: Subject) {
    let subject = subject.with_shop().await;
    subject.engine.begin().await.unwrap();
    subject.fill(&small_shop(), &shop::categories()).await;
    let removed = Changes { removed: vec![shop::product_id(15)], ..Changes::default() };
    subject.apply(removed, filled(2)).await;
    let mut serving = Expected::shop();
    serving.documents.remove(&shop::product_id(15));
    assert_same(&subject, &serving).await;
    assert_eq!(subject.engine.filled().await.unwrap(), Some(filled(2)));
    (subject.tell_all)(&small_shop(), &shop::categories());
    subject.engine.swap(filled(3)).await.unwrap();
    assert_same(&subject, &expected(&small_shop())).await;
}

pub(crate) async fn an_unfinished_refill_leaves_no_trace(subject: Subject) {
    let subject = subject.with_shop().await;
    subject.engine.begin().await.unwrap();
    subject.fill(&shop::documents(), &shop::categories()).await;
    // Whoever filled it is gone, and another begins.
    subject.engine.begin().await.unwrap();
    assert_same(&subject, &Expected::shop()).await;
    subject.fill(&small_shop(), &shop::categories()).await;
    (subject.tell_all)(&small_shop(), &shop::categories());
    subject.engine.swap(filled(2)).await.unwrap();
    assert_eq!(subject.engine.filled().await.unwrap(), Some(filled(2)));
    assert_same(&subject, &expected(&small_shop())).await;
}

pub(crate) async fn a_swap_without_a_beginning_is_refused(subject: Subject) {
    let subject = subject.with_shop().await;
    let refused = subject.engine.swap(filled(9)).await;
    assert!(refused.is_err(), "there is nothing to swap in");
    assert_eq!(subject.engine.filled().await.unwrap(), Some(filled(1)), "the old one serves on");
    assert_same(&subject, &Expected::shop()).await;
}
