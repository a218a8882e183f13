//! What the recommender does in the background: it learns, and makes lists ahead.

use std::collections::HashSet;

use chrono::TimeDelta;
use domain::{ProductId, Timestamp};

use super::{RecommendError, Recommender, lock, read, write};
use crate::recommend::candidates::Known;
use crate::recommend::models::Models;
use crate::recommend::similar::SIMILAR_MAX;

/// Lists made in one step of [`Recommender::work`].
const SIMILAR_AT_ONCE: usize = 64;
const CUSTOMERS_AT_ONCE: usize = 16;
/// Products like a new one, of whose taste vectors it borrows.
const LENDERS: usize = 10;
/// The most popular are worked out no more often than this.
const POPULAR_SECONDS: i64 = 10;
/// How often views are looked through for those that are too old.
const OLD_VIEWS_MINUTES: i64 = 60;

impl Recommender {
    /// Does the next piece of what is to be done in the background; false if there is nothing left.
    /// A training is one piece, and takes as long as it takes.
    ///
    /// # Errors
    /// Purchases cannot be read now: to be called again after a while.
    pub fn work(&self, now: Timestamp) -> Result<bool, RecommendError> {
        if self.training_is_due(now) {
            self.train(now)?;
            return Ok(true);
        }
        let noted = self.note_changed_products();
        self.refresh_popular(now);
        self.drop_old_views(now);
        let made = self.make_similar();
        // Once those that changed have their own.
        let outdated = !noted && !made && self.note_outdated_lists();
        let worked = made | outdated | self.lend_taste() | self.make_stale_candidates(now)?;
        Ok(worked)
    }

    fn training_is_due(&self, now: Timestamp) -> bool {
        let background = lock(&self.background);
        let Some(trained_at) = background.trained_at.filter(|_| !background.must_train) else {
            return true;
        };
        drop(background);
        let models = read(&self.models);
        let grown =
            models.orders_since as f64 >= models.orders as f64 * self.settings.retrain_growth;
        let aged = now - trained_at >= TimeDelta::hours(self.settings.retrain_hours);
        models.orders_since > 0 && (grown || aged)
    }

    /// Learns from all orders now, whether or not it is time; meanwhile the old models serve.
    ///
    /// # Errors
    /// Purchases cannot be read.
    pub fn train(&self, now: Timestamp) -> Result<(), RecommendError> {
        let untrained = lock(&self.background).trained_at.is_none();
        if untrained {
            let popular = self.purchases.popular(self.settings.breadth)?;
            write(&self.models).set_popular(popular);
            self.rank_for_strangers(now);
        }
        let trained = Models::train(self.purchases.as_ref(), &self.settings, now);
        let for_sale: Vec<_> = read(&self.for_sale).products.keys().copied().collect();
        let trained = trained?;
        let mut models = write(&self.models);
        let mut background = lock(&self.background);
        *models = trained;
        background.trained_at = Some(now);
        background.must_train = false;
        background.cold =
            for_sale.into_iter().filter(|product| models.taste.of(*product).is_none()).collect();
        drop((models, background));
        self.rank_for_strangers(now);
        lock(&self.table).all_changed();
        Ok(())
    }

    /// Drops what was looked at too long ago, now and then, and has lists made without it.
    fn drop_old_views(&self, now: Timestamp) {
        let mut background = lock(&self.background);
        let recent = |at: Timestamp| (now - at).num_minutes().abs() < OLD_VIEWS_MINUTES;
        if background.old_views_at.is_some_and(recent) {
            return;
        }
        background.old_views_at = Some(now);
        drop(background);
        let concerned = lock(&self.views).drop_before(self.viewed_since(now));
        let mut table = lock(&self.table);
        concerned.into_iter().for_each(|customer| table.changed(customer));
    }

    fn refresh_popular(&self, now: Timestamp) {
        let mut background = lock(&self.background);
        let recent = |at: Timestamp| (now - at).num_seconds().abs() < POPULAR_SECONDS;
        if !background.popular_stale || background.popular_at.is_some_and(recent) {
            return;
        }
        background.popular_stale = false;
        background.popular_at = Some(now);
        drop(background);
        // All products are gone through beside those who read.
        let popular = read(&self.models).most_popular(now);
        write(&self.models).set_popular(popular);
        self.rank_for_strangers(now);
    }

    fn rank_for_strangers(&self, now: Timestamp) {
        let nothing = Known { bought: &[], viewed: &[] };
        let made = self.rank(nothing, self.settings.breadth, now);
        *write(&self.strangers) = made;
    }

    fn note_changed_products(&self) -> bool {
        let changed: HashSet<ProductId> = self.likeness.take_changed().into_iter().collect();
        if changed.is_empty() {
            return false;
        }
        let models = read(&self.models);
        let cold = changed.iter().filter(|product| models.taste.of(**product).is_none()).copied();
        lock(&self.background).cold.extend(cold);
        drop(models);
        write(&self.similar).changed(&changed);
        true
    }

    /// All lists are gone through beside those who read them.
    fn note_outdated_lists(&self) -> bool {
        let moved = write(&self.similar).take_moved();
        if moved.is_empty() {
            return false;
        }
        let naming = read(&self.similar).naming(&moved);
        write(&self.similar).outdated(&naming);
        !naming.is_empty()
    }

    fn make_similar(&self) -> bool {
        let (stale, at) = read(&self.similar).next_stale(SIMILAR_AT_ONCE);
        let made = self.likeness.like_each(&stale, SIMILAR_MAX);
        let mut similar = write(&self.similar);
        for (product, list) in stale.iter().zip(made) {
            similar.made(*product, list, at);
        }
        !stale.is_empty()
    }

    /// Lends taste vectors to products too new to have any: the mean of those of products like them.
    fn lend_taste(&self) -> bool {
        let mut background = lock(&self.background);
        let mut some = Vec::new();
        while let Some(product) = background.cold.pop_first() {
            some.push(product);
            if some.len() == SIMILAR_AT_ONCE {
                break;
            }
        }
        drop(background);
        let lenders = self.likeness.like_each(&some, LENDERS);
        let mut models = write(&self.models);
        for (product, lenders) in some.iter().zip(lenders) {
            let weighted = lenders.iter().map(|near| (near.product_id, near.similarity.max(0.0)));
            if let Some(vector) = models.taste.mean(weighted) {
                // Of the right length and finite, as `mean` makes them.
                let _ = models.taste.insert(*product, &vector);
            }
        }
        !some.is_empty()
    }

    fn make_stale_candidates(&self, now: Timestamp) -> Result<bool, RecommendError> {
        for done in 0..CUSTOMERS_AT_ONCE {
            let Some(customer) = lock(&self.table).take_stale() else { return Ok(done > 0) };
            if let Err(error) = self.make_candidates(customer, now) {
                lock(&self.table).changed(customer);
                return Err(error);
            }
        }
        Ok(true)
    }
}
