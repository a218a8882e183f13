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
    products: HashMap<ProductId, DecayingSum>,
}

impl Popularity {
    pub(super) fn new(half_life_days: f64) -> Self {
        Self { half_life_days, products: HashMap::new() }
    }

    pub(super) fn ordered(&mut self, basket: &Basket) {
        for product in &basket.products {
            self.products.entry(*product).or_default().add(1.0, basket.at, self.half_life_days);
        }
    }

    pub(super) fn of(&self, product: ProductId, now: Timestamp) -> f32 {
        self.products.get(&product).map_or(0.0, |sum| sum.at(now, self.half_life_days))
    }

    /// The most popular, the first most of all.
    pub(super) fn top(&self, limit: usize, now: Timestamp) -> Vec<(ProductId, f32)> {
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
}
