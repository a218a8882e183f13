//! A shop of mugs and pots, an engine that finds words of names, and likeness made by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::pricing::Tier;
use domain::product::ProductStatus;
use domain::{CategoryId, Currency, CustomerId, ProductId, SellerId, Timestamp};
use embeddings::EmbedError;
use journal::{JournalId, Position};
use projections::catalogue::{
    CategoryView, NamedCategory, SearchDocument, Stars, TierKey, TierPrice,
};
use uuid::Uuid;

use crate::recommend::{Basket, Bought, Purchases, PurchasesError};
use crate::{
    Answer, Changes, FacetRequest, Filled, Filter, FindError, Finder, FinderOptions, FinderParts,
    Findings, Freshness, Fusion, Mode, NearInMeaning, Neighbour, PriceBounds, Question, Request,
    SearchEngine, SearchError, SemanticError, Shelf, Shopper, Start, embedded,
};

pub(super) fn now() -> Timestamp {
    Timestamp::from_timestamp_nanos(1_900_000_000_000_000_000)
}

pub(super) fn id(number: u32) -> ProductId {
    ProductId::new(Uuid::from_u128(u128::from(number)))
}

pub(super) fn category(number: u128) -> CategoryId {
    CategoryId::new(Uuid::from_u128(number))
}

/// 1 above 2 and 3.
pub(super) fn categories() -> Vec<CategoryView> {
    let view = |number, parent: Option<u128>, lft, rgt, depth| CategoryView {
        category_id: category(number),
        parent_id: parent.map(category),
        name: format!("category {number}"),
        slug: format!("c{number}"),
        lft,
        rgt,
        depth,
        path: format!("c{number}"),
    };
    vec![view(1, None, 1, 6, 0), view(2, Some(1), 2, 3, 1), view(3, Some(1), 4, 5, 1)]
}

/// Costs as many pounds as its number; half of it wholesale.
pub(super) fn document(number: u32, name: &str) -> SearchDocument {
    let own = if number.is_multiple_of(2) { 2 } else { 3 };
    let named = |number| NamedCategory { category_id: category(number), name: String::new() };
    let price = |tier, minor| TierPrice {
        tier,
        currency: Currency::GBP,
        from_ns: i64::MIN,
        until_ns: i64::MAX,
        minor,
    };
    let pence = i64::from(number) * 100;
    let colour = if number.is_multiple_of(3) { "red" } else { "blue" };
    SearchDocument {
        number: i64::from(number),
        product_id: id(number),
        seller_id: SellerId::new(Uuid::from_u128(9)),
        status: ProductStatus::Active,
        name: name.to_owned(),
        description: String::new(),
        brand: Some(format!("brand {}", number % 4)),
        tags: BTreeSet::new(),
        categories: vec![named(1), named(own)],
        attributes: BTreeMap::from([("colour".to_owned(), BTreeSet::from([colour.to_owned()]))]),
        prices: vec![price(TierKey::Retail, pence), price(TierKey::Wholesale, pence / 2)],
        in_stock: true,
        stars: Stars::default(),
        created_at: now(),
    }
}

/// Finds products by words of their names; those with more of the words come first.
#[derive(Default)]
pub(super) struct Words {
    pub(super) shelf: Shelf,
    names: Mutex<BTreeMap<i64, String>>,
    pub(super) is_away: AtomicBool,
    pub(super) is_filled: AtomicBool,
    pub(super) searches: AtomicUsize,
    /// Each search takes so long.
    pub(super) takes_ms: AtomicU64,
}

#[async_trait]
impl SearchEngine for Words {
    fn name(&self) -> &'static str {
        "words"
    }

    async fn filled(&self) -> Result<Option<Filled>, SearchError> {
        let filled = Filled { journal: JournalId::nil(), generation: 1, position: Position(1) };
        Ok(self.is_filled.load(Ordering::Relaxed).then_some(filled))
    }

    async fn apply(&self, changes: Changes, _: Filled, _: Filled) -> Result<(), SearchError> {
        let mut names = self.names.lock().unwrap();
        for document in &changes.documents {
            names.insert(document.number, document.name.clone());
        }
        self.shelf.apply(&changes);
        self.is_filled.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn begin(&self) -> Result<(), SearchError> {
        Ok(())
    }

    async fn fill(&self, _: Changes) -> Result<(), SearchError> {
        Ok(())
    }

    async fn swap(&self, _: Filled) -> Result<(), SearchError> {
        Ok(())
    }

    async fn search(&self, question: &Question) -> Result<Findings, SearchError> {
        self.searches.fetch_add(1, Ordering::Relaxed);
        let takes = Duration::from_millis(self.takes_ms.load(Ordering::Relaxed));
        tokio::time::sleep(takes).await;
        if self.is_away.load(Ordering::Relaxed) {
            return Err(SearchError::Unavailable("away".to_owned()));
        }
        let names = self.names.lock().unwrap();
        let score = |name: &str, text: &str| {
            text.split(' ').filter(|word| name.split(' ').any(|of| of == *word)).count()
        };
        let matches = question.text.as_ref().map(|text| {
            let scored = names.iter().map(|(number, name)| (*number, score(name, text) as f32));
            scored.filter(|(_, score)| *score > 0.0).collect::<Vec<_>>()
        });
        Ok(embedded::answer(&self.shelf.read(), question, matches.as_deref()))
    }
}

/// The nearest to every text are these, in this order.
#[derive(Default)]
pub(super) struct Near {
    pub(super) numbers: Mutex<Vec<u32>>,
    pub(super) is_broken: AtomicBool,
    pub(super) asked: AtomicUsize,
    pub(super) fusion: Fusion,
}

impl NearInMeaning for Near {
    fn neighbours(&self, _: &str, k: usize) -> Result<Vec<Neighbour>, SemanticError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.is_broken.load(Ordering::Relaxed) {
            return Err(EmbedError::Model("broken".to_owned()).into());
        }
        let numbers = self.numbers.lock().unwrap();
        let near = numbers.iter().take(k).enumerate().map(|(rank, number)| Neighbour {
            product_id: id(*number),
            similarity: 1.0 / (rank as f32 + 1.0),
        });
        Ok(near.collect())
    }

    fn fusion(&self) -> Fusion {
        self.fusion
    }
}

/// Everybody bought these.
#[derive(Default)]
pub(super) struct BoughtThese(pub(super) Vec<u32>);

impl Purchases for BoughtThese {
    fn of_customer(&self, _: CustomerId) -> Result<Vec<Bought>, PurchasesError> {
        let bought = |number: &u32| Bought { product_id: id(*number), orders: 1, last: now() };
        Ok(self.0.iter().map(bought).collect())
    }

    fn popular(&self, _: usize) -> Result<Vec<ProductId>, PurchasesError> {
        Ok(Vec::new())
    }

    fn baskets(&self, _: &mut dyn FnMut(&Basket)) -> Result<(), PurchasesError> {
        Ok(())
    }
}

pub(super) struct Shop {
    pub(super) engine: Arc<Words>,
    pub(super) near: Arc<Near>,
    pub(super) finder: Finder,
}

impl Shop {
    /// Products 1 to `mugs` are mugs, a hundred more are pots; no likeness, no purchases.
    pub(super) async fn new(mugs: u32) -> Self {
        Self::with(mugs, Near::default(), BoughtThese::default(), true).await
    }

    pub(super) async fn with(mugs: u32, near: Near, bought: BoughtThese, likeness: bool) -> Self {
        let engine = Arc::new(Words::default());
        let near = Arc::new(near);
        let vectors: Option<Arc<dyn NearInMeaning>> =
            if likeness { Some(Arc::clone(&near) as Arc<dyn NearInMeaning>) } else { None };
        let finder = Finder::new(FinderParts {
            engine: Arc::clone(&engine) as Arc<dyn SearchEngine>,
            shelf: engine.shelf.clone(),
            vectors,
            purchases: Some(Arc::new(bought)),
            engine_at: Freshness::default(),
            shelf_at: Freshness::new(Position(1)),
            options: FinderOptions::default(),
        });
        let shop = Self { engine, near, finder };
        let mugs = (1..=mugs).map(|number| document(number, "mug"));
        let pots = (1_001..=1_100).map(|number| document(number, "pot"));
        shop.put(mugs.chain(pots), []).await;
        shop
    }

    pub(super) async fn put(
        &self,
        documents: impl IntoIterator<Item = SearchDocument>,
        removed: impl IntoIterator<Item = u32>,
    ) {
        let changes = Changes {
            documents: documents.into_iter().collect(),
            removed: removed.into_iter().map(id).collect(),
            categories: Some(categories()),
        };
        let filled = Filled { journal: JournalId::nil(), generation: 1, position: Position(1) };
        self.engine.apply(changes, filled, filled).await.unwrap();
    }

    pub(super) async fn ask(&self, request: &Request) -> Answer {
        self.finder.find(request).await.unwrap()
    }

    /// The field that is refused.
    pub(super) async fn refused(&self, request: &Request) -> String {
        match self.finder.find(request).await {
            Err(FindError::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn is_unavailable(&self, request: &Request) -> bool {
        matches!(self.finder.find(request).await, Err(FindError::Unavailable(_)))
    }
}

pub(super) fn browse() -> Request {
    Request {
        text: None,
        mode: Mode::Auto,
        filter: Filter::default(),
        order: None,
        shopper: Shopper { tier: Tier::Retail, customer: None },
        currency: Some(Currency::GBP),
        now: now(),
        start: Start::Page(1),
        limit: 10,
        facets: FacetRequest { category: true, brand: true, values_max: 10, ..Default::default() },
        price_bounds: PriceBounds::None,
        explain: false,
    }
}

pub(super) fn text(text: &str) -> Request {
    Request { text: Some(text.to_owned()), ..browse() }
}

pub(super) fn numbers(answer: &Answer) -> Vec<u32> {
    let number = |id: ProductId| u32::try_from(id.uuid().as_u128()).unwrap();
    answer.products.iter().map(|found| number(found.product.product_id)).collect()
}
