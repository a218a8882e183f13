//! The indexer over a real journal and real read models in memory, with an engine that remembers what
//! it is told and fails when it is told to.

mod leading;
mod recorder;
mod refilling;
pub(crate) mod shop;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use journal::Position;
use recorder::Recorder;
use shop::Shop;

use super::*;

/// A shop, an engine, and an indexer between them which is moved step by step.
struct Scene {
    shop: Shop,
    engine: Arc<Recorder>,
    indexer: Indexer,
    leads: Arc<AtomicBool>,
    at: Freshness,
    folder: tempfile::TempDir,
}

impl Scene {
    /// An engine of this node alone, which was filled with three products.
    async fn alone() -> Self {
        Self::new(false).await
    }

    /// An engine of several nodes, which was filled by this one with three products.
    async fn shared() -> Self {
        Self::new(true).await
    }

    async fn new(shared: bool) -> Self {
        let mut shop = Shop::new();
        for number in 1..=3 {
            shop.product(number).await;
        }
        let folder = tempfile::tempdir().unwrap();
        let engine = Arc::new(Recorder::new(shared));
        let leads = Arc::new(AtomicBool::new(true));
        let at = Freshness::default();
        let indexer = indexer(&shop, &engine, &leads, &at, folder.path(), shared);
        let mut scene = Self { shop, engine, indexer, leads, at, folder };
        scene.step().await.unwrap();
        assert_eq!(scene.engine.swaps(), 1, "an engine without an index is filled");
        assert_eq!(scene.engine.names(), ["1", "2", "3"]);
        scene
    }

    async fn step(&mut self) -> Result<(), IndexError> {
        let seen = self.indexer.source.position();
        self.indexer.step(seen).await
    }

    /// The node is stopped and started again.
    fn restart(&mut self) {
        let Self { shop, engine, leads, at, folder, indexer: before } = self;
        let options = before.options.clone();
        self.indexer = indexer(shop, engine, leads, at, folder.path(), options.shared);
        self.indexer.options = options;
    }

    fn lead(&self, leads: bool) {
        self.leads.store(leads, Ordering::Relaxed);
    }
}

fn indexer(
    shop: &Shop,
    engine: &Arc<Recorder>,
    leads: &Arc<AtomicBool>,
    at: &Freshness,
    directory: &Path,
    shared: bool,
) -> Indexer {
    let leads = Arc::clone(leads);
    let options = IndexerOptions {
        shared,
        one_catalogue: false,
        directory: directory.to_owned(),
        prices: None,
    };
    let mut indexer = Indexer::new(
        shop.reads.clone(),
        Arc::clone(&shop.journal),
        Arc::clone(engine) as _,
        at.clone(),
        Arc::new(move || leads.load(Ordering::Relaxed)),
        options,
    );
    indexer.source = indexer.source.with_pages_of(2);
    indexer
}
