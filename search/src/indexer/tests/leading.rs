//! Who writes, what they tell of how far it is, and what becomes of two who write.

use std::time::{Duration, Instant};

use super::*;
use crate::{Filled, SearchEngine, Shelf};

fn long_ago() -> Option<Instant> {
    Instant::now().checked_sub(Duration::from_secs(60))
}

/// An instant that is not long ago, however slow the machine is.
fn just_now() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[tokio::test]
async fn a_node_that_only_looks_knows_that_nothing_changed_for_the_engine() {
    let mut scene = Scene::shared().await;
    scene.lead(false);
    let other = Freshness::default();
    scene.indexer.freshness = other.clone();
    scene.step().await.unwrap();
    assert_eq!(other.reached(), scene.engine.served().position);
    scene.shop.something_else().await;
    scene.step().await.unwrap();
    assert_eq!(other.reached(), scene.shop.head(), "what changed is nothing to the engine");
    let before = scene.shop.head();
    scene.shop.rename(2, "two").await;
    scene.step().await.unwrap();
    assert_eq!(other.reached(), before, "whoever leads has not written it yet");
    assert_eq!(scene.engine.take_applied(), [], "and this node writes nothing");
}

#[tokio::test]
async fn whoever_leads_tells_how_far_it_is_from_time_to_time() {
    let mut scene = Scene::shared().await;
    scene.engine.take_applied();
    scene.shop.something_else().await;
    scene.step().await.unwrap();
    let first = scene.shop.head();
    assert_eq!(scene.at.reached(), first);
    assert_eq!(scene.engine.served().position, first);
    scene.shop.something_else().await;
    scene.indexer.position_told = Some(just_now());
    scene.step().await.unwrap();
    assert_eq!(scene.at.reached(), scene.shop.head());
    assert_eq!(scene.engine.served().position, first, "not again within a second");
    scene.indexer.position_told = long_ago();
    scene.step().await.unwrap();
    assert_eq!(scene.engine.served().position, scene.shop.head());
    scene.indexer.position_told = long_ago();
    scene.step().await.unwrap();
    assert_eq!(scene.engine.take_applied().len(), 2, "nothing where nothing moved");
}

#[tokio::test]
async fn what_another_wrote_meanwhile_is_found_out_and_read_on_from() {
    let mut scene = Scene::shared().await;
    let behind = scene.engine.served();
    scene.shop.rename(1, "one").await;
    scene.step().await.unwrap();
    assert_eq!(scene.engine.names(), ["one", "2", "3"]);
    // Another that took this one for gone puts back what is older.
    scene.engine.set_served(behind);
    scene.shop.rename(2, "two").await;
    scene.indexer.known = scene.indexer.known.map(|(filled, _)| (filled, just_now()));
    let refused = scene.step().await;
    assert!(matches!(refused, Err(IndexError::Engine(SearchError::Unavailable(_)))), "{refused:?}");
    scene.engine.take_applied();
    scene.step().await.unwrap();
    let told: Vec<String> =
        scene.engine.take_applied().into_iter().flat_map(|(told, _)| told).collect();
    assert_eq!(told, ["one", "two"], "also what this one had written before");
    assert_eq!(scene.engine.swaps(), 1);
}

#[tokio::test]
async fn who_lost_the_lead_while_reading_does_not_write() {
    let mut scene = Scene::shared().await;
    scene.shop.rename(1, "one").await;
    let asked = std::sync::atomic::AtomicUsize::new(0);
    scene.indexer.leads = Arc::new(move || asked.fetch_add(1, Ordering::Relaxed) == 0);
    let outcome = scene.step().await;
    assert!(matches!(outcome, Err(IndexError::Deposed)), "{outcome:?}");
    assert_eq!(scene.engine.names(), ["1", "2", "3"]);
}

#[tokio::test]
async fn an_index_ahead_of_the_journal_is_only_filled_anew_if_it_stays_so() {
    let mut scene = Scene::shared().await;
    let ahead = Filled { position: Position(1_000), ..scene.engine.served() };
    scene.engine.set_served(ahead);
    scene.indexer.known = None;
    scene.step().await.unwrap();
    assert_eq!((scene.engine.swaps(), scene.engine.served()), (1, ahead), "it may yet be heard of");
    scene.indexer.ahead_since = long_ago();
    scene.step().await.unwrap();
    assert_eq!(scene.engine.swaps(), 2);
    assert_eq!(scene.engine.served().position, scene.shop.head());
}

#[tokio::test]
async fn prices_are_written_again_when_a_sale_ends_and_after_another_wrote() {
    let mut scene = Scene::shared().await;
    let (shelf, shelf_at) = (Shelf::default(), Freshness::default());
    let now = Arc::new(std::sync::Mutex::new(shop::instant(0)));
    let clock = Arc::clone(&now);
    scene.indexer.options.prices = Some(Prices {
        shelf: shelf.clone(),
        shelf_at: shelf_at.clone(),
        clock: Arc::new(move || *clock.lock().unwrap()),
    });
    scene.shop.sale(2, shop::instant(10)).await;
    let all = scene.indexer.source.products_now(&[1, 2, 3].map(shop::product_id)).unwrap();
    shelf.replace(&all.documents, &[]);
    scene.step().await.unwrap();
    scene.engine.take_applied();
    let told = |scene: &Scene| -> Vec<String> {
        scene.engine.take_applied().into_iter().flat_map(|(told, _)| told).collect()
    };
    // The shelf may not know yet of what was written last: its answer is not the last word.
    *now.lock().unwrap() = shop::instant(20);
    scene.step().await.unwrap();
    assert!(told(&scene).is_empty());
    shelf_at.advance(scene.shop.head());
    scene.step().await.unwrap();
    assert_eq!(told(&scene), ["2"]);
    *now.lock().unwrap() = shop::instant(40);
    scene.step().await.unwrap();
    assert!(told(&scene).is_empty(), "once, but for clocks that are set back");
    // Another wrote, nobody knows when.
    scene.lead(false);
    scene.step().await.unwrap();
    scene.lead(true);
    scene.step().await.unwrap();
    assert_eq!(told(&scene), ["2"]);
}

#[tokio::test]
async fn a_request_through_a_shared_engine_reaches_whoever_leads() {
    let mut scene = Scene::shared().await;
    assert!(scene.engine.request_refill().await.unwrap());
    // Changes that come in all the time do not put off that it is asked.
    scene.indexer.known = scene.indexer.known.map(|(filled, _)| (filled, just_now()));
    let before = scene.indexer.known.unwrap().1;
    scene.shop.rename(1, "one").await;
    scene.step().await.unwrap();
    assert_eq!(scene.engine.names()[0], "one");
    assert_eq!(scene.indexer.known.unwrap().1, before);
    scene.indexer.known = None;
    scene.step().await.unwrap();
    assert_eq!(scene.engine.swaps(), 2);
    scene.indexer.known = None;
    scene.step().await.unwrap();
    assert_eq!(scene.engine.swaps(), 2, "once");
}
