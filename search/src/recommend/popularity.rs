//! How much a product was bought of late: orders with it, each of which counts half after a
//! half-life.

use std::cmp::Ordering;
use std::collections::HashMap;

use domain::{ProductId, Timestamp};

use super::decay::DecayingSum;
use super::purchases::Basket;

/// Orders by product, decayed.
#[derive(Debug)]
pub(super) struct Popularity {
    half_life_days: f64,
    /// When the newest order was placed.
    newest: Option<Timestamp>,
    products: HashMap<ProductId, DecayingSum>,
}

impl Popularity {
    pub(super) fn new(half_life_days: f64) -> Self {
        Self { half_life_days, newest: None, products: HashMap::new() }
    }

    /// An instant as far as orders go: a shop that rests, or whose past was brought in, is as it was
    /// when it was ordered from last. Weighed by today, all of it would have faded to nothing.
    pub(super) fn as_of(&self, now: Timestamp) -> Timestamp {
        self.newest.map_or(now, |newest| newest.min(now))
    }

    pub(super) fn ordered(&mut self, basket: &Basket) {
        self.newest = self.newest.max(Some(basket.at));
        for product in &basket.products {
            self.products.entry(*product).or_default().add(1.0, basket.at, self.half_life_days);
        }
    }

    pub(super) fn of(&self, product: ProductId, now: Timestamp) -> f32 {
        let now = self.as_of(now);
        self.products.get(&product).map_or(0.0, |sum| sum.at(now, self.half_life_days))
    }

    /// The most popular, the first most of all.
    pub(super) fn top(&self, limit: usize, now: Timestamp) -> Vec<(ProductId, f32)> {
        let now = self.as_of(now);
        let mut all: Vec<_> = (self.products.iter())
            .map(|(product, sum)| (*product, sum.at(now, self.half_life_days)))
            .collect();
        best(&mut all, limit);
        all
    }
}

/// Keeps the `limit` best, the first best of all; equal ones by id.
pub(super) fn best(scored: &mut Vec<(ProductId, f32)>, limit: usize) {
    let order = |left: &(ProductId, f32), right: &(ProductId, f32)| -> Ordering {
        right.1.total_cmp(&left.1).then(left.0.cmp(&right.0))
    };
    if limit < scored.len() && limit > 0 {
        scored.select_nth_unstable_by(limit - 1, order);
    }
    scored.truncate(limit);
    scored.sort_unstable_by(order);
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_was_bought_of_late_is_ahead_of_what_was_bought_more_often_long_ago() {
        let now = Timestamp::UNIX_EPOCH + TimeDelta::days(20_000);
        let [old, new, newer] = [3, 2, 1].map(|n| ProductId::new(Uuid::from_u128(n)));
        let mut popularity = Popularity::new(30.0);
        for days in [100, 100, 100, 100] {
            let at = now - TimeDelta::days(days);
            popularity.ordered(&Basket { at, customer: None, products: vec![old] });
        }
        popularity.ordered(&Basket { at: now, customer: None, products: vec![new, newer] });
        let top = popularity.top(10, now).into_iter().map(|(product, _)| product);
        assert_eq!(top.collect::<Vec<_>>(), [newer, new, old]);
        assert_eq!(popularity.top(1, now)[0].0, newer);
        assert_eq!(popularity.top(0, now), []);
    }

    #[test]
    fn a_shop_that_rests_is_as_it_was_when_it_was_ordered_from_last() {
        let then = Timestamp::UNIX_EPOCH + TimeDelta::days(10_000);
        let [often, once] = [1, 2].map(|n| ProductId::new(Uuid::from_u128(n)));
        let mut popularity = Popularity::new(30.0);
        for products in [vec![once, often], vec![often], vec![often]] {
            popularity.ordered(&Basket { at: then, customer: None, products });
        }
        let years_later = then + TimeDelta::days(6_000);
        assert_eq!(popularity.top(2, years_later), [(often, 3.0), (once, 1.0)]);
        assert_eq!(popularity.of(often, years_later), 3.0);
    }
}
