//! What the shop in memory searches with: the real engine, the real shelf, and vectors by an
//! embedder that knows a text by its words only.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::{CustomerId, ProductId};
use embeddings::{EmbedError, Embedder};
use journal::Journal;
use projections::{Projector, ReadModels, purchases};
use search::text::TextSettings;
use search::{
    Basket, Bought, Changes, EmbeddedEngine, EmbedderChoice, Finder, FinderOptions, FinderParts,
    Freshness, Indexer, IndexerOptions, KeepsProducts, LocalFollower, NearInMeaning,
    ProductVectors, Purchases, PurchasesError, RecommendSettings, Recommender, SearchEngine, Shelf,
};

use super::now;

const DIMENSIONS: usize = 64;

/// The same words, the same vector.
struct Words;

impl Embedder for Words {
    fn id(&self) -> &str {
        "words"
    }

    fn dimensions(&self) -> usize {
        DIMENSIONS
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let vector = |text: &&str| {
            let mut vector = vec![0.0_f32; DIMENSIONS];
            for word in text.split_whitespace() {
                let hash = word.bytes().fold(7_usize, |hash, byte| hash * 31 + byte as usize);
                vector[hash % DIMENSIONS] += 1.0;
            }
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
            vector.iter().map(|x| x / length).collect()
        };
        Ok(texts.iter().map(vector).collect())
    }
}

/// Purchases as the read model has them.
struct FromReadModel(ReadModels);

impl Purchases for FromReadModel {
    fn of_customer(&self, customer: CustomerId) -> Result<Vec<Bought>, PurchasesError> {
        let read = self.0.read(purchases::Purchases::NAME, |connection| {
            purchases::of_customer(connection, customer, 100)
        });
        let bought = read.map_err(|error| PurchasesError(error.to_string()))?.into_iter();
        let of = |of: purchases::Bought| Bought {
            product_id: of.product_id,
            orders: of.orders,
            last: of.last,
        };
        Ok(bought.map(of).collect())
    }

    fn popular(&self, _: usize) -> Result<Vec<ProductId>, PurchasesError> {
        Ok(Vec::new())
    }

    fn baskets(&self, _: &mut dyn FnMut(&Basket)) -> Result<(), PurchasesError> {
        Ok(())
    }
}

/// All that keep products beside the shelf, told of each change together.
struct Keepers {
    vectors: Arc<ProductVectors>,
    recommender: Arc<Recommender>,
}

impl Keepers {
    fn work(&self) {
        while self.vectors.work(now()).unwrap() {}
        while self.recommender.work(now()).unwrap() {}
    }
}

impl KeepsProducts for Keepers {
    fn apply(&self, changes: &Changes) {
        self.vectors.apply(changes);
        self.recommender.apply(changes);
        self.work();
    }

    fn all_told(&self) {
        self.vectors.filled();
        self.recommender.all_told();
        self.work();
    }
}

/// Follows the catalogue on this thread's runtime for as long as that runs; returns when there is an
/// index to search in.
pub(super) async fn searching(
    reads: &ReadModels,
    journal: &Arc<dyn Journal>,
    directory: &Path,
) -> (Arc<Finder>, Arc<Recommender>) {
    let shelf = Shelf::default();
    let engine =
        EmbeddedEngine::open(&directory.join("index"), TextSettings::default(), shelf.clone());
    let engine: Arc<dyn SearchEngine> = Arc::new(engine.unwrap());
    let choice = EmbedderChoice::Given { embedder: Arc::new(Words), floor: 0.2 };
    let vectors = Arc::new(ProductVectors::open(&directory.join("vectors"), choice).unwrap());
    let purchases: Arc<dyn Purchases> = Arc::new(FromReadModel(reads.clone()));
    let settings = RecommendSettings::default();
    let recommender = Recommender::new(settings, Arc::clone(&purchases), vectors.clone());
    let recommender = Arc::new(recommender.unwrap());
    let (engine_at, shelf_at) = (Freshness::default(), Freshness::default());

    let keepers = Keepers { vectors: vectors.clone(), recommender: recommender.clone() };
    let follower = LocalFollower::new(
        reads.clone(),
        Arc::clone(journal),
        shelf.clone(),
        vec![Arc::new(keepers)],
        shelf_at.clone(),
    );
    let options = IndexerOptions {
        shared: false,
        one_catalogue: true,
        directory: directory.to_owned(),
        prices: None,
    };
    let indexer = Indexer::new(
        reads.clone(),
        Arc::clone(journal),
        Arc::clone(&engine),
        engine_at.clone(),
        Arc::new(|| true),
        options,
    );
    actix_web::rt::spawn(follower.run(std::future::pending::<()>()));
    actix_web::rt::spawn(indexer.run(std::future::pending::<()>()));
    while engine.filled().await.unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let finder = Finder::new(FinderParts {
        engine,
        shelf,
        vectors: Some(vectors as Arc<dyn NearInMeaning>),
        purchases: Some(purchases),
        engine_at,
        shelf_at,
        options: FinderOptions::default(),
    });
    (Arc::new(finder), recommender)
}
