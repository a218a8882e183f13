//! Filters, prices, and what the shop does not know.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::pricing::Tier;
use domain::{CategoryId, Currency, ProductId};
use journal::Position;
use uuid::Uuid;

use super::shop::{Near, Shop, Words, browse, category, document, id, now, numbers, text};
use crate::{
    AttributeFacets, Changes, FacetRequest, Filter, FindError, Finder, FinderOptions, FinderParts,
    Freshness, Order, PriceBounds, Request, Shelf, Shopper,
};

#[tokio::test]
async fn the_newest_come_first_where_nothing_is_searched_for() {
    let shop = Shop::new(5).await;
    let found = shop.ask(&Request { limit: 3, ..browse() }).await;
    assert_eq!(numbers(&found), [1_100, 1_099, 1_098]);
    assert_eq!(found.found_by.name(), "browse");
    let by_price = Request { order: Some(Order::PriceAscending), limit: 3, ..browse() };
    assert_eq!(numbers(&shop.ask(&by_price).await), [1, 2, 3]);
}

#[tokio::test]
async fn prices_are_those_of_who_asks() {
    let shop = Shop::new(1).await;
    for (tier, minor) in [(Tier::Retail, 100), (Tier::Wholesale, 50)] {
        let shopper = Shopper { tier, customer: None };
        let found = shop.ask(&Request { shopper, ..text("mug") }).await;
        let prices = &found.products[0].product.lowest_prices;
        assert_eq!(prices.values().copied().collect::<Vec<_>>(), [minor]);
    }
}

#[tokio::test]
async fn prices_are_counted_between_given_bounds_or_those_of_the_shop() {
    let shop = Shop::new(5).await;
    let own = PriceBounds::Own(vec![200, 400]);
    let found = shop.ask(&Request { price_bounds: own, ..text("mug") }).await;
    let counts: Vec<u64> = found.buckets.iter().map(|bucket| bucket.count).collect();
    assert_eq!(counts, [1, 2, 2]);
    let suggested = PriceBounds::Suggested;
    let found = shop.ask(&Request { price_bounds: suggested.clone(), ..browse() }).await;
    let bounds = shop.finder.shelf().price_bounds(Currency::GBP, Tier::Retail, now());
    assert!(!bounds.is_empty());
    assert_eq!(found.buckets.len(), bounds.len() + 1);
    assert_eq!(found.buckets.iter().map(|bucket| bucket.count).sum::<u64>(), 105);
    let without = Request { price_bounds: suggested, currency: None, ..browse() };
    assert_eq!(shop.ask(&without).await.buckets, []);
}

#[tokio::test]
async fn what_the_shop_does_not_have_is_refused_by_name() {
    let shop = Shop::new(5).await;
    let nowhere = CategoryId::new(Uuid::from_u128(77));
    let in_category =
        |id| Request { filter: Filter { category: Some(id), ..Filter::default() }, ..browse() };
    assert_eq!(shop.ask(&in_category(category(2))).await.total, 52);
    assert_eq!(shop.refused(&in_category(nowhere)).await, "category");
    let with = |name: &str, value: &str| {
        let attributes = [(name.to_owned(), [value.to_owned()].into())].into();
        Request { filter: Filter { attributes, ..Filter::default() }, ..browse() }
    };
    assert_eq!(shop.refused(&with("size", "l")).await, "attributes.size");
    assert_eq!(shop.ask(&with("colour", "mauve")).await.total, 0);
    let attributes = AttributeFacets::Named(["size".to_owned()].into());
    let counted = FacetRequest { attributes, ..FacetRequest::default() };
    assert_eq!(shop.refused(&Request { facets: counted, ..browse() }).await, "facets");
}

/// As long as nothing was put on the shelf, nobody can tell what there is.
#[tokio::test]
async fn an_empty_shelf_is_only_believed_of_an_empty_shop() {
    let shop = Shop::new(5).await;
    let beginning = Finder::new(FinderParts {
        engine: shop.engine.clone(),
        shelf: Shelf::default(),
        vectors: None,
        purchases: None,
        engine_at: Freshness::default(),
        shelf_at: Freshness::default(),
        options: FinderOptions::default(),
    });
    let unavailable =
        async || matches!(beginning.find(&browse()).await, Err(FindError::Unavailable(_)));
    assert!(unavailable().await);
    shop.engine.is_filled.store(false, Ordering::Relaxed);
    assert!(unavailable().await);
    // Nor is anything taken for what is for sale, be it made up or not.
    beginning.shelf().apply(&Changes { documents: vec![document(1, "mug")], ..Changes::default() });
    assert!(!beginning.is_for_sale(id(1)) && !beginning.is_for_sale(id(77)));
    assert!(shop.finder.is_for_sale(id(1)) && !shop.finder.is_for_sale(id(77)));
}

#[tokio::test]
async fn an_engine_that_is_away_is_no_empty_answer() {
    let shop = Shop::new(5).await;
    shop.engine.is_away.store(true, Ordering::Relaxed);
    assert!(shop.is_unavailable(&browse()).await);
    assert!(shop.is_unavailable(&text("mug")).await);
}

#[tokio::test]
async fn a_hit_that_is_no_longer_for_sale_is_left_out() {
    let shop = Shop::new(5).await;
    // The engine lags behind the shelf.
    let shelf = shop.finder.shelf();
    let ahead = Finder::new(FinderParts {
        engine: shop.engine.clone(),
        shelf: Shelf::default(),
        vectors: None,
        purchases: None,
        engine_at: Freshness::default(),
        shelf_at: Freshness::new(Position(1)),
        options: FinderOptions::default(),
    });
    let left = [document(5, "mug"), document(3, "mug")];
    ahead.shelf().apply(&Changes { documents: left.to_vec(), ..Changes::default() });
    let found = ahead.find(&Request { explain: true, ..text("mug") }).await.unwrap();
    assert_eq!((numbers(&found), found.total), (vec![5, 3], 5));
    let ranks: Vec<usize> = found
        .products
        .iter()
        .map(|found| found.explanation.as_ref().unwrap().text.as_ref().unwrap().rank)
        .collect();
    assert_eq!(ranks, [1, 3]);
    let all: Vec<ProductId> = [1, 2, 3, 4, 5].map(id).to_vec();
    assert!(all.iter().all(|id| shelf.contains(*id)));
}

#[tokio::test(start_paused = true)]
async fn a_server_elsewhere_has_one_limit_for_all_that_it_is_asked() {
    let engine = Arc::new(Words::default());
    let finder = Finder::new(FinderParts {
        engine: Arc::clone(&engine) as _,
        shelf: engine.shelf.clone(),
        vectors: Some(Arc::new(Near::default())),
        purchases: None,
        engine_at: Freshness::default(),
        shelf_at: Freshness::new(Position(1)),
        options: FinderOptions {
            engine_patience: Some(Duration::from_secs(2)),
            ..FinderOptions::default()
        },
    });
    let narrowed = Filter { in_stock: Some(true), ..Filter::default() };
    let request = Request { filter: narrowed, ..text("mug") };
    assert_eq!(finder.find(&request).await.unwrap().total, 0);
    assert!(engine.searches.load(Ordering::Relaxed) > 1, "it is asked more than once");
    engine.takes_ms.store(1_500, Ordering::Relaxed);
    let began = tokio::time::Instant::now();
    let late = finder.find(&request).await;
    assert!(matches!(late, Err(FindError::Unavailable(_))), "{late:?}");
    assert_eq!(began.elapsed().as_secs(), 2);
}
