//! Servers that are down, slow, emptied, too old or guarded by another key, and tasks that end badly.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use test_servers::meilisearch::TaskFate;

use super::{Place, connect, with_shop};
use crate::conformance::{all_facets, everything, filled, shop, text};
use crate::meilisearch::MeilisearchEngine;
use crate::{Changes, Question, SearchEngine, SearchError};

fn one_change() -> Changes {
    Changes { documents: vec![shop::document(12)], ..Changes::default() }
}

fn unavailable<T: std::fmt::Debug>(answer: Result<T, SearchError>, says: &str) {
    match answer {
        Err(SearchError::Unavailable(message)) if message.contains(says) => {}
        other => panic!("expected `Unavailable` with `{says}`, got {other:?}"),
    }
}

fn misconfigured<T>(answer: Result<T, SearchError>, says: &[&str]) {
    match answer {
        Err(SearchError::Misconfigured(message)) => {
            for part in says {
                assert!(message.contains(part), "`{part}` is not in: {message}");
            }
        }
        Err(other) => panic!("expected `Misconfigured`, got {other:?}"),
        Ok(_) => panic!("expected `Misconfigured`"),
    }
}

async fn total(engine: &MeilisearchEngine) -> u64 {
    engine.search(&everything()).await.unwrap().total
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_is_unavailable_until_it_is_up() {
    let mut place = Place::doubled();
    let engine = with_shop(&place).await;
    place.double.as_mut().unwrap().stop();
    unavailable(engine.search(&everything()).await, "cannot be reached");
    unavailable(engine.filled().await, "cannot be reached");
    unavailable(engine.apply(one_change(), filled(1), filled(2)).await, "cannot be reached");
    unavailable(engine.begin().await, "cannot be reached");
    let again = connect(&place.url, Some(&place.key), place.options()).await;
    unavailable(again.map(|_| ()), &place.url);
    place.double.as_mut().unwrap().run();
    assert_eq!(engine.filled().await.unwrap(), Some(filled(1)));
    assert_eq!(total(&engine).await, u64::from(shop::PRODUCTS));
    engine.apply(one_change(), filled(1), filled(2)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_search_is_given_up() {
    let place = Place::doubled();
    with_shop(&place).await;
    let mut options = place.options();
    options.search_timeout = Duration::from_millis(50);
    place.double().shared.search_millis.store(0, Relaxed);
    let engine = place.connect(options).await;
    place.double().shared.search_millis.store(60_000, Relaxed);
    unavailable(engine.search(&everything()).await, "did not answer within 50 ms");
    unavailable(engine.search(&text("durable lantern")).await, "did not answer within 50 ms");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_has_one_limit_for_all_its_calls() {
    let place = Place::doubled();
    let mut options = place.options();
    options.search_timeout = Duration::from_secs(2);
    let engine = std::sync::Arc::new(place.connect(options).await);
    crate::conformance::Subject::new(engine.clone()).with_shop().await;
    // What matches is asked first, then what there is of it: each alone would be in time.
    place.double().shared.search_millis.store(1_300, Relaxed);
    unavailable(engine.search(&text("durable lantern")).await, "did not answer within 2000 ms");
    place.double().shared.search_millis.store(0, Relaxed);
    // The tree of categories is fetched in the midst of a search.
    place.double().shared.hang_at(Some("_tree"));
    let facets = Question { facets: all_facets(), ..everything() };
    unavailable(engine.search(&facets).await, "did not answer within 2000 ms");
    assert_eq!(total(&engine).await, u64::from(shop::PRODUCTS), "others need none");
    place.double().shared.hang_at(None);
    engine.search(&facets).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_found_out_soon() {
    let place = Place::doubled();
    place.double().shared.hang_at(Some(""));
    let again = connect(&place.url, Some(&place.key), place.options()).await;
    unavailable(again.map(|_| ()), "did not answer within 2000 ms");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_server_is_unavailable() {
    let place = Place::doubled();
    let engine = with_shop(&place).await;
    place.double().shared.broken.store(true, Relaxed);
    unavailable(engine.search(&everything()).await, "internal");
    unavailable(engine.apply(one_change(), filled(1), filled(2)).await, "internal");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_or_emptied_index_has_to_be_filled() {
    let place = Place::doubled();
    let engine = with_shop(&place).await;
    let shared = place.double().shared.clone();
    shared.lose(&place.index, &shop::product_id(5).to_string());
    assert_eq!(engine.filled().await.unwrap(), None, "a document is missing");
    for lose in [0, 1] {
        if lose == 0 {
            shared.empty(&place.index);
        } else {
            shared.lose_everything();
        }
        assert_eq!(engine.filled().await.unwrap(), None);
        unavailable(engine.search(&everything()).await, "has to be filled");
        unavailable(engine.search(&text("durable lantern")).await, "has to be filled");
        let applied = engine.apply(one_change(), filled(1), filled(2)).await;
        assert!(matches!(applied, Err(SearchError::Damaged(_))), "{applied:?}");
        let subject = crate::conformance::Subject::new(engine.clone());
        subject.with_shop().await;
        assert_eq!(total(&engine).await, u64::from(shop::PRODUCTS), "it can be filled again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_the_operators_to_change() {
    let place = Place::doubled();
    let with_key = |key: Option<&'static str>| connect(&place.url, key, place.options());
    let wrong = "not-the-key-0123456789";
    let answer = with_key(Some(wrong)).await;
    if let Err(error) = &answer {
        assert!(!format!("{error} {error:?}").contains(wrong), "no key in a message");
    }
    misconfigured(answer, &["API key", "invalid_api_key", &place.url]);
    misconfigured(with_key(None).await, &["missing_authorization_header"]);
    misconfigured(with_key(Some("two\nlines")).await, &["ASCII"]);
    misconfigured(connect("localhost:7700", None, place.options()).await, &["http://"]);
    let with_password = place.url.replace("://", "://somebody:s3cret@");
    let answer = connect(&with_password, Some(&place.key), place.options()).await;
    if let Err(error) = &answer {
        assert!(!format!("{error} {error:?}").contains("s3cret"), "no password in a message");
    }
    misconfigured(answer, &["must not have a user or a password"]);
    let mut options = place.options();
    options.index = "prod/../ucts".to_owned();
    misconfigured(connect(&place.url, Some(&place.key), options).await, &["prod/../ucts"]);
    // A key that may search and nothing else; and one that may write, but not swap.
    let rights = |rights: &[&str]| rights.iter().map(|right| (*right).to_owned()).collect();
    let keys = &place.double().shared.keys;
    keys.lock().unwrap().insert("search-only".to_owned(), rights(&["search", "version"]));
    let all = [
        "search",
        "version",
        "tasks.get",
        "settings.get",
        "settings.update",
        "documents.add",
        "documents.get",
        "documents.delete",
        "indexes.get",
        "indexes.create",
        "indexes.delete",
        "indexes.swap",
    ];
    keys.lock().unwrap().insert("all".to_owned(), rights(&all));
    with_key(Some("all")).await.unwrap();
    for lacks in all.into_iter().filter(|right| *right != "version") {
        let most: Vec<&str> = all.into_iter().filter(|right| *right != lacks).collect();
        keys.lock().unwrap().insert("most".to_owned(), rights(&most));
        misconfigured(with_key(Some("most")).await, &["lacks rights", &format!(": {lacks}")]);
    }
    misconfigured(
        with_key(Some("search-only")).await,
        &["indexes.get", "tasks.get", "documents.add"],
    );
    assert!(place.double().shared.indexes().is_empty(), "to try a key changes nothing");
    // One that is taken away later.
    let all: Vec<String> = rights(&["*"]);
    keys.lock().unwrap().insert("revoked".to_owned(), all);
    let engine = with_key(Some("revoked")).await.unwrap();
    keys.lock().unwrap().remove("revoked");
    misconfigured(engine.search(&everything()).await, &["right `search`"]);
    misconfigured(engine.begin().await, &["right `indexes.get`"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_too_old_is_refused() {
    let place = Place::doubled();
    for old in ["1.11.3", "0.30.5", "not a version"] {
        *place.double().shared.version.lock().unwrap() = old.to_owned();
        let answer = connect(&place.url, Some(&place.key), place.options()).await;
        misconfigured(answer, &[old, "1.12.0"]);
    }
    *place.double().shared.version.lock().unwrap() = "1.12.0".to_owned();
    place.engine().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_ends_badly_is_an_error_and_can_be_repeated() {
    let place = Place::doubled();
    let engine = with_shop(&place).await;
    let shared = place.double().shared.clone();
    for (fate, says) in
        [(TaskFate::Cancel, "canceled task"), (TaskFate::Fail, "The disk is on fire")]
    {
        let mut document = shop::document(12);
        document.name = format!("Weatherproof {fate:?}");
        let changes = Changes {
            documents: vec![document],
            removed: vec![shop::product_id(6)],
            categories: None,
        };
        let restored = Changes { documents: vec![shop::document(6)], ..Changes::default() };
        let served = engine.filled().await.unwrap().unwrap();
        // The documents, what says that there will be fewer, the removal, what says what there is.
        for good_before in 0..4 {
            let before = if good_before == 0 { served } else { filled(1) };
            engine.apply(restored.clone(), before, filled(1)).await.unwrap();
            for _ in 0..good_before {
                shared.next_task(TaskFate::Succeed);
            }
            shared.next_task(fate);
            unavailable(engine.apply(changes.clone(), filled(1), filled(2)).await, says);
            assert_eq!(engine.filled().await.unwrap(), Some(filled(1)), "nothing was taken in");
        }
        engine.apply(changes, filled(1), filled(2)).await.unwrap();
        assert_eq!(engine.filled().await.unwrap(), Some(filled(2)));
        assert_eq!(engine.search(&text("weatherproof")).await.unwrap().total, 1);
        assert_eq!(total(&engine).await, u64::from(shop::PRODUCTS) - 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_stands_still_is_not_waited_for_forever() {
    let place = Place::doubled();
    with_shop(&place).await;
    let mut options = place.options();
    options.task_timeout = Duration::from_millis(50);
    let engine = place.connect(options).await;
    place.double().shared.next_task(TaskFate::Stick);
    unavailable(
        engine.apply(one_change(), filled(1), filled(2)).await,
        "its queue of tasks stands still",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_swap_leaves_the_old_one() {
    let place = Place::doubled();
    let engine = with_shop(&place).await;
    let shared = place.double().shared.clone();
    assert_eq!(
        shared.indexes(),
        std::slice::from_ref(&place.index),
        "the one that was replaced is gone"
    );
    let refill = |engine: std::sync::Arc<MeilisearchEngine>| {
        let shared = &shared;
        async move {
            engine.begin().await.unwrap();
            let documents = (1..=3).map(shop::document).collect();
            let changes =
                Changes { documents, removed: Vec::new(), categories: Some(shop::categories()) };
            engine.fill(changes).await.unwrap();
            // What is to become of the next tasks is said when these are done.
            while !shared.is_idle() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    };
    refill(engine.clone()).await;
    // The document that says what is in it, and the swap itself.
    shared.next_task(TaskFate::Succeed);
    shared.next_task(TaskFate::Cancel);
    unavailable(engine.swap(filled(2)).await, "canceled");
    assert_eq!(engine.filled().await.unwrap(), Some(filled(1)));
    assert_eq!(total(&engine).await, u64::from(shop::PRODUCTS));
    // It can be repeated as it is,
    engine.swap(filled(2)).await.unwrap();
    assert_eq!(total(&engine).await, 3);
    // or by another process, which knows nothing of it.
    refill(engine.clone()).await;
    assert_eq!(shared.indexes().len(), 2);
    let other = std::sync::Arc::new(place.engine().await);
    assert!(other.swap(filled(3)).await.is_err(), "this one began nothing");
    refill(other.clone()).await;
    assert_eq!(shared.indexes().len(), 2, "what was left behind is swept up");
    // The swap is done, but what was replaced stays.
    shared.next_task(TaskFate::Succeed);
    shared.next_task(TaskFate::Succeed);
    shared.next_task(TaskFate::Cancel);
    other.swap(filled(3)).await.unwrap();
    assert_eq!(shared.indexes().len(), 2);
    refill(other.clone()).await;
    assert_eq!(shared.indexes().len(), 2);
    // A shadow that lost a document does not take the other's place.
    let shadow = shared.indexes().into_iter().find(|uid| *uid != place.index).unwrap();
    shared.lose(&shadow, &shop::product_id(2).to_string());
    let swapped = other.swap(filled(4)).await;
    assert!(matches!(swapped, Err(SearchError::Damaged(_))), "{swapped:?}");
    assert_eq!(engine.filled().await.unwrap(), Some(filled(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_made_with_other_settings_is_filled_anew() {
    let place = Place::doubled();
    with_shop(&place).await;
    let mut options = place.options();
    options.synonyms.insert("torch".to_owned(), vec!["lantern".to_owned()]);
    let engine = place.connect(options).await;
    assert_eq!(engine.filled().await.unwrap(), None);
    unavailable(engine.search(&everything()).await, "has to be filled");
}
