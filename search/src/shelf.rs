//! All products for sale in memory: what filters, facets, prices and short descriptions are
//! answered from.
//!
//! Whoever holds a [`Shelf`] sees the same products; a clone is cheap. One indexer changes it, anybody
//! reads it. A change is made as a whole behind a lock: no reader sees half of it, and none waits longer
//! than it takes. Who wants several answers from one state asks for them in one call.

mod bounds;
mod columns;
mod counting;
mod facets;
mod filter;
mod interner;
mod lists;
mod order;
mod prices;
mod tree;

#[cfg(test)]
pub(crate) mod tests;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use domain::pricing::Tier;
use domain::{CategoryId, Currency, ProductId, Timestamp};
use projections::catalogue::{CategoryView, ProductSummary, SearchDocument};

use crate::{Changes, Filter};
use bounds::BoundsCache;
pub(crate) use columns::Columns;
pub(crate) use counting::Counter;
use filter::Sieve;
pub(crate) use order::{Place, Places, TopK};
use prices::nanoseconds;

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Shelf(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    columns: RwLock<Columns>,
    bounds: BoundsCache,
}

/// A shelf being filled beside the one that is read; see [`Shelf::refill`].
#[derive(Debug)]
#[must_use = "nothing changes before `finish`"]
pub struct Refill {
    shelf: Shelf,
    columns: Columns,
}

impl Refill {
    pub fn add(&mut self, documents: &[SearchDocument]) {
        self.columns.fill(documents);
    }

    /// Puts what was added in place of everything, all at once.
    pub fn finish(mut self) {
        self.columns.shrink();
        let mut place = self.shelf.0.columns.write().unwrap_or_else(PoisonError::into_inner);
        self.columns.revision = place.revision + 1;
        self.columns.prices.come_after(&place.prices);
        let before = std::mem::replace(&mut *place, self.columns);
        drop(place);
        // Freed when nobody waits for it.
        drop(before);
    }
}

impl Shelf {
    /// Makes changes, all at once. Products that are not active are taken away.
    pub fn apply(&self, changes: &Changes) {
        self.0.columns.write().unwrap_or_else(PoisonError::into_inner).apply(changes);
    }

    /// Puts these in place of everything, all at once.
    pub fn replace(&self, documents: &[SearchDocument], categories: &[CategoryView]) {
        let mut refill = self.refill(categories);
        refill.add(documents);
        refill.finish();
    }

    /// Begins to put something else in place of everything, for who has not all of it at once.
    pub fn refill(&self, categories: &[CategoryView]) -> Refill {
        Refill { shelf: self.clone(), columns: Columns::new(categories) }
    }

    /// One state, for as long as it is held; a writer waits meanwhile. Not to be held twice by one
    /// thread: a writer between the two would wait for ever, and so would the thread.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Columns> {
        self.0.columns.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it was ever told anything: before that, that it is empty means nothing.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.read().revision > 0
    }

    /// Products for sale.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the product is for sale.
    #[must_use]
    pub fn contains(&self, product_id: ProductId) -> bool {
        self.read().slot_of_product(product_id).is_some()
    }

    /// What a list shows of a product, with the lowest prices that hold at `now` for the tier; `None`
    /// unless it is for sale.
    #[must_use]
    pub fn summary(
        &self,
        product_id: ProductId,
        tier: Tier,
        now: Timestamp,
    ) -> Option<ProductSummary> {
        self.summaries(&[product_id], tier, now).pop()
    }

    /// The same for several, from one state; those that are not for sale are left out.
    #[must_use]
    pub fn summaries(
        &self,
        product_ids: &[ProductId],
        tier: Tier,
        now: Timestamp,
    ) -> Vec<ProductSummary> {
        let columns = self.read();
        let slots = product_ids.iter().filter_map(|id| columns.slot_of_product(*id));
        slots.map(|slot| columns.summary(slot, tier, nanoseconds(now))).collect()
    }

    /// Whether the product is for sale and passes the filter.
    #[must_use]
    pub fn passes(
        &self,
        product_id: ProductId,
        filter: &Filter,
        tier: Tier,
        currency: Option<Currency>,
        now: Timestamp,
    ) -> bool {
        !self.passing(&[product_id], filter, tier, currency, now).is_empty()
    }

    /// Those of the products that are for sale and pass the filter, in the given order.
    #[must_use]
    pub fn passing(
        &self,
        product_ids: &[ProductId],
        filter: &Filter,
        tier: Tier,
        currency: Option<Currency>,
        now: Timestamp,
    ) -> Vec<ProductId> {
        let columns = self.read();
        let sieve = Sieve::new(&columns, filter, tier, currency, now);
        let passes =
            |id: &&ProductId| columns.slot_of_product(**id).is_some_and(|slot| sieve.passes(slot));
        product_ids.iter().filter(passes).copied().collect()
    }

    /// Whether the category is in the tree, with or without products.
    #[must_use]
    pub fn knows_category(&self, category_id: CategoryId) -> bool {
        self.read().tree.place(category_id).is_some()
    }

    /// The category with its name and place; `None` for an unknown one.
    #[must_use]
    pub fn category(&self, category_id: CategoryId) -> Option<CategoryView> {
        let columns = self.read();
        let place = columns.tree.place(category_id)?;
        columns.tree.view(place).cloned()
    }

    /// Whether any product for sale has the attribute.
    #[must_use]
    pub fn knows_attribute(&self, name: &str) -> bool {
        self.read().attribute_names.find(name).is_some()
    }

    /// Whether the product is for sale and has units.
    #[must_use]
    pub fn is_in_stock(&self, product_id: ProductId) -> bool {
        let columns = self.read();
        columns.slot_of_product(product_id).is_some_and(|slot| columns.in_stock[slot as usize])
    }

    /// From the root down to the product's own category; nothing for a product not for sale, without
    /// a category, or with one that is not in the tree.
    #[must_use]
    pub fn categories_of(&self, product_id: ProductId) -> Vec<CategoryId> {
        let columns = self.read();
        let place = columns.slot_of_product(product_id).and_then(|slot| columns.place_at(slot));
        place.map(|place| columns.tree.path(place)).unwrap_or_default()
    }

    /// The category and all below it, in the order of the tree; nothing for an unknown one.
    #[must_use]
    pub fn subtree(&self, category_id: CategoryId) -> Vec<CategoryId> {
        let columns = self.read();
        let places = columns.tree.place(category_id).map(|place| columns.tree.subtree(place));
        places.into_iter().flatten().filter_map(|place| columns.tree.id(place)).collect()
    }

    /// The earliest instant after `now` at which the price of any product changes by itself.
    #[must_use]
    pub fn next_price_change(&self, now: Timestamp) -> Option<Timestamp> {
        self.read().next_price_change(now)
    }

    /// Products of which a price changes by itself after an instant, up to and with another; the oldest
    /// first. Looks at all products.
    #[must_use]
    pub fn price_changes(&self, after: Timestamp, until: Timestamp) -> Vec<ProductId> {
        let columns = self.read();
        let (after, until) = (nanoseconds(after), nanoseconds(until));
        if columns.prices.next_change(after).is_none_or(|next| next > until) {
            return Vec::new();
        }
        let changes = |slot: &u32| columns.prices.change_within(*slot as usize, after, until);
        let mut slots: Vec<u32> = columns.slots().filter(changes).collect();
        slots.sort_unstable_by_key(|slot| columns.number_at(*slot));
        slots.into_iter().map(|slot| columns.product_at(slot)).collect()
    }

    /// What the bounds of buckets are made of; see [`bounds::quantiles`].
    #[cfg(test)]
    pub(crate) fn price_quantiles(
        &self,
        currency: Currency,
        tier: Tier,
        now: Timestamp,
        n: usize,
    ) -> Vec<i64> {
        bounds::quantiles(&self.read(), currency, tier, nanoseconds(now), n)
    }

    /// Round prices between which the shop's products fall into parts of not too different size: up to
    /// six, ascending, in minor units. They depend on the products for sale and on `now`, and on
    /// nothing that a shopper asks for.
    #[must_use]
    pub fn price_bounds(&self, currency: Currency, tier: Tier, now: Timestamp) -> Arc<[i64]> {
        self.0.bounds.get(&self.read(), currency, tier, nanoseconds(now))
    }

    /// The same where they were worked out before and no price has changed since.
    pub(crate) fn known_price_bounds(
        &self,
        currency: Currency,
        tier: Tier,
        now: Timestamp,
    ) -> Option<Arc<[i64]>> {
        self.0.bounds.known(&self.read(), currency, tier, nanoseconds(now))
    }

    /// Bytes held in memory, near enough.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.read().bytes()
    }
}
