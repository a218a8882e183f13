//! How long a start takes for a shop of 100,000 products with 10,000 customers and 200,000 orders,
//! and how long a page then takes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use chrono::TimeDelta;
use domain::{CustomerId, ProductId, Timestamp};
use search::{
    Basket, Bought, Changes, Likeness, Neighbour, Purchases, PurchasesError, RecommendSettings,
    Recommender,
};
use uuid::Uuid;

use crate::shop::document;

const PRODUCTS: u64 = 100_000;
const CUSTOMERS: u64 = 10_000;
const ORDERS: u64 = 200_000;

struct Made {
    baskets: Vec<Basket>,
    customers: BTreeMap<CustomerId, Vec<Bought>>,
}

/// Xorshift (Marsaglia 2003).
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn make(now: Timestamp) -> Made {
    let mut random = 88_172_645_463_325_252;
    let mut made = Made { baskets: Vec::new(), customers: BTreeMap::new() };
    for order in 0..ORDERS {
        let at = now - TimeDelta::seconds(((ORDERS - order) * 100) as i64);
        let by = next(&mut random) % CUSTOMERS;
        let customer = CustomerId::new(Uuid::from_u128(u128::from(by) + 1));
        // Some products are bought far more often than others, and a customer stays with a kind.
        let products: Vec<ProductId> = (0..1 + next(&mut random) % 8)
            .map(|_| {
                let rare = (next(&mut random) % 1_000).pow(2) / 1_000;
                ProductId::new(Uuid::from_u128(u128::from((by % 100) * 1_000 + rare) + 1))
            })
            .collect();
        let all = made.customers.entry(customer).or_default();
        for product_id in &products {
            match all.iter_mut().find(|bought| bought.product_id == *product_id) {
                Some(bought) => (bought.orders, bought.last) = (bought.orders + 1, at),
                None => all.push(Bought { product_id: *product_id, orders: 1, last: at }),
            }
        }
        made.baskets.push(Basket { at, customer: Some(customer), products });
    }
    made
}

impl Purchases for Made {
    fn of_customer(&self, customer: CustomerId) -> Result<Vec<Bought>, PurchasesError> {
        Ok(self.customers.get(&customer).cloned().unwrap_or_default())
    }

    fn popular(&self, _limit: usize) -> Result<Vec<ProductId>, PurchasesError> {
        Ok(Vec::new())
    }

    fn baskets(&self, tell: &mut dyn FnMut(&Basket)) -> Result<(), PurchasesError> {
        self.baskets.iter().for_each(tell);
        Ok(())
    }
}

/// Lists of similar products are measured with the vectors they are made of.
struct Nothing;

impl Likeness for Nothing {
    fn like_each(&self, products: &[ProductId], _k: usize) -> Vec<Vec<Neighbour>> {
        vec![Vec::new(); products.len()]
    }

    fn take_changed(&self) -> Vec<ProductId> {
        Vec::new()
    }
}

pub(crate) fn measure() {
    let now = Timestamp::UNIX_EPOCH + TimeDelta::days(20_000);
    let settings = RecommendSettings::default();
    let recommender = Recommender::new(settings, Arc::new(make(now)), Arc::new(Nothing)).unwrap();
    let documents = (1..=PRODUCTS)
        .map(|n| document(n as i64, ProductId::new(Uuid::from_u128(u128::from(n))), "product"));
    recommender.apply(&Changes { documents: documents.collect(), ..Changes::default() });
    let start = Instant::now();
    recommender.train(now).unwrap();
    println!("training: {:.1} s", start.elapsed().as_secs_f64());
    let pages = |what: &str| {
        let mut took: Vec<f64> = (1..=CUSTOMERS)
            .map(|customer| {
                let customer = Some(CustomerId::new(Uuid::from_u128(u128::from(customer))));
                let start = Instant::now();
                recommender.home(customer, 10, now, &|_| true).unwrap();
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        let all: f64 = took.iter().sum::<f64>() / 1e3;
        took.sort_by(f64::total_cmp);
        let [half, most] = [0.5, 0.99].map(|share| took[(took.len() as f64 * share) as usize]);
        println!("{what}: p50 {half:.3} ms, p99 {most:.3} ms, {CUSTOMERS} in {all:.1} s");
    };
    pages("a page made on the spot");
    pages("a page that is ready");
}
