//! What every node keeps of each product in memory: kept up with the catalogue.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use domain::ProductId;
use journal::{Journal, Position};
use projections::{ReadModels, StoreError};

use crate::source::{Source, SourceError};
use crate::{Changes, Freshness, Shelf};

/// How often to look for what nobody tells: a rebuilt catalogue.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// Keeps something of every product for sale, beside the shelf.
pub trait KeepsProducts: Send + Sync {
    /// Called with one state of the catalogue after the other.
    fn apply(&self, changes: &Changes);

    /// Every product for sale has been told since the start, or since the catalogue was built anew:
    /// there are no others.
    fn all_told(&self);
}

/// Tells a keeper of every product there is in the catalogue, once. `None` if there is no catalogue yet,
/// or other ones took its place while it was read.
///
/// # Errors
/// The catalogue cannot be read.
pub fn tell_all(
    reads: &ReadModels,
    journal: &Arc<dyn Journal>,
    keeper: &impl KeepsProducts,
) -> Result<Option<()>, StoreError> {
    let source = Source::new(reads.clone(), Arc::clone(journal));
    let tell = || -> Result<(), SourceError> {
        let mut pages = source.pages(Position(0), source.generation()?);
        while let Some(changes) = pages.next()? {
            keeper.apply(&changes);
        }
        keeper.all_told();
        Ok(())
    };
    match tell() {
        Ok(()) => Ok(Some(())),
        Err(SourceError::NotYet | SourceError::Replaced) => Ok(None),
        Err(SourceError::Store(error)) => Err(error),
    }
}

/// Tells those who keep products what changed.
pub struct LocalFollower {
    source: Source,
    shelf: Shelf,
    keepers: Vec<Arc<dyn KeepsProducts>>,
    freshness: Freshness,
    /// Generation and position that were read last.
    at: Option<(u64, Position)>,
    /// Products that keepers may know from the catalogue before.
    told: HashSet<ProductId>,
}

impl LocalFollower {
    /// `freshness` is told how far the shelf and all `keepers` are.
    #[must_use]
    pub fn new(
        reads: ReadModels,
        journal: Arc<dyn Journal>,
        shelf: Shelf,
        keepers: Vec<Arc<dyn KeepsProducts>>,
        freshness: Freshness,
    ) -> Self {
        let source = Source::new(reads, journal);
        Self { source, shelf, keepers, freshness, at: None, told: HashSet::new() }
    }

    /// Follows until `stop` resolves. It blocks its thread while it reads.
    pub async fn run(mut self, stop: impl Future<Output = ()> + Send) {
        let mut stop = std::pin::pin!(stop);
        let mut is_told = false;
        loop {
            // Asked before reading: what is read holds at least this much.
            let seen = self.source.position();
            let step = tokio::select! {
                biased;
                () = &mut stop => return,
                step = self.step() => step,
            };
            let wait = match step {
                Ok(position) => {
                    is_told = false;
                    self.freshness.advance(seen.max(position));
                    LOOK_EVERY
                }
                Err(SourceError::NotYet | SourceError::Replaced) => RETRY_AFTER,
                Err(SourceError::Store(error)) => {
                    if !is_told {
                        tracing::error!(%error, "products cannot be read for search");
                    }
                    is_told = true;
                    LOOK_EVERY
                }
            };
            let news = tokio::time::timeout(wait, self.source.moved(seen));
            tokio::select! {
                biased;
                () = &mut stop => return,
                _ = news => {}
            }
        }
    }

    /// Reads what changed since the last step; all, if the catalogue is another one.
    async fn step(&mut self) -> Result<Position, SourceError> {
        let generation = self.source.generation()?;
        let position = match self.at.filter(|(known, _)| *known == generation) {
            Some((_, since)) => {
                let mut pages = self.source.pages(since, generation);
                while let Some(changes) = pages.next()? {
                    if changes != Changes::default() {
                        self.shelf.apply(&changes);
                        self.keepers.iter().for_each(|keeper| keeper.apply(&changes));
                    }
                    tokio::task::yield_now().await;
                }
                pages.position()
            }
            None => self.read_all(generation).await?,
        };
        self.at = Some((generation, position));
        Ok(position)
    }

    /// Between two pages others on this thread have their turn, and whoever stops it is heard.
    async fn read_all(&mut self, generation: u64) -> Result<Position, SourceError> {
        let source = self.source.clone();
        let mut pages = source.pages(Position(0), generation);
        let mut refill = None;
        {
            let columns = self.shelf.read();
            self.told.extend(columns.slots().map(|slot| columns.product_at(slot)));
        }
        let mut now = HashSet::new();
        while let Some(changes) = pages.next()? {
            let categories = changes.categories.as_deref().unwrap_or_default();
            refill.get_or_insert_with(|| self.shelf.refill(categories)).add(&changes.documents);
            let products = changes.documents.iter().map(|document| document.product_id);
            now.extend(products.clone());
            self.told.extend(products);
            self.keepers.iter().for_each(|keeper| keeper.apply(&changes));
            tokio::task::yield_now().await;
        }
        if let Some(refill) = refill {
            refill.finish();
        }
        // What the catalogue before had, and this one does not know at all.
        let told = std::mem::take(&mut self.told);
        let removed: Vec<ProductId> = told.into_iter().filter(|id| !now.contains(id)).collect();
        if !removed.is_empty() {
            let gone = Changes { removed, ..Changes::default() };
            self.keepers.iter().for_each(|keeper| keeper.apply(&gone));
        }
        self.keepers.iter().for_each(|keeper| keeper.all_told());
        Ok(pages.position())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use domain::ProductId;

    use super::*;
    use crate::indexer::tests::shop::Shop;

    /// Keeps names, and stops whoever follows when it was told often enough.
    #[derive(Default)]
    struct Names {
        names: Mutex<BTreeMap<ProductId, String>>,
        told: AtomicUsize,
        all_told: AtomicUsize,
        enough: Option<(usize, tokio::sync::Notify)>,
    }

    impl KeepsProducts for Names {
        fn apply(&self, changes: &Changes) {
            let mut names = self.names.lock().unwrap();
            for product in &changes.removed {
                names.remove(product);
            }
            for document in &changes.documents {
                names.insert(document.product_id, document.name.clone());
            }
            let told = self.told.fetch_add(1, Ordering::Relaxed) + 1;
            if let Some((enough, stop)) = &self.enough
                && told == *enough
            {
                stop.notify_one();
            }
        }

        fn all_told(&self) {
            self.all_told.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn shop_of(products: u128) -> Shop {
        let mut shop = Shop::new();
        for number in 1..=products {
            shop.product(number).await;
        }
        shop
    }

    fn follower(shop: &Shop, names: &Arc<Names>, shelf: &Shelf, at: &Freshness) -> LocalFollower {
        let mut follower = LocalFollower::new(
            shop.reads.clone(),
            Arc::clone(&shop.journal),
            shelf.clone(),
            vec![Arc::clone(names) as _],
            at.clone(),
        );
        follower.source = follower.source.with_pages_of(2);
        follower
    }

    #[tokio::test]
    async fn everything_is_read_once_and_then_what_changes() {
        let mut shop = shop_of(5).await;
        let (names, shelf, at) =
            (Arc::new(Names::default()), Shelf::default(), Freshness::default());
        let mut follower = follower(&shop, &names, &shelf, &at);
        let numbers = |names: &Names| -> Vec<String> {
            names.names.lock().unwrap().values().cloned().collect()
        };
        assert_eq!(follower.step().await.unwrap(), shop.head());
        assert_eq!(
            (shelf.len(), numbers(&names)),
            (5, ["1", "2", "3", "4", "5"].map(str::to_owned).to_vec())
        );
        assert_eq!(names.told.swap(0, Ordering::Relaxed), 3, "in pages");
        shop.rename(4, "four").await;
        assert_eq!(follower.step().await.unwrap(), shop.head());
        assert_eq!(numbers(&names)[3], "four");
        assert_eq!(names.told.swap(0, Ordering::Relaxed), 1);
        assert_eq!(follower.step().await.unwrap(), shop.head());
        assert_eq!(names.told.swap(0, Ordering::Relaxed), 0);
        assert_eq!(names.all_told.load(Ordering::Relaxed), 1);
        shop.rebuild().await;
        follower.step().await.unwrap();
        assert_eq!(names.all_told.load(Ordering::Relaxed), 2, "another catalogue is read whole");
        assert_eq!(names.told.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn what_a_catalogue_built_anew_does_not_know_is_gone() {
        let mut shop = shop_of(3).await;
        let (names, shelf, at) =
            (Arc::new(Names::default()), Shelf::default(), Freshness::default());
        let mut follower = follower(&shop, &names, &shelf, &at);
        follower.step().await.unwrap();
        let numbered = |number: u128| {
            let mut document = crate::semantic::document(number as i64, "wrong");
            document.product_id = ProductId::new(uuid::Uuid::from_u128(number));
            document
        };
        // The catalogue had one that nothing in the journal speaks of.
        let wrong = Changes { documents: vec![numbered(99)], ..Changes::default() };
        shelf.apply(&wrong);
        names.apply(&wrong);
        // And one was told of when another catalogue took the place of that one.
        names.apply(&Changes { documents: vec![numbered(98)], ..Changes::default() });
        follower.told.insert(numbered(98).product_id);
        shop.rebuild().await;
        follower.step().await.unwrap();
        let known: Vec<String> = names.names.lock().unwrap().values().cloned().collect();
        assert_eq!((shelf.len(), known), (3, ["1", "2", "3"].map(str::to_owned).to_vec()));
        assert!(follower.told.is_empty());
    }

    #[tokio::test]
    async fn it_can_be_stopped_between_two_pages() {
        let shop = shop_of(20).await;
        let enough = Some((3, tokio::sync::Notify::new()));
        let names = Arc::new(Names { enough, ..Names::default() });
        let at = Freshness::default();
        let follower = follower(&shop, &names, &Shelf::default(), &at);
        let stop = Arc::clone(&names);
        follower.run(async move { stop.enough.as_ref().unwrap().1.notified().await }).await;
        assert_eq!(names.told.load(Ordering::Relaxed), 3, "of ten pages");
        assert_eq!(at.reached(), Position(0));
    }
}
