//! Hit rate and NDCG at 10.

use std::collections::BTreeSet;

use domain::ProductId;

const AT: usize = 10;

/// Means over customers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Score {
    hits: f64,
    gain: f64,
    customers: f64,
}

impl Score {
    /// A list of ten against what the customer then bought; each product of it is worth the same.
    pub(crate) fn add(&mut self, list: &[ProductId], truth: &[ProductId]) {
        let truth: BTreeSet<_> = truth.iter().collect();
        let discount = |place: usize| 1.0 / (place as f64 + 2.0).log2();
        let found = list.iter().take(AT).enumerate().filter(|(_, product)| truth.contains(product));
        let gain: f64 = found.map(|(place, _)| discount(place)).sum();
        let ideal: f64 = (0..truth.len().min(AT)).map(discount).sum();
        self.customers += 1.0;
        self.hits += f64::from(gain > 0.0);
        self.gain += gain / ideal;
    }

    pub(crate) fn hit_rate(&self) -> f64 {
        self.hits / self.customers
    }

    pub(crate) fn ndcg(&self) -> f64 {
        self.gain / self.customers
    }

    pub(crate) fn customers(&self) -> f64 {
        self.customers
    }
}
