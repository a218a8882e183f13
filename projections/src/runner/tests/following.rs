//! What somebody who follows a model within the process is told.

use domain::ProductId;
use domain::pricing::Prices;
use domain::product::{ProductDetails, ProductEvent};

use super::*;
use crate::catalogue::{Catalogue, CatalogueChanges, changes};

const CATALOGUE: &str = Catalogue::NAME;

fn created(number: u64) -> Vec<story::Together> {
    let product_id: ProductId = story::product(number);
    let details = ProductDetails {
        name: format!("Thing {number}"),
        description: String::new(),
        category_id: None,
        brand: None,
        tags: std::collections::BTreeSet::new(),
    };
    let (seller_id, base_prices) = (story::seller(1), Prices::new());
    let event = ProductEvent::Created { product_id, seller_id, details, base_prices };
    vec![vec![(product_id.uuid(), event.into())]]
}

fn told(models: &ReadModels, since: Position) -> CatalogueChanges {
    models.read(CATALOGUE, |rows| changes(rows, since, 0, 100)).unwrap()
}

async fn within_5_s<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(5), what).await.unwrap()
}

async fn a_follower_hears_that_its_model_moved(store: Store) {
    let (journal, mut teller) = journal();
    let mut runner = open(&journal, &store.directory);
    let models = runner.read_models();
    let waiting = tokio::spawn({
        let models = models.clone();
        async move { models.moved(CATALOGUE, Position(0)).await }
    });
    tokio::task::yield_now().await;
    teller.tell(created(1)).await;
    catch_up(&mut runner).await;
    let head = journal.head();
    assert_eq!(within_5_s(waiting).await.unwrap(), head);
    assert_eq!(told(&models, Position(0)).documents.len(), 1);
    let news = models.moved(CATALOGUE, head);
    assert!(tokio::time::timeout(Duration::from_millis(20), news).await.is_err());
    if store.directory.place().is_shared() {
        let elsewhere = ReadModels::open(&(store.again)(), &models::all()).unwrap();
        assert_eq!(within_5_s(elsewhere.moved(CATALOGUE, Position(0))).await, head);
        teller.tell(created(2)).await;
        catch_up(&mut runner).await;
        assert!(within_5_s(elsewhere.moved(CATALOGUE, head)).await > head);
        assert_eq!(told(&elsewhere, head).documents.len(), 1);
    }
}

async fn a_follower_sees_that_a_rebuilt_model_serves(store: Store) {
    let (journal, mut teller) = journal();
    teller.tell(created(1)).await;
    let mut runner = open(&journal, &store.directory);
    catch_up(&mut runner).await;
    let models = runner.read_models();
    assert_eq!(models.serving(CATALOGUE), Some(1));
    assert_eq!(models.serving("nothing"), None);
    let before = told(&models, Position(0));
    run_rebuild(&journal, &store.directory, &[CATALOGUE]).await.unwrap();
    runner.keep_house().await.unwrap();
    assert_eq!(models.serving(CATALOGUE), Some(2));
    assert_eq!(told(&models, Position(0)), before);
}

async fn a_follower_is_told_what_a_retry_changed(store: Store) {
    let (journal, mut teller) = journal();
    teller.tell(created(1)).await;
    let mut runner = open(&journal, &store.directory);
    let items = decode(journal.read_all(Position(0), 10).await.unwrap());
    let feed = runner.feeds.iter_mut().find(|feed| feed.name() == CATALOGUE).unwrap();
    feed.park_all(&items);
    runner.keep_house().await.unwrap();
    let models = runner.read_models();
    let read = told(&models, Position(0));
    assert_eq!((read.position, read.documents.len()), (journal.head(), 0));
    assert_eq!(runner.retry(CATALOGUE).await.unwrap(), 0);
    let now = told(&models, read.position);
    assert_eq!((now.position, now.documents.len()), (read.position, 1));
    teller.tell(created(2)).await;
    catch_up(&mut runner).await;
    let then = told(&models, now.position);
    assert_eq!(told(&models, then.position).documents.len(), 0);
}

in_every_store! {
    a_follower_hears_that_its_model_moved
    a_follower_sees_that_a_rebuilt_model_serves
    a_follower_is_told_what_a_retry_changed
}
