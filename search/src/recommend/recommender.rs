//! The recommender: what is fed to it, and what it answers.

mod background;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use chrono::TimeDelta;
use domain::product::ProductStatus;
use domain::{CategoryId, CustomerId, ProductId, Timestamp};
use embeddings::IndexError;

use super::candidates::{Because, Known, Suggestion, candidates};
use super::click_through::ClickThrough;
use super::models::{Models, TrainError};
use super::page::Page;
use super::purchases::{Basket, Purchases, PurchasesError};
use super::settings::RecommendSettings;
use super::similar::{Likeness, SIMILAR_MAX, SimilarLists};
use super::table::Table;
use super::views::Views;
use crate::{Changes, Neighbour};

#[derive(Debug, thiserror::Error)]
pub enum RecommendError {
    #[error(transparent)]
    Purchases(#[from] PurchasesError),
    /// Settings that cannot work, such as taste vectors without dimensions.
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl From<TrainError> for RecommendError {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Purchases(error) => Self::Purchases(error),
            TrainError::Index(error) => Self::Index(error),
        }
    }
}

/// A product like another one.
pub type Similar = Neighbour;

/// How far the background work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecommendProgress {
    /// Orders learned from, and orders that came since.
    pub orders: u64,
    pub orders_since: u64,
    /// When the models were trained last.
    pub trained_at: Option<Timestamp>,
    /// Lists of similar products that are up to date, of how many.
    pub similar: (usize, usize),
    /// Customers whose candidates are ready, and customers whose are to be made.
    pub customers: (usize, usize),
}

/// Answers what is similar and what a customer's page shows.
///
/// Everything that is fed to it may come from many threads; [`Self::work`] is called by one.
pub struct Recommender {
    settings: RecommendSettings,
    purchases: Arc<dyn Purchases>,
    likeness: Arc<dyn Likeness>,
    models: RwLock<Models>,
    clicks: RwLock<ClickThrough>,
    for_sale: RwLock<ForSale>,
    similar: RwLock<SimilarLists>,
    views: Mutex<Views>,
    table: Mutex<Table>,
    /// For whoever is not known.
    strangers: RwLock<Arc<[Suggestion]>>,
    background: Mutex<Background>,
}

#[derive(Debug, Default)]
struct ForSale {
    /// All that are for sale were told: there are no others.
    is_whole: bool,
    products: HashMap<ProductId, (i64, Option<CategoryId>)>,
    /// The newest last.
    by_age: BTreeMap<i64, ProductId>,
}

impl ForSale {
    /// Whether what is shown and clicked of a product is kept by itself.
    fn tells_apart(&self, product: ProductId) -> bool {
        !self.is_whole || self.products.contains_key(&product)
    }
}

#[derive(Debug, Default)]
struct Background {
    trained_at: Option<Timestamp>,
    popular_at: Option<Timestamp>,
    popular_stale: bool,
    old_views_at: Option<Timestamp>,
    /// Somebody asked for a training, whether or not it is time.
    must_train: bool,
    /// Products to which a taste vector is to be lent.
    cold: BTreeSet<ProductId>,
}

impl Recommender {
    /// One that knows nothing yet: the first calls of [`Self::work`] learn.
    ///
    /// # Errors
    /// Settings that cannot work.
    pub fn new(
        settings: RecommendSettings,
        purchases: Arc<dyn Purchases>,
        likeness: Arc<dyn Likeness>,
    ) -> Result<Self, RecommendError> {
        Ok(Self {
            purchases,
            likeness,
            models: RwLock::new(Models::empty(&settings)?),
            clicks: RwLock::new(ClickThrough::new(settings.click_through)),
            for_sale: RwLock::default(),
            similar: RwLock::default(),
            views: Mutex::new(Views::new(
                settings.viewing_customers_max,
                settings.viewed_products_max,
            )),
            table: Mutex::new(Table::new(settings.table_customers_max)),
            strangers: RwLock::new(Arc::new([])),
            background: Mutex::default(),
            settings,
        })
    }

    /// Ranks by other settings from now on. What was learned stays: settings of the training take
    /// effect with the next one, bounds not at all.
    pub fn rank_by(&mut self, settings: RecommendSettings) {
        self.settings = settings;
        lock(&self.table).clear();
    }

    /// Takes in what changed in the catalogue.
    pub fn apply(&self, changes: &Changes) {
        let mut removed: HashSet<ProductId> = changes.removed.iter().copied().collect();
        let mut for_sale = write(&self.for_sale);
        for document in &changes.documents {
            if document.status == ProductStatus::Active {
                let category = document.categories.last().map(|category| category.category_id);
                for_sale.products.insert(document.product_id, (document.number, category));
                for_sale.by_age.insert(document.number, document.product_id);
                removed.remove(&document.product_id);
            } else {
                removed.insert(document.product_id);
            }
        }
        for product in &removed {
            if let Some((number, _)) = for_sale.products.remove(product) {
                for_sale.by_age.remove(&number);
            }
        }
        drop(for_sale);
        if !removed.is_empty() {
            write(&self.similar).removed(&removed);
            let mut clicks = write(&self.clicks);
            removed.iter().for_each(|product| clicks.remove(*product));
        }
        lock(&self.background).popular_stale = true;
    }

    /// All products for sale were told with [`Self::apply`]. What was shown and clicked of others, that
    /// were for sale once, is let go of, and only what is for sale is told apart from now on.
    pub fn all_told(&self) {
        let mut for_sale = write(&self.for_sale);
        for_sale.is_whole = true;
        write(&self.clicks).keep(|product| for_sale.products.contains_key(&product));
    }

    /// An order was confirmed.
    pub fn ordered(&self, basket: &Basket) {
        write(&self.models).ordered(basket);
        lock(&self.background).popular_stale = true;
        if let Some(customer) = basket.customer {
            lock(&self.table).changed(customer);
        }
    }

    /// Something of what a customer bought changed: bought, cancelled or sent back.
    pub fn purchases_changed(&self, customer: CustomerId) {
        lock(&self.table).changed(customer);
    }

    /// A customer looked at a product, so many times, the last time at `at`.
    pub fn viewed(&self, customer: CustomerId, product: ProductId, times: u32, at: Timestamp) {
        lock(&self.views).viewed(customer, product, times, at);
        lock(&self.table).changed(customer);
    }

    /// A product was shown so many times.
    pub fn shown(&self, product: ProductId, times: u32, at: Timestamp) {
        let for_sale = read(&self.for_sale);
        let mut clicks = write(&self.clicks);
        match for_sale.tells_apart(product) {
            true => clicks.shown(product, times, at),
            false => clicks.shown_of_the_past(times, at),
        }
    }

    /// A product that was shown was clicked so many times.
    pub fn clicked(&self, product: ProductId, times: u32, at: Timestamp) {
        let for_sale = read(&self.for_sale);
        let mut clicks = write(&self.clicks);
        match for_sale.tells_apart(product) {
            true => clicks.clicked(product, times, at),
            false => clicks.clicked_of_the_past(times, at),
        }
    }

    /// Forgets what a customer looked at and what was worked out for them. What they bought is for
    /// [`Purchases`] not to tell any more: an order of theirs may still come back.
    pub fn forget(&self, customer: CustomerId) {
        lock(&self.views).forget(customer);
        lock(&self.table).forget(customer);
    }

    /// Whether [`Self::similar`] has its answer ready; otherwise it goes through all vectors.
    #[must_use]
    pub fn has_similar(&self, product: ProductId) -> bool {
        read(&self.similar).of(product).is_some()
    }

    /// The products most like one, at most [`SIMILAR_MAX`] and `k`, the likest first.
    #[must_use]
    pub fn similar(
        &self,
        product: ProductId,
        k: usize,
        is_available: &dyn Fn(ProductId) -> bool,
    ) -> Vec<Similar> {
        let ready = read(&self.similar).of(product).map(<[Similar]>::to_vec);
        let list = ready.unwrap_or_else(|| {
            self.likeness.like_each(&[product], SIMILAR_MAX).pop().unwrap_or_default()
        });
        list.into_iter().filter(|similar| is_available(similar.product_id)).take(k).collect()
    }

    /// A page for a customer, or for a stranger: at most `k` products, the best first, each with
    /// its reason. Shorter only where nothing else is available.
    ///
    /// # Errors
    /// Purchases of a customer whose candidates are not ready cannot be read.
    pub fn home(
        &self,
        customer: Option<CustomerId>,
        k: usize,
        now: Timestamp,
        is_available: &dyn Fn(ProductId) -> bool,
    ) -> Result<Vec<Suggestion>, RecommendError> {
        let own = match customer {
            Some(customer) => self.candidates_of(customer, now)?,
            None => Arc::new([]),
        };
        let strangers = Arc::clone(&read(&self.strangers));
        let for_sale = read(&self.for_sale);
        let newest: Vec<Suggestion> = (for_sale.by_age.values().rev())
            .take(self.settings.breadth)
            .map(|product| Suggestion { product_id: *product, score: 0.0, because: Because::New })
            .collect();
        let (models, clicks) = (read(&self.models), read(&self.clicks));
        let page = Page {
            wanted: k,
            diversity: self.settings.diversity,
            models: &models,
            category: &|product| {
                for_sale.products.get(&product).and_then(|(_, category)| *category)
            },
            is_available,
            click_through: &|product| clicks.factor(product, now),
        };
        Ok(page.choose(&[&own, &strangers, &newest]))
    }

    fn candidates_of(
        &self,
        customer: CustomerId,
        now: Timestamp,
    ) -> Result<Arc<[Suggestion]>, RecommendError> {
        // Not in the `match`: it would hold the table while a list is made.
        let ready = lock(&self.table).of(customer);
        match ready {
            Some(ready) => Ok(ready),
            None => self.make_candidates(customer, now),
        }
    }

    fn make_candidates(
        &self,
        customer: CustomerId,
        now: Timestamp,
    ) -> Result<Arc<[Suggestion]>, RecommendError> {
        let ticket = lock(&self.table).ticket();
        let bought = self.purchases.of_customer(customer)?;
        let viewed = lock(&self.views).of_customer(customer, self.viewed_since(now));
        if bought.is_empty() && viewed.is_empty() {
            // A stranger takes no place in the table, and loses what one had before all came back.
            lock(&self.table).remove(customer);
            return Ok(Arc::new([]));
        }
        let known = Known { bought: &bought, viewed: &viewed };
        let made = self.rank(known, self.settings.candidates, now);
        lock(&self.table).put(customer, Arc::clone(&made), ticket);
        Ok(made)
    }

    fn rank(&self, known: Known<'_>, limit: usize, now: Timestamp) -> Arc<[Suggestion]> {
        let (for_sale, models) = (read(&self.for_sale), read(&self.models));
        let is_for_sale = |product| for_sale.products.contains_key(&product);
        candidates(&models, known, &self.settings, limit, now, &is_for_sale).into()
    }

    /// What was looked at earlier is not used any more.
    fn viewed_since(&self, now: Timestamp) -> Timestamp {
        let kept = TimeDelta::days(i64::from(self.settings.viewed_days.max(1)));
        now.checked_sub_signed(kept).unwrap_or(Timestamp::MIN_UTC)
    }

    /// Has everything learned anew from all orders by the next call of [`Self::work`]; meanwhile the old
    /// models serve.
    pub fn renew(&self) {
        lock(&self.background).must_train = true;
    }

    /// Whether what [`Self::renew`] asked for is still to be done.
    #[must_use]
    pub fn is_renewing(&self) -> bool {
        lock(&self.background).must_train
    }

    #[must_use]
    pub fn progress(&self) -> RecommendProgress {
        let models = read(&self.models);
        RecommendProgress {
            orders: models.orders,
            orders_since: models.orders_since,
            trained_at: lock(&self.background).trained_at,
            similar: read(&self.similar).progress(),
            customers: lock(&self.table).len(),
        }
    }
}

/// A panic elsewhere leaves nothing half done that matters: all of it is made anew before long.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
impl Recommender {
    /// Products whose impressions and clicks are told apart.
    pub(super) fn told_apart(&self) -> usize {
        read(&self.clicks).told_apart()
    }
}
