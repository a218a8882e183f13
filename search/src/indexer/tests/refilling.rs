//! When an index is filled anew, and what is served meanwhile.

use super::*;
use crate::source::SourceError;
use crate::{Filled, Part, RefillRequest};

#[tokio::test]
async fn what_serves_is_kept_up_while_another_is_filled() {
    for shared in [false, true] {
        let mut scene = Scene::new(shared).await;
        RefillRequest::make(&scene.indexer.options.directory, Part::Words).unwrap();
        scene.engine.is_slow.store(true, Ordering::Relaxed);
        let Scene { shop, engine, indexer, at, .. } = &mut scene;
        let seen = indexer.source.position();
        let story = async {
            // The first page, of two, waits to be taken in.
            engine.fills.acquire().await.unwrap().forget();
            shop.rename(3, "three").await;
            engine.may_fill.add_permits(1);
            engine.fills.acquire().await.unwrap().forget();
            assert_eq!(engine.names(), ["1", "2", "three"]);
            assert_eq!(at.reached(), shop.head());
            assert_eq!(engine.swaps(), 1);
            engine.is_slow.store(false, Ordering::Relaxed);
            engine.may_fill.add_permits(1);
        };
        let (filled, ()) = tokio::join!(indexer.step(seen), story);
        filled.unwrap();
        assert_eq!(scene.engine.swaps(), 2);
        assert_eq!(scene.engine.names(), ["1", "2", "three"]);
        assert_eq!(scene.engine.served().position, scene.shop.head());
        assert_eq!(RefillRequest::find(&scene.indexer.options.directory, Part::Words), None);
    }
}

#[tokio::test]
async fn a_catalogue_replaced_while_it_is_read_ends_the_filling() {
    let mut scene = Scene::alone().await;
    RefillRequest::make(&scene.indexer.options.directory, Part::Words).unwrap();
    scene.engine.is_slow.store(true, Ordering::Relaxed);
    let before = scene.shop.generation();
    let Scene { shop, engine, indexer, .. } = &mut scene;
    let seen = indexer.source.position();
    let story = async {
        engine.fills.acquire().await.unwrap().forget();
        shop.rebuild().await;
        engine.is_slow.store(false, Ordering::Relaxed);
        engine.may_fill.add_permits(1);
    };
    let (filled, ()) = tokio::join!(indexer.step(seen), story);
    assert!(matches!(filled, Err(IndexError::Source(SourceError::Replaced))), "{filled:?}");
    assert_eq!((scene.engine.swaps(), scene.engine.served().generation), (1, before));
    scene.step().await.unwrap();
    assert_eq!(scene.engine.swaps(), 2);
    assert_eq!(scene.engine.served().generation, scene.shop.generation());
}

#[tokio::test]
async fn pages_are_of_the_generation_that_was_asked_for() {
    let scene = Scene::alone().await;
    let source = &scene.indexer.source;
    let generation = source.generation().unwrap();
    let mut numbers = Vec::new();
    let mut pages = source.pages(Position(0), generation);
    while let Some(changes) = pages.next().unwrap() {
        numbers.extend(changes.documents.iter().map(|document| document.number));
        assert!(changes.documents.len() <= 2);
    }
    assert_eq!((numbers, pages.position()), (vec![1, 4, 7], scene.shop.head()));
    let replaced = source.pages(Position(0), generation + 1).next();
    assert!(matches!(replaced, Err(SourceError::Replaced)), "{replaced:?}");
}

#[tokio::test]
async fn a_catalogue_built_anew_is_a_reason_to_fill_the_index_anew() {
    for shared in [false, true] {
        let mut scene = Scene::new(shared).await;
        scene.shop.rebuild().await;
        scene.step().await.unwrap();
        assert_eq!(scene.engine.swaps(), 2, "shared: {shared}");
        assert_eq!(scene.engine.served().generation, scene.shop.generation());
        scene.step().await.unwrap();
        assert_eq!(scene.engine.swaps(), 2);
    }
    // That another node's catalogue has another number says nothing.
    let mut scene = Scene::shared().await;
    let theirs = Filled { generation: 77, ..scene.engine.served() };
    scene.engine.set_served(theirs);
    scene.indexer.known = None;
    scene.step().await.unwrap();
    assert_eq!(scene.engine.swaps(), 1);
}

#[tokio::test]
async fn a_catalogue_built_anew_while_the_node_was_stopped_is_one_too() {
    for shared in [false, true] {
        let mut scene = Scene::new(shared).await;
        // Another node, if there are several, led meanwhile, and wrote from its own catalogue.
        let led_meanwhile = |scene: &Scene, generation: u64| {
            let theirs = Filled { generation, ..scene.engine.served() };
            if shared {
                scene.engine.set_served(theirs);
            }
        };
        led_meanwhile(&scene, 77);
        scene.restart();
        scene.step().await.unwrap();
        assert_eq!(scene.engine.swaps(), 1, "that it was stopped is no reason");
        scene.shop.rebuild().await;
        led_meanwhile(&scene, scene.shop.generation());
        scene.restart();
        scene.step().await.unwrap();
        assert_eq!(scene.engine.swaps(), 2, "shared: {shared}");
        scene.restart();
        scene.step().await.unwrap();
        assert_eq!(scene.engine.swaps(), 2, "once");
    }
}

#[tokio::test]
async fn whoever_leads_notices_that_the_one_catalogue_of_all_nodes_was_built_anew() {
    let mut scene = Scene::shared().await;
    // A node that never wrote, with a directory of its own.
    let other = tempfile::tempdir().unwrap();
    let mut options = scene.indexer.options.clone();
    options.one_catalogue = true;
    options.directory = other.path().join("search");
    scene.restart();
    let fresh = |scene: &Scene| {
        let Scene { shop, engine, leads, at, .. } = scene;
        let mut node = indexer(shop, engine, leads, at, &options.directory, true);
        node.options = options.clone();
        node
    };
    scene.indexer = fresh(&scene);
    scene.step().await.unwrap();
    assert_eq!(scene.engine.swaps(), 1);
    scene.shop.rebuild().await;
    scene.indexer = fresh(&scene);
    scene.shop.rename(1, "one").await;
    scene.step().await.unwrap();
    assert_eq!(
        (scene.engine.swaps(), scene.engine.served().generation),
        (2, scene.shop.generation())
    );
    assert_eq!(scene.engine.names(), ["one", "2", "3"]);
}

#[tokio::test]
async fn a_node_that_kept_up_anothers_index_remembers_from_which_catalogue() {
    let mut scene = Scene::shared().await;
    let path = scene.folder.path().join("written-from.json");
    std::fs::remove_file(&path).unwrap();
    scene.restart();
    scene.step().await.unwrap();
    assert_eq!((path.exists(), scene.engine.swaps()), (true, 1));
    scene.shop.rebuild().await;
    scene.restart();
    scene.step().await.unwrap();
    assert_eq!(scene.engine.swaps(), 2);
    // One that cannot remember takes no risk, once.
    std::fs::remove_file(&path).unwrap();
    scene.restart();
    let theirs = Filled { generation: 77, ..scene.engine.served() };
    scene.engine.set_served(theirs);
    scene.step().await.unwrap();
    assert_eq!((path.exists(), scene.engine.swaps()), (true, 3));
    scene.engine.set_served(theirs);
    scene.restart();
    scene.step().await.unwrap();
    assert_eq!(scene.engine.swaps(), 3);
}

#[tokio::test]
async fn a_damaged_index_is_filled_anew() {
    let mut scene = Scene::alone().await;
    scene.shop.rename(1, "one").await;
    scene.engine.fail_next(SearchError::Damaged("a page is torn".to_owned()));
    assert!(scene.step().await.is_err());
    assert_eq!(scene.engine.swaps(), 1);
    scene.step().await.unwrap();
    assert_eq!(scene.engine.swaps(), 2);
    assert_eq!(scene.engine.names(), ["one", "2", "3"]);
    // One that only cannot write for now is not.
    scene.shop.rename(2, "two").await;
    scene.engine.fail_next(SearchError::Unavailable("the disk is full".to_owned()));
    assert!(scene.step().await.is_err());
    scene.step().await.unwrap();
    assert_eq!(scene.engine.swaps(), 2);
    assert_eq!(scene.engine.names(), ["one", "two", "3"]);
}
