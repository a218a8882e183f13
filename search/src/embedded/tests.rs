//! Answers held against ones worked out by trying every document.

mod engine;
mod made_up;
mod naive;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use proptest::prelude::*;

use super::answer::answer;
use crate::shelf::tests::{document, product_id};
use crate::{Changes, FacetRequest, Findings, Order, Question, Shelf};
use made_up::{Told, browse, question, told, tree};
use naive::Naive;

/// What the shelf would be after each step, by product.
fn told_to(shelf: &Shelf, steps: &[Told]) -> Naive {
    let mut naive = Naive { documents: BTreeMap::new(), categories: tree() };
    shelf.replace(&[], &tree());
    for step in steps {
        match step {
            Told::Apply(changes) => {
                shelf.apply(changes);
                naive.apply(changes);
            }
            Told::Replace(documents) => {
                shelf.replace(documents, &naive.categories);
                naive.documents.clear();
                naive.apply(&Changes { documents: documents.clone(), ..Changes::default() });
            }
        }
    }
    naive
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever the shelf was told, and whatever is asked, the answer is what trying all documents
    /// gives: hits in order, total, facets and buckets.
    #[test]
    fn answers_are_those_of_trying_everything(
        steps in told(),
        asked in prop::collection::vec(question(), 1..6),
        scores in prop::collection::btree_map(0_i64..60, prop_oneof![Just(1.0_f32), 0.1_f32..9.0], 0..50),
    ) {
        let shelf = Shelf::default();
        let naive = told_to(&shelf, &steps);
        let matches: Vec<(i64, f32)> = scores.iter().map(|(number, score)| (*number, *score)).collect();
        for question in asked {
            let matches = question.text.is_some().then_some(matches.as_slice());
            let found = answer(&shelf.read(), &question, matches);
            let expected = naive.answer(&question, matches);
            prop_assert_eq!(&found.facets, &expected.facets);
            prop_assert_eq!(&found.buckets, &expected.buckets);
            prop_assert_eq!(found.total, expected.total);
            prop_assert_eq!(&found.hits, &expected.hits);
        }
    }

    /// What the shelf tells of single products is what their documents say, whatever came before.
    #[test]
    fn the_shelf_tells_what_it_was_told(steps in told(), asked in question()) {
        let shelf = Shelf::default();
        let naive = told_to(&shelf, &steps);
        prop_assert_eq!(shelf.len(), naive.documents.len());
        for id in (0..60).map(product_id) {
            let summary = shelf.summary(id, asked.tier, asked.now);
            prop_assert_eq!(summary, naive.summary(id, asked.tier, asked.now));
            prop_assert_eq!(
                shelf.passes(id, &asked.filter, asked.tier, asked.currency, asked.now),
                naive.passing(&asked, &asked.filter).iter().any(|it| it.product_id == id)
            );
            prop_assert_eq!(shelf.categories_of(id), naive.categories_of(id));
        }
        prop_assert_eq!(shelf.next_price_change(asked.now), naive.next_price_change(asked.now));
        let later = asked.now + chrono::TimeDelta::seconds(10);
        prop_assert_eq!(
            shelf.price_changes(asked.now, later),
            naive.price_changes(asked.now, later)
        );
    }

    /// Pages put together are the whole, whatever their size.
    #[test]
    fn pages_are_parts_of_the_whole(steps in told(), asked in question(), size in 1_usize..9) {
        let shelf = Shelf::default();
        told_to(&shelf, &steps);
        let matches: Vec<(i64, f32)> = (0..60).map(|number| (number, (number % 7) as f32)).collect();
        let matches = asked.text.is_some().then_some(matches.as_slice());
        let ask = |offset, limit| {
            answer(&shelf.read(), &Question { offset, limit, ..asked.clone() }, matches)
        };
        let whole = ask(0, usize::MAX);
        prop_assert_eq!(whole.hits.len() as u64, whole.total);
        let mut pages = Vec::new();
        for offset in (0..whole.hits.len() + size).step_by(size) {
            let page = ask(offset, size);
            prop_assert_eq!(page.total, whole.total);
            prop_assert_eq!(&page.facets, &whole.facets);
            pages.extend(page.hits);
        }
        prop_assert_eq!(pages, whole.hits);
    }
}

/// While all products change their brand, their price and their number of tags at once and again,
/// no reader counts some before and some after it.
#[test]
fn readers_never_see_half_a_change() {
    let shelf = Shelf::default();
    let versions: Vec<Changes> = ["before", "after"]
        .map(|brand| {
            let documents = (0..500).map(|number| {
                let mut document = document(number, &[]);
                document.brand = Some(brand.to_owned());
                document.tags.insert(brand.to_owned());
                document
            });
            // One of them has fewer products, too.
            let removed =
                if brand == "after" { (400..500).map(product_id).collect() } else { vec![] };
            Changes { documents: documents.collect(), removed, categories: None }
        })
        .into();
    shelf.apply(&versions[0]);
    let asked = Question {
        facets: FacetRequest { brand: true, tags: true, values_max: 10, ..FacetRequest::default() },
        limit: 500,
        ..browse()
    };
    let whole = |found: &Findings| {
        assert_eq!(found.facets.brand.len(), 1, "{:?}", found.facets.brand);
        let brand = &found.facets.brand[0];
        assert_eq!(found.facets.tags, found.facets.brand);
        let expected = if brand.value == "before" { 500 } else { 400 };
        assert_eq!(
            (brand.count, found.total, found.hits.len() as u64),
            (expected, expected, expected)
        );
    };
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut read = 0_u32;
                    while !done.load(Relaxed) || read == 0 {
                        whole(&answer(&shelf.read(), &asked, None));
                        read += 1;
                    }
                    read
                })
            })
            .collect();
        for round in 0..200 {
            if round % 50 == 49 {
                shelf.replace(&versions[0].documents, &[]);
            }
            shelf.apply(&versions[(round + 1) % 2]);
        }
        done.store(true, Relaxed);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });
}

#[test]
fn a_choice_without_products_is_still_listed() {
    let shelf = Shelf::default();
    let branded = |number, brand: &str| {
        let mut document = document(number, &[]);
        document.brand = Some(brand.to_owned());
        document
    };
    shelf.replace(&[branded(1, "a"), branded(2, "a"), branded(3, "b"), branded(4, "c")], &[]);
    let mut asked = browse();
    asked.facets = FacetRequest { brand: true, values_max: 1, ..FacetRequest::default() };
    asked.filter.brands = ["c".to_owned(), "gone".to_owned()].into();
    let found = answer(&shelf.read(), &asked, None);
    let listed: Vec<(&str, u64)> =
        found.facets.brand.iter().map(|it| (it.value.as_str(), it.count)).collect();
    assert_eq!(listed, [("a", 2), ("c", 1), ("gone", 0)]);
    assert_eq!(found.total, 1);
}

#[test]
fn what_is_shared_is_forgotten_with_the_last_product() {
    let shelf = Shelf::default();
    shelf.replace(&(0..20).map(made_up::full).collect::<Vec<_>>(), &tree());
    assert!(shelf.read().shared().values().all(|used| *used > 0));
    let removed = (0..20).map(product_id).collect();
    shelf.apply(&Changes { removed, ..Changes::default() });
    assert_eq!(shelf.read().shared().values().sum::<usize>(), 0);
    assert!(shelf.is_empty());
    assert_eq!(shelf.next_price_change(made_up::earliest()), None);
    let room = shelf.read().slots_bound();
    shelf
        .apply(&Changes { documents: (20..40).map(made_up::full).collect(), ..Changes::default() });
    assert_eq!(shelf.read().slots_bound(), room);
}

#[test]
fn price_bounds_are_those_of_the_whole_shop_and_follow_it() {
    use domain::Currency;
    use domain::pricing::Tier;
    let priced = |number: i64, minor| {
        let mut document = document(number, &[]);
        document.prices = vec![crate::shelf::tests::price(Tier::Retail, Currency::EUR, minor)];
        document
    };
    let shelf = Shelf::default();
    let now = crate::shelf::tests::at(0);
    let bounds = || shelf.price_bounds(Currency::EUR, Tier::Retail, now).to_vec();
    assert_eq!(bounds(), [0; 0]);
    shelf.replace(&(0..1000).map(|at| priced(at, at * 10)).collect::<Vec<_>>(), &[]);
    assert_eq!(bounds(), [1500, 3000, 4000, 6000, 8000]);
    assert_eq!(shelf.price_bounds(Currency::EUR, Tier::Wholesale, now).to_vec(), [0; 0]);
    assert_eq!(shelf.price_quantiles(Currency::EUR, Tier::Retail, now, 3), [2500, 5000, 7500]);
    let cheaper = (0..1000).map(|at| priced(at, at)).collect();
    shelf.apply(&Changes { documents: cheaper, ..Changes::default() });
    assert_eq!(bounds(), [150, 300, 400, 600, 800]);
    // A sample of many tells much the same as all of them.
    shelf.replace(&(0..60_000).map(|at| priced(at, at)).collect::<Vec<_>>(), &[]);
    for (quantile, exact) in shelf
        .price_quantiles(Currency::EUR, Tier::Retail, now, 3)
        .iter()
        .zip([15_000, 30_000, 45_000])
    {
        assert!((quantile - exact).abs() < 1500, "{quantile} instead of {exact}");
    }
}

#[test]
fn every_order_breaks_ties_by_age() {
    let shelf = Shelf::default();
    shelf.replace(&(0..30).map(|number| document(number, &[])).collect::<Vec<_>>(), &[]);
    for order in [
        Order::Relevance,
        Order::Newest,
        Order::PriceAscending,
        Order::PriceDescending,
        Order::Rating,
    ] {
        let found = answer(&shelf.read(), &Question { order, limit: 30, ..browse() }, None);
        let ids: Vec<_> = found.hits.iter().map(|hit| hit.product_id).collect();
        assert_eq!(ids, (0..30).rev().map(product_id).collect::<Vec<_>>(), "{order:?}");
    }
}
