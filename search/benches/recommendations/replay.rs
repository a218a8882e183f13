//! The orders as they came: at each moment only what came before it is known.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;

use chrono::TimeDelta;
use domain::{CustomerId, ProductId, Timestamp};
use search::{Basket, Bought, Purchases, PurchasesError};

use crate::orders::Orders;

/// Customers whose last basket comes in the first weeks are left out: nothing is learned yet.
const WEEKS_LEFT_OUT: i64 = 4;

/// A customer's last basket, held out.
pub(crate) struct Case {
    pub(crate) customer: CustomerId,
    /// When it was ordered.
    pub(crate) at: Timestamp,
    pub(crate) truth: Vec<ProductId>,
    /// What the customer bought before.
    pub(crate) bought: Vec<Bought>,
    /// Products of the basket before it.
    pub(crate) last: Vec<ProductId>,
    /// Of the half that settings are chosen by; the other half is reported.
    pub(crate) tuning: bool,
}

/// Cases by the start of their week: models know what was ordered before that, and no more.
pub(crate) fn cases(orders: &Orders) -> BTreeMap<Timestamp, Vec<Case>> {
    let start = orders.baskets.first().map_or(Timestamp::UNIX_EPOCH, |basket| basket.at);
    let mut weeks: BTreeMap<Timestamp, Vec<Case>> = BTreeMap::new();
    for (customer, places) in &orders.customers {
        let Some((held_out, before)) = places.split_last() else { continue };
        let basket = &orders.baskets[*held_out];
        let week = (basket.at - start).num_weeks();
        if week < WEEKS_LEFT_OUT {
            continue;
        }
        let mut bought: BTreeMap<ProductId, Bought> = BTreeMap::new();
        for basket in before.iter().map(|place| &orders.baskets[*place]) {
            for product in &basket.products {
                let nothing = Bought { product_id: *product, orders: 0, last: basket.at };
                let bought = bought.entry(*product).or_insert(nothing);
                bought.orders += 1;
                bought.last = basket.at;
            }
        }
        let last =
            before.last().map_or_else(Vec::new, |place| orders.baskets[*place].products.clone());
        weeks.entry(start + TimeDelta::weeks(week)).or_default().push(Case {
            customer: *customer,
            at: basket.at,
            truth: basket.products.clone(),
            bought: bought.into_values().collect(),
            last,
            tuning: crc32fast::hash(customer.uuid().as_bytes()) & 1 == 0,
        });
    }
    weeks
}

/// What is known at one moment.
pub(crate) struct AsOf {
    pub(crate) orders: Arc<Orders>,
    pub(crate) now: Timestamp,
    pub(crate) customers: BTreeMap<CustomerId, Vec<Bought>>,
}

impl AsOf {
    fn known(&self) -> &[Basket] {
        let baskets = &self.orders.baskets;
        &baskets[..baskets.partition_point(|basket| basket.at < self.now)]
    }
}

impl Purchases for AsOf {
    fn of_customer(&self, customer: CustomerId) -> Result<Vec<Bought>, PurchasesError> {
        Ok(self.customers.get(&customer).cloned().unwrap_or_default())
    }

    fn popular(&self, _limit: usize) -> Result<Vec<ProductId>, PurchasesError> {
        Ok(Vec::new())
    }

    fn baskets(&self, tell: &mut dyn FnMut(&Basket)) -> Result<(), PurchasesError> {
        self.known().iter().for_each(tell);
        Ok(())
    }
}
