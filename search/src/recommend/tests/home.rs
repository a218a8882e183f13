//! Pages of one's own.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use proptest::prelude::*;

use super::shop::{Shop, basket, customer, document, now, product};
use crate::Changes;
use crate::recommend::{Because, Diversity, RecommendSettings, Suggestion};

/// People who buy things below 200 together, and others who buy things from 201 on; the latter are
/// more.
fn two_tastes(settings: RecommendSettings) -> Shop {
    let first =
        (0..12).map(|n| basket(n as i64, 1_000 + n, &[101 + n % 4, 101 + (n + 1) % 4, 105]));
    let other =
        (0..18).map(|n| basket(n as i64, 2_000 + n, &[201 + n % 4, 201 + (n + 1) % 4, 205]));
    Shop::new(settings).sells((101..=106).chain(201..=206)).sold(first).sold(other)
}

fn undiversified() -> RecommendSettings {
    RecommendSettings { diversity: Diversity::None, ..RecommendSettings::default() }
}

fn page(shop: &Shop, of: Option<u128>, k: usize) -> Vec<Suggestion> {
    shop.recommender.home(of.map(customer), k, now(), &|_| true).unwrap()
}

fn numbers(page: &[Suggestion]) -> Vec<u128> {
    page.iter().map(|suggestion| suggestion.product_id.uuid().as_u128()).collect()
}

#[test]
fn an_empty_shop_has_empty_pages() {
    let shop = Shop::new(RecommendSettings::default());
    assert_eq!(page(&shop, None, 10), []);
    shop.settle();
    assert_eq!(page(&shop, None, 10), []);
    assert_eq!(page(&shop, Some(1), 10), []);
    assert_eq!(shop.recommender.progress().orders, 0);
}

#[test]
fn a_shop_without_orders_shows_what_is_new() {
    let shop = Shop::new(RecommendSettings::default()).sells([101, 201, 301]);
    shop.settle();
    let shown = page(&shop, Some(1), 2);
    assert_eq!(numbers(&shown), [301, 201]);
    assert_eq!(shown[0].because, Because::New);
}

#[test]
fn strangers_see_what_is_popular_and_not_all_of_a_kind() {
    let settings =
        RecommendSettings { diversity: Diversity::PerCategory(2), ..RecommendSettings::default() };
    let shop = two_tastes(settings);
    shop.settle();
    let shown = page(&shop, None, 4);
    assert_eq!(shown[0].product_id, product(205));
    assert_eq!(shown[0].because, Because::Popular);
    assert_eq!(numbers(&shown).iter().filter(|number| **number < 200).count(), 2);
    // Whoever is not known is a stranger, and takes no place.
    assert_eq!(page(&shop, Some(77), 4), shown);
    assert_eq!(shop.recommender.progress().customers, (0, 0));
}

#[test]
fn strangers_are_served_before_the_first_training_is_done() {
    let shop = two_tastes(undiversified());
    *shop.orders.down.lock().unwrap() = true;
    assert!(shop.recommender.work(now()).is_err());
    assert_eq!(page(&shop, None, 1)[0].because, Because::New);
    *shop.orders.down.lock().unwrap() = false;
    shop.settle();
    assert_eq!(page(&shop, None, 1)[0].because, Because::Popular);
}

#[test]
fn a_page_says_why_and_is_of_the_customers_taste() {
    let shop = two_tastes(undiversified()).sold([basket(3, 1, &[101, 102]), basket(1, 1, &[101])]);
    shop.settle();
    let shown = page(&shop, Some(1), 5);
    assert_eq!(numbers(&shown)[0], 101);
    assert_eq!(shown[0].because, Because::BoughtAgain);
    assert!(numbers(&shown).iter().all(|number| *number < 200), "{shown:?}");
    let reasons: BTreeMap<u128, Because> =
        shown.iter().map(|s| (s.product_id.uuid().as_u128(), s.because)).collect();
    assert_eq!(reasons[&102], Because::BoughtAgain);
    for new in [103, 104, 105] {
        let of_bought = [101, 102].map(product);
        assert!(
            matches!(reasons[&new], Because::OftenBoughtWith(of) | Because::SimilarToBought(of)
                if of_bought.contains(&of)),
            "{new}: {:?}",
            reasons[&new]
        );
    }
}

#[test]
fn a_customer_who_only_looked_has_a_page_too() {
    let shop = two_tastes(undiversified());
    shop.settle();
    shop.recommender.viewed(customer(1), product(103), 2, now());
    shop.settle();
    assert_eq!(shop.recommender.progress().customers, (1, 0));
    let shown = page(&shop, Some(1), 4);
    assert!(numbers(&shown).iter().all(|number| *number < 200), "{shown:?}");
    let because: Vec<Because> = shown.iter().map(|suggestion| suggestion.because).collect();
    assert!(because.contains(&Because::ViewedBefore), "{because:?}");
    assert!(because.contains(&Because::SimilarToViewed(product(103))), "{because:?}");
}

#[test]
fn what_was_looked_at_before_the_retention_is_not_used_any_more() {
    let shop = two_tastes(RecommendSettings { viewed_days: 30, ..undiversified() });
    shop.recommender.viewed(customer(1), product(103), 2, now());
    shop.settle();
    assert_ne!(page(&shop, Some(1), 4), page(&shop, None, 4));
    assert_eq!(shop.recommender.progress().customers, (1, 0));
    shop.settle_at(now() + TimeDelta::days(31));
    assert_eq!(shop.recommender.progress().customers, (0, 0));
    assert_eq!(page(&shop, Some(1), 4), page(&shop, None, 4));
}

#[test]
fn a_page_follows_when_what_was_bought_is_cancelled() {
    let shop = two_tastes(undiversified()).sold([basket(9, 1, &[101]), basket(1, 1, &[202])]);
    shop.settle();
    assert_eq!(page(&shop, Some(1), 1)[0].product_id, product(202));
    let kept = |basket: &crate::recommend::Basket| !basket.products.contains(&product(202));
    let is_other = |basket: &crate::recommend::Basket| basket.customer != Some(customer(1));
    shop.orders.baskets.lock().unwrap().retain(|basket| is_other(basket) || kept(basket));
    shop.recommender.purchases_changed(customer(1));
    shop.settle();
    assert_eq!(page(&shop, Some(1), 1)[0].product_id, product(101));
}

#[test]
fn a_page_is_ready_and_follows_what_the_customer_does() {
    let shop = two_tastes(undiversified()).sold([basket(9, 1, &[101])]);
    shop.settle();
    assert!(page(&shop, Some(1), 1)[0].product_id == product(101));
    let asked = *shop.orders.asked.lock().unwrap();
    page(&shop, Some(1), 10);
    assert_eq!(*shop.orders.asked.lock().unwrap(), asked);
    shop.order(basket(0, 1, &[202]));
    shop.order(basket(0, 1, &[202]));
    shop.settle();
    assert_eq!(page(&shop, Some(1), 1)[0].product_id, product(202));
}

#[test]
fn what_cannot_be_had_is_not_shown_and_others_fill_the_page() {
    let shop = two_tastes(undiversified()).sold([basket(1, 1, &[101, 102])]);
    shop.settle();
    let available = |product: domain::ProductId| product.uuid().as_u128() > 103;
    let shown = shop.recommender.home(Some(customer(1)), 9, now(), &available).unwrap();
    assert_eq!(shown.len(), 9);
    assert!(numbers(&shown).iter().all(|number| *number > 103));
    let removed = vec![product(104)];
    shop.recommender.apply(&Changes { removed, ..Changes::default() });
    let mut gone = document(105);
    gone.status = domain::product::ProductStatus::Deleted;
    shop.recommender.apply(&Changes { documents: vec![gone], ..Changes::default() });
    shop.recommender.train(now()).unwrap();
    shop.settle();
    let shown = numbers(&page(&shop, Some(1), 12));
    assert!(!shown.contains(&104) && !shown.contains(&105), "{shown:?}");
}

#[test]
fn clicks_decide_between_equals() {
    let sold = (0..10).map(|n| basket(1, 1_000 + n, &[101, 201, 301]));
    let shop = Shop::new(undiversified()).sells([101, 201, 301]).sold(sold);
    shop.settle();
    assert_eq!(numbers(&page(&shop, None, 3)), [101, 201, 301]);
    for number in [101, 201, 301] {
        shop.recommender.shown(product(number), 1_000, now());
    }
    shop.recommender.clicked(product(301), 100, now());
    shop.recommender.clicked(product(201), 20, now());
    assert_eq!(numbers(&page(&shop, None, 3)), [301, 201, 101]);
}

#[test]
fn nothing_is_left_of_whoever_is_forgotten() {
    let shop = two_tastes(undiversified()).sold([basket(1, 1, &[101])]);
    shop.recommender.viewed(customer(1), product(103), 1, now());
    shop.settle();
    assert_ne!(page(&shop, Some(1), 5), page(&shop, None, 5));
    shop.orders.baskets.lock().unwrap().retain(|basket| basket.customer != Some(customer(1)));
    shop.recommender.forget(customer(1));
    assert_eq!(page(&shop, Some(1), 5), page(&shop, None, 5));
    assert_eq!(shop.recommender.progress().customers, (0, 0));
}

#[test]
fn a_product_too_new_to_be_bought_borrows_the_taste_of_those_like_it() {
    let shop = two_tastes(undiversified()).sold([basket(1, 1, &[101, 102])]);
    shop.settle();
    let shop = shop.sells([107]);
    shop.settle();
    shop.recommender.viewed(customer(1), product(103), 1, now());
    shop.settle();
    let shown = page(&shop, Some(1), 12);
    let borrowed = shown.iter().find(|suggestion| suggestion.product_id == product(107)).unwrap();
    assert_eq!(borrowed.because, Because::SimilarToViewed(product(103)));
}

#[test]
fn models_are_trained_anew_when_orders_have_grown_or_a_day_has_passed() {
    let shop = two_tastes(undiversified());
    shop.settle();
    assert_eq!(shop.recommender.progress().orders, 30);
    shop.order(basket(0, 5, &[101, 201]));
    shop.settle();
    assert_eq!(shop.recommender.progress().orders, 30);
    shop.order(basket(0, 6, &[101, 201]));
    shop.order(basket(0, 7, &[101, 201]));
    shop.settle();
    let progress = shop.recommender.progress();
    assert_eq!((progress.orders, progress.orders_since), (33, 0));
    shop.order(basket(0, 8, &[101]));
    let tomorrow = now() + TimeDelta::hours(24);
    shop.settle_at(tomorrow);
    let progress = shop.recommender.progress();
    assert_eq!((progress.orders, progress.trained_at), (34, Some(tomorrow)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// The same orders and views give the same pages, which hold nothing twice, descend, are as long
    /// as they can be and show only what is on sale and available.
    #[test]
    fn pages_hold_what_they_promise(
        orders in prop::collection::vec((0i64..200, 1u128..6, prop::collection::btree_set(101u128..120, 1..5)), 0..30),
        views in prop::collection::vec((1u128..6, 101u128..125, 0u32..4), 0..20),
        clicks in prop::collection::vec((101u128..120, 0u32..50), 0..10),
        k in 0usize..25,
        diversity in 0usize..4,
    ) {
        let diversity = match diversity {
            0 => Diversity::None,
            1 => Diversity::MarginalRelevance { lambda: 0.7 },
            max => Diversity::PerCategory(max),
        };
        let make = || {
            let settings = RecommendSettings { diversity, ..RecommendSettings::default() };
            let shop = Shop::new(settings).sells(101..117).sold(
                orders.iter().map(|(days, by, products)| basket(*days, *by, &products.iter().copied().collect::<Vec<_>>())),
            );
            for (by, number, times) in &views {
                shop.recommender.viewed(customer(*by), product(*number), *times, now());
            }
            for (number, times) in &clicks {
                shop.recommender.shown(product(*number), 100, now());
                shop.recommender.clicked(product(*number), *times, now());
            }
            shop.settle();
            shop
        };
        let (shop, twin) = (make(), make());
        for of in [None, Some(1), Some(2), Some(9)] {
            let available = |product: domain::ProductId| !product.uuid().as_u128().is_multiple_of(5);
            let shown = shop.recommender.home(of.map(customer), k, now(), &available).unwrap();
            prop_assert_eq!(&shown, &twin.recommender.home(of.map(customer), k, now(), &available).unwrap());
            let distinct: BTreeSet<u128> = numbers(&shown).into_iter().collect();
            prop_assert_eq!(distinct.len(), shown.len());
            prop_assert!(distinct.iter().all(|number| *number < 117 && !number.is_multiple_of(5)));
            prop_assert_eq!(shown.len(), k.min(13));
            prop_assert!(shown.is_sorted_by(|a, b| a.score >= b.score), "{:?}", shown);
        }
    }
}

#[test]
fn clicks_are_told_apart_for_what_is_for_sale_alone_once_that_is_known() {
    let shop = Shop::new(RecommendSettings::default()).sells([101, 102]);
    let told = |numbers: std::ops::Range<u128>| {
        for number in numbers {
            shop.recommender.shown(product(number), 3, now());
            shop.recommender.clicked(product(number), 1, now());
        }
    };
    // What was looked at is read before all products are.
    told(100..200);
    assert_eq!(shop.recommender.told_apart(), 100);
    shop.recommender.all_told();
    assert_eq!(shop.recommender.told_apart(), 2);
    told(100..200);
    assert_eq!(shop.recommender.told_apart(), 2);
    let shop = shop.sells([150]);
    shop.recommender.shown(product(150), 1, now());
    assert_eq!(shop.recommender.told_apart(), 3, "what is new counts by itself");
}

#[test]
fn everything_is_learned_again_when_somebody_asks() {
    let shop = two_tastes(undiversified());
    shop.settle();
    let (before, orders) = (numbers(&page(&shop, None, 3)), shop.recommender.progress().orders);
    // Not as orders that came: as ones that had been there, and were not read rightly.
    let others = (0..60).map(|n| basket(1, 3_000 + n, &[106]));
    shop.orders.baskets.lock().unwrap().extend(others);
    shop.settle();
    assert_eq!(shop.recommender.progress().orders, orders, "nobody told");
    shop.recommender.renew();
    *shop.orders.down.lock().unwrap() = true;
    assert!(shop.recommender.work(now()).is_err());
    assert_eq!((numbers(&page(&shop, None, 3)), shop.recommender.is_renewing()), (before, true));
    *shop.orders.down.lock().unwrap() = false;
    shop.settle();
    assert!(!shop.recommender.is_renewing());
    assert_eq!(shop.recommender.progress().orders, orders + 60);
    assert_eq!(page(&shop, None, 1)[0].product_id, product(106));
}
