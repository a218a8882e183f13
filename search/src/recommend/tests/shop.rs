//! A shop to recommend from: orders and likeness that a test writes down.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use domain::product::ProductStatus;
use domain::{CategoryId, CustomerId, ProductId, SellerId, Timestamp};
use projections::catalogue::{NamedCategory, SearchDocument, Stars};
use uuid::Uuid;

use crate::recommend::{
    Basket, Bought, Likeness, Purchases, PurchasesError, RecommendSettings, Recommender,
};
use crate::{Changes, Neighbour};

pub(super) fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH + TimeDelta::days(20_000)
}

pub(super) fn product(number: u128) -> ProductId {
    ProductId::new(Uuid::from_u128(number))
}

pub(super) fn customer(number: u128) -> CustomerId {
    CustomerId::new(Uuid::from_u128(number))
}

/// A product of category `number / 100`.
pub(super) fn document(number: u128) -> SearchDocument {
    let category_id = CategoryId::new(Uuid::from_u128(number / 100));
    SearchDocument {
        number: number as i64,
        product_id: product(number),
        seller_id: SellerId::new(Uuid::from_u128(1)),
        status: ProductStatus::Active,
        name: format!("product {number}"),
        description: String::new(),
        brand: None,
        tags: BTreeSet::new(),
        categories: vec![NamedCategory { category_id, name: String::new() }],
        attributes: BTreeMap::new(),
        prices: Vec::new(),
        in_stock: true,
        stars: Stars::default(),
        created_at: now(),
    }
}

pub(super) fn basket(days_ago: i64, by: u128, products: &[u128]) -> Basket {
    Basket {
        at: now() - TimeDelta::days(days_ago),
        customer: Some(customer(by)),
        products: products.iter().map(|number| product(*number)).collect(),
    }
}

#[derive(Default)]
pub(super) struct Orders {
    pub(super) baskets: Mutex<Vec<Basket>>,
    pub(super) asked: Mutex<usize>,
    pub(super) down: Mutex<bool>,
}

impl Orders {
    fn answer<T>(&self, answer: T) -> Result<T, PurchasesError> {
        *self.asked.lock().unwrap() += 1;
        if *self.down.lock().unwrap() { Err(PurchasesError("down".into())) } else { Ok(answer) }
    }
}

impl Purchases for Orders {
    fn of_customer(&self, customer: CustomerId) -> Result<Vec<Bought>, PurchasesError> {
        let mut bought: BTreeMap<ProductId, Bought> = BTreeMap::new();
        for basket in self.baskets.lock().unwrap().iter() {
            for product in basket.products.iter().filter(|_| basket.customer == Some(customer)) {
                let nothing = Bought { product_id: *product, orders: 0, last: basket.at };
                let bought = bought.entry(*product).or_insert(nothing);
                bought.orders += 1;
                bought.last = bought.last.max(basket.at);
            }
        }
        self.answer(bought.into_values().collect())
    }

    fn popular(&self, limit: usize) -> Result<Vec<ProductId>, PurchasesError> {
        let baskets = self.baskets.lock().unwrap();
        let products = baskets.iter().flat_map(|basket| basket.products.clone());
        let products: BTreeSet<ProductId> = products.collect();
        self.answer(products.into_iter().take(limit).collect())
    }

    fn baskets(&self, tell: &mut dyn FnMut(&Basket)) -> Result<(), PurchasesError> {
        let baskets = self.baskets.lock().unwrap().clone();
        baskets.iter().for_each(tell);
        self.answer(())
    }
}

/// Products of one hundred are alike, the nearer in number the more.
#[derive(Default)]
pub(super) struct Alike {
    pub(super) products: Mutex<BTreeSet<ProductId>>,
    pub(super) changed: Mutex<BTreeSet<ProductId>>,
    pub(super) asked: Mutex<usize>,
}

impl Likeness for Alike {
    fn like_each(&self, products: &[ProductId], k: usize) -> Vec<Vec<Neighbour>> {
        *self.asked.lock().unwrap() += products.len();
        let all = self.products.lock().unwrap();
        let like = products.iter().map(|product| {
            let number = product.uuid().as_u128();
            let others = all.iter().map(|other| (other.uuid().as_u128(), *other));
            let mut like: Vec<Neighbour> = others
                .filter(|(other, _)| *other != number && other / 100 == number / 100)
                .map(|(other, product_id)| Neighbour {
                    product_id,
                    similarity: 1.0 - other.abs_diff(number) as f32 / 100.0,
                })
                .collect();
            like.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
            like.truncate(k);
            like
        });
        like.collect()
    }

    fn take_changed(&self) -> Vec<ProductId> {
        std::mem::take(&mut *self.changed.lock().unwrap()).into_iter().collect()
    }
}

pub(super) struct Shop {
    pub(super) orders: Arc<Orders>,
    pub(super) alike: Arc<Alike>,
    pub(super) recommender: Recommender,
}

impl Shop {
    pub(super) fn new(settings: RecommendSettings) -> Self {
        let (orders, alike) = (Arc::new(Orders::default()), Arc::new(Alike::default()));
        let recommender =
            Recommender::new(settings, Arc::clone(&orders) as _, Arc::clone(&alike) as _).unwrap();
        Self { orders, alike, recommender }
    }

    /// Puts products on sale; text vectors know of them at once.
    pub(super) fn sells(self, numbers: impl IntoIterator<Item = u128>) -> Self {
        let documents: Vec<_> = numbers.into_iter().map(document).collect();
        let ids = documents.iter().map(|document| document.product_id);
        self.alike.products.lock().unwrap().extend(ids.clone());
        self.alike.changed.lock().unwrap().extend(ids);
        self.recommender.apply(&Changes { documents, ..Changes::default() });
        self
    }

    /// Orders that were there before the start.
    pub(super) fn sold(self, baskets: impl IntoIterator<Item = Basket>) -> Self {
        self.orders.baskets.lock().unwrap().extend(baskets);
        self
    }

    pub(super) fn order(&self, basket: Basket) {
        self.orders.baskets.lock().unwrap().push(basket.clone());
        self.recommender.ordered(&basket);
    }

    pub(super) fn settle(&self) {
        self.settle_at(now());
    }

    pub(super) fn settle_at(&self, now: Timestamp) {
        for _ in 0..1_000 {
            if !self.recommender.work(now).unwrap() {
                return;
            }
        }
        panic!("there is always more to do");
    }
}
