//! When products that are only near in meaning join, and when they do not.

use std::sync::Mutex;
use std::sync::atomic::Ordering;

use super::shop::{BoughtThese, Near, Shop, category, numbers, text};
use crate::{Filter, FoundBy, Fusion, Mode, Order, Request};

async fn near(mugs: u32, numbers: &[u32], fusion: Fusion) -> Shop {
    let near = Near { numbers: Mutex::new(numbers.to_vec()), fusion, ..Near::default() };
    Shop::with(mugs, near, BoughtThese::default(), true).await
}

#[tokio::test]
async fn a_short_list_is_filled_up_with_what_is_near_in_meaning() {
    let shop = near(3, &[2, 1_001, 1_002], Fusion::default()).await;
    let found = shop.ask(&text("mug")).await;
    assert_eq!((numbers(&found), found.total), (vec![3, 2, 1, 1_001, 1_002], 5));
    assert_eq!(found.found_by, FoundBy::Both);
    let found = shop.ask(&Request { mode: Mode::Text, ..text("mug") }).await;
    assert_eq!((found.total, found.found_by), (3, FoundBy::Text));
    let nothing = shop.ask(&text("teapot")).await;
    assert_eq!(numbers(&nothing), [2, 1_001, 1_002]);
}

#[tokio::test]
async fn a_long_list_needs_no_filling_up_however_it_is_filtered() {
    let shop = near(24, &[1_001, 1_002], Fusion::default()).await;
    let found = shop.ask(&text("mug")).await;
    assert_eq!((found.total, found.found_by), (24, FoundBy::Text));
    let filter = Filter { brands: ["brand 1".to_owned()].into(), ..Filter::default() };
    let brand = shop.ask(&Request { filter, ..text("mug") }).await;
    let counted = found.facets.brand.iter().find(|of| of.value == "brand 1").unwrap().count;
    assert_eq!((brand.total, brand.found_by), (counted, FoundBy::Text));
    assert_eq!(shop.near.asked.load(Ordering::Relaxed), 0);
}

/// What is chosen narrows one and the same list, so that a facet's count is what there is when it
/// is chosen.
#[tokio::test]
async fn a_facet_counts_what_there_is_when_it_is_chosen() {
    let shop = near(3, &[2, 1_001, 1_002, 1_003], Fusion::default()).await;
    for mode in [Mode::Auto, Mode::Semantic] {
        let all = shop.ask(&Request { mode, ..text("mug") }).await;
        assert!(!all.facets.brand.is_empty() && !all.facets.category.is_empty());
        for brand in &all.facets.brand {
            let filter = Filter { brands: [brand.value.clone()].into(), ..Filter::default() };
            let one = shop.ask(&Request { mode, filter, ..text("mug") }).await;
            assert_eq!(one.total, brand.count, "{mode:?} {brand:?}");
            assert_eq!(one.facets.brand, all.facets.brand);
        }
        for of in &all.facets.category {
            let filter = Filter { category: Some(of.category_id), ..Filter::default() };
            let one = shop.ask(&Request { mode, filter, ..text("mug") }).await;
            assert_eq!(one.total, of.count, "{mode:?} {of:?}");
        }
    }
}

#[tokio::test]
async fn what_is_only_near_does_not_push_in_where_price_decides() {
    let shop = near(3, &[1_001], Fusion::default()).await;
    let by_price = |words| Request { order: Some(Order::PriceDescending), ..text(words) };
    assert_eq!(numbers(&shop.ask(&by_price("mug")).await), [3, 2, 1]);
    // Rather something than nothing.
    assert_eq!(numbers(&shop.ask(&by_price("teapot")).await), [1_001]);
}

#[tokio::test]
async fn vectors_that_rank_well_are_always_fused() {
    let fusion = Fusion { only_behind: false, semantic_weight: 2.0, ..Fusion::default() };
    let shop = near(30, &[7, 1_001], fusion).await;
    let found = shop.ask(&Request { explain: true, ..text("mug") }).await;
    assert_eq!(numbers(&found)[..3], [7, 1_001, 30]);
    assert_eq!((found.total, found.found_by), (31, FoundBy::Both));
    let why = found.products[0].explanation.as_ref().unwrap();
    assert_eq!(why.semantic.unwrap().rank, 1);
    assert!(why.fused.is_some() && why.text.is_some());
}

#[tokio::test]
async fn likeness_alone_needs_no_engine() {
    let shop = near(3, &[1_002, 2, 1_001], Fusion::default()).await;
    shop.engine.is_away.store(true, Ordering::Relaxed);
    let by_likeness = Request { mode: Mode::Semantic, explain: true, ..text("mug") };
    let found = shop.ask(&by_likeness).await;
    assert_eq!((numbers(&found), found.total), (vec![1_002, 2, 1_001], 3));
    let why = found.products[1].explanation.as_ref().unwrap();
    assert_eq!((why.semantic.unwrap().rank, &why.text), (2, &None));
    let by_price = Request { order: Some(Order::PriceAscending), ..by_likeness.clone() };
    assert_eq!(numbers(&shop.ask(&by_price).await), [2, 1_001, 1_002]);
    let filter = Filter { category: Some(category(3)), ..Filter::default() };
    assert_eq!(numbers(&shop.ask(&Request { filter, ..by_likeness }).await), [1_001]);
}

#[tokio::test]
async fn without_vectors_words_must_do() {
    let none = Shop::with(3, Near::default(), BoughtThese::default(), false).await;
    let broken = near(3, &[1_001], Fusion::default()).await;
    broken.near.is_broken.store(true, Ordering::Relaxed);
    for shop in [&none, &broken] {
        for mode in [Mode::Auto, Mode::Hybrid] {
            let found = shop.ask(&Request { mode, ..text("mug") }).await;
            assert_eq!((found.total, found.found_by), (3, FoundBy::Text));
        }
    }
    let by_likeness = Request { mode: Mode::Semantic, ..text("mug") };
    assert_eq!(none.refused(&by_likeness).await, "mode");
    assert!(broken.is_unavailable(&by_likeness).await);
}
