//! What customers looked at lately: a fold of browsing events, bounded and in memory.

use std::collections::{BTreeSet, HashMap};

use domain::{CustomerId, ProductId, Timestamp};

/// A product that a customer looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Viewed {
    pub(super) product_id: ProductId,
    pub(super) times: u32,
    pub(super) last: Timestamp,
}

/// The latest views of the customers who were active last.
#[derive(Debug)]
pub(super) struct Views {
    customers_max: usize,
    products_max: usize,
    customers: HashMap<CustomerId, OfCustomer>,
    /// Whoever was active least recently comes first.
    by_activity: BTreeSet<(Timestamp, CustomerId)>,
}

#[derive(Debug, Default)]
struct OfCustomer {
    last: Timestamp,
    products: Vec<Viewed>,
}

impl Views {
    /// Remembers at most `products_max` products for each of at most `customers_max` customers.
    pub(super) fn new(customers_max: usize, products_max: usize) -> Self {
        let (customers, by_activity) = (HashMap::new(), BTreeSet::new());
        Self { customers_max, products_max, customers, by_activity }
    }

    pub(super) fn viewed(
        &mut self,
        customer: CustomerId,
        product: ProductId,
        times: u32,
        at: Timestamp,
    ) {
        if self.customers_max == 0 || self.products_max == 0 {
            return;
        }
        let known = self.customers.entry(customer).or_default();
        self.by_activity.remove(&(known.last, customer));
        known.last = known.last.max(at);
        self.by_activity.insert((known.last, customer));
        match known.products.iter_mut().find(|viewed| viewed.product_id == product) {
            Some(viewed) => {
                viewed.times = viewed.times.saturating_add(times);
                viewed.last = viewed.last.max(at);
            }
            None => known.products.push(Viewed { product_id: product, times, last: at }),
        }
        if known.products.len() > self.products_max {
            let oldest = (known.products.iter().enumerate())
                .min_by_key(|(_, viewed)| (viewed.last, viewed.product_id))
                .map(|(at, _)| at);
            if let Some(oldest) = oldest {
                known.products.swap_remove(oldest);
            }
        }
        while self.customers.len() > self.customers_max {
            let Some((_, idle)) = self.by_activity.pop_first() else { break };
            self.customers.remove(&idle);
        }
    }

    /// What a customer looked at since then.
    pub(super) fn of_customer(&self, customer: CustomerId, since: Timestamp) -> Vec<Viewed> {
        let products = self.customers.get(&customer).map_or(&[][..], |known| &known.products);
        products.iter().filter(|viewed| viewed.last >= since).copied().collect()
    }

    /// Forgets what was last looked at before then; the customers of whom anything was.
    pub(super) fn drop_before(&mut self, then: Timestamp) -> Vec<CustomerId> {
        let mut concerned = Vec::new();
        for (customer, known) in &mut self.customers {
            let before = known.products.len();
            known.products.retain(|viewed| viewed.last >= then);
            if known.products.len() < before {
                concerned.push(*customer);
            }
        }
        concerned.sort_unstable();
        let gone = |customer: &&CustomerId| {
            self.customers.get(customer).is_some_and(|known| known.products.is_empty())
        };
        let gone: Vec<CustomerId> = concerned.iter().filter(gone).copied().collect();
        gone.into_iter().for_each(|customer| self.forget(customer));
        concerned
    }

    pub(super) fn forget(&mut self, customer: CustomerId) {
        if let Some(known) = self.customers.remove(&customer) {
            self.by_activity.remove(&(known.last, customer));
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn customer(number: u128) -> CustomerId {
        CustomerId::new(Uuid::from_u128(number))
    }

    fn product(number: u128) -> ProductId {
        ProductId::new(Uuid::from_u128(number))
    }

    #[test]
    fn the_oldest_product_and_the_idlest_customer_go_first() {
        let mut views = Views::new(2, 2);
        for (c, p, seconds) in [(1, 1, 10), (1, 2, 5), (1, 3, 20), (2, 1, 30), (3, 1, 25)] {
            views.viewed(customer(c), product(p), 1, at(seconds));
        }
        // Customer 1 was idle longest, though not the first to come is what decides.
        assert_eq!(views.of_customer(customer(1), at(0)), []);
        assert_eq!(views.of_customer(customer(2), at(0)).len(), 1);
        views.viewed(customer(2), product(2), 1, at(31));
        views.viewed(customer(2), product(3), 1, at(32));
        let mut kept: Vec<_> =
            views.of_customer(customer(2), at(0)).iter().map(|v| v.product_id).collect();
        kept.sort();
        assert_eq!(kept, [product(2), product(3)]);
    }

    #[test]
    fn what_is_too_old_is_not_told_and_dropped() {
        let mut views = Views::new(9, 9);
        for (c, p, seconds) in [(1, 1, 10), (1, 2, 20), (2, 1, 10), (3, 1, 20)] {
            views.viewed(customer(c), product(p), 1, at(seconds));
        }
        let kept = views.of_customer(customer(1), at(20));
        assert_eq!(kept.iter().map(|viewed| viewed.product_id).collect::<Vec<_>>(), [product(2)]);
        assert_eq!(views.of_customer(customer(2), at(11)), []);
        assert_eq!(views.drop_before(at(20)), [customer(1), customer(2)]);
        assert_eq!(views.drop_before(at(20)), []);
        assert_eq!((views.customers.len(), views.by_activity.len()), (2, 2));
        assert_eq!(views.of_customer(customer(1), at(0)).len(), 1);
    }

    proptest! {
        #[test]
        fn bounds_hold_and_the_forgotten_are_gone(
            events in prop::collection::vec((0u128..8, 0u128..8, 0u32..3, 0i64..50), 0..200)
        ) {
            let mut views = Views::new(4, 3);
            for (c, p, times, seconds) in events {
                views.viewed(customer(c), product(p), times, at(seconds));
                prop_assert!(views.customers.len() <= 4);
                prop_assert_eq!(views.customers.len(), views.by_activity.len());
                prop_assert!(views.customers.values().all(|known| known.products.len() <= 3));
            }
            for number in 0..8 {
                views.forget(customer(number));
                prop_assert!(views.of_customer(customer(number), at(0)).is_empty());
            }
            prop_assert!(views.by_activity.is_empty());
        }
    }
}
