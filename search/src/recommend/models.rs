//! What is learned from all orders: taste vectors, partners, popularity. Trained as a whole and
//! swapped as a whole.

use std::collections::HashMap;

use domain::{ProductId, Timestamp};
use embeddings::IndexError;

use super::popularity::Popularity;
use super::purchases::{Basket, Purchases, PurchasesError};
use super::settings::RecommendSettings;
use super::taste::Taste;
use super::together::Together;

pub(super) struct Models {
    products: Vec<ProductId>,
    places: HashMap<ProductId, u32>,
    pub(super) taste: Taste,
    together: Together,
    popularity: Popularity,
    /// The most popular, the first most of all, as of when this was refreshed last.
    popular: Vec<ProductId>,
    popular_max: usize,
    /// Orders learned from, and orders that came since.
    pub(super) orders: u64,
    pub(super) orders_since: u64,
    pub(super) trained_at: Timestamp,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum TrainError {
    #[error(transparent)]
    Purchases(#[from] PurchasesError),
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl Models {
    /// Nothing learned yet.
    pub(super) fn empty(settings: &RecommendSettings) -> Result<Self, IndexError> {
        Ok(Self {
            products: Vec::new(),
            places: HashMap::new(),
            taste: Taste::empty(settings.taste_dimensions)?,
            together: Together::count(&[], 0),
            popularity: Popularity::new(settings.popularity_half_life_days),
            popular: Vec::new(),
            popular_max: settings.breadth,
            orders: 0,
            orders_since: 0,
            trained_at: Timestamp::UNIX_EPOCH,
        })
    }

    pub(super) fn train(
        purchases: &dyn Purchases,
        settings: &RecommendSettings,
        now: Timestamp,
    ) -> Result<Self, TrainError> {
        let mut models = Self::empty(settings)?;
        let mut baskets = Vec::new();
        purchases.baskets(&mut |basket| {
            models.orders += 1;
            models.popularity.ordered(basket);
            let mut places: Vec<u32> =
                basket.products.iter().map(|product| models.place(*product)).collect();
            places.sort_unstable();
            places.dedup();
            baskets.push(places);
        })?;
        models.taste = Taste::train(&models.products, &baskets, settings.taste_dimensions)?;
        models.together = Together::count(&baskets, models.products.len());
        models.trained_at = now;
        models.popular = models.most_popular(now);
        Ok(models)
    }

    fn place(&mut self, product: ProductId) -> u32 {
        let Self { products, places, .. } = self;
        *places.entry(product).or_insert_with(|| {
            products.push(product);
            (products.len() - 1) as u32
        })
    }

    /// Counts an order that came after the training. One that the training saw already counts twice
    /// until the next.
    pub(super) fn ordered(&mut self, basket: &Basket) {
        self.orders_since += 1;
        self.popularity.ordered(basket);
    }

    /// For [`Self::set_popular`]. Goes through all products.
    pub(super) fn most_popular(&self, now: Timestamp) -> Vec<ProductId> {
        let top = self.popularity.top(self.popular_max, now);
        top.into_iter().map(|(product, _)| product).collect()
    }

    pub(super) fn popular(&self) -> &[ProductId] {
        &self.popular
    }

    pub(super) fn set_popular(&mut self, popular: Vec<ProductId>) {
        self.popular = popular;
    }

    /// An instant as far as orders go, see [`Popularity::as_of`].
    pub(super) fn as_of(&self, now: Timestamp) -> Timestamp {
        self.popularity.as_of(now)
    }

    pub(super) fn popularity(&self, product: ProductId, now: Timestamp) -> f32 {
        self.popularity.of(product, now)
    }

    /// What is bought together with a product, with cosines, the best first.
    pub(super) fn partners(
        &self,
        product: ProductId,
    ) -> impl Iterator<Item = (ProductId, f32)> + '_ {
        let partners = self.places.get(&product).map_or(&[][..], |place| self.together.of(*place));
        partners.iter().map(|(other, cosine)| (self.products[*other as usize], *cosine))
    }
}
