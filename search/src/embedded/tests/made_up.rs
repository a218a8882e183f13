//! Random products, changes and questions, from so few values that they often meet.

use std::collections::{BTreeMap, BTreeSet};

use domain::pricing::Tier;
use domain::product::ProductStatus;
use domain::{Currency, Timestamp};
use projections::catalogue::{CategoryView, SearchDocument, Stars, TierKey, TierPrice};
use proptest::prelude::*;

use crate::shelf::tests::{at, categories, category_id, document, product_id, seller_id};
use crate::{
    AttributeFacets, Changes, FacetRequest, Filter, Fusion, Neighbour, Order, PriceFilter, Question,
};

const BRANDS: &[&str] = &["Acme", "acme", "Zorn"];
const TAGS: &[&str] = &["new", "sale", "green"];
const NAMES: &[&str] =
    &["Lamp", "lamp", "lamp shade", "Lampshade, big", "Österreich", "österreich", ""];
const PATHS: &[&[u128]] = &[&[], &[0], &[0, 1], &[0, 1, 2], &[0, 1, 3], &[4], &[4, 5], &[9]];

/// Category 9, which some products name, is not in it.
pub(super) fn tree() -> Vec<CategoryView> {
    categories(&[
        (0, None),
        (1, Some(0)),
        (2, Some(1)),
        (3, Some(1)),
        (4, None),
        (5, Some(4)),
        (6, None),
    ])
}

/// Before any price changes.
pub(super) fn earliest() -> Timestamp {
    at(-1)
}

/// Something the shelf is told.
#[derive(Debug, Clone)]
pub(super) enum Told {
    Apply(Changes),
    Replace(Vec<SearchDocument>),
}

pub(super) fn told() -> impl Strategy<Value = Vec<Told>> {
    let documents = |most| prop::collection::vec(any_document(), 0..most);
    let apply =
        (documents(15), prop::collection::vec(0_i64..60, 0..4)).prop_map(|(documents, removed)| {
            let removed = removed.into_iter().map(product_id).collect();
            Told::Apply(Changes { documents, removed, categories: None })
        });
    let replace = documents(40).prop_map(Told::Replace);
    prop::collection::vec(prop_oneof![3 => apply, 1 => replace], 1..6)
}

fn strings(from: &'static [&'static str], most: usize) -> impl Strategy<Value = BTreeSet<String>> {
    prop::sample::subsequence(from, 0..=most)
        .prop_map(|values| values.into_iter().map(str::to_owned).collect())
}

fn attributes() -> impl Strategy<Value = BTreeMap<String, BTreeSet<String>>> {
    (strings(&["red", "blue", "new"], 2), strings(&["S", "L"], 1)).prop_map(|(colours, sizes)| {
        let attributes = [("colour", colours), ("size", sizes)];
        attributes
            .into_iter()
            .filter(|(_, values)| !values.is_empty())
            .map(|(name, values)| (name.to_owned(), values))
            .collect()
    })
}

fn prices() -> impl Strategy<Value = Vec<TierPrice>> {
    let kinds = [TierKey::Retail, TierKey::Wholesale]
        .into_iter()
        .flat_map(|tier| [Currency::EUR, Currency::GBP].map(|currency| (tier, currency)))
        .collect::<Vec<_>>();
    let ends = prop::sample::subsequence(vec![10_i64, 20, 30], 0..=2);
    (prop::sample::subsequence(kinds, 0..=4), ends, 0_i64..8, any::<bool>()).prop_map(
        |(kinds, ends, minor, open)| {
            let mut prices = Vec::new();
            for (tier, currency) in kinds {
                let mut from_ns = i64::MIN;
                let until =
                    ends.iter().map(|end| end * 1_000_000_000).chain(open.then_some(i64::MAX));
                for (until_ns, more) in until.zip(0..) {
                    prices.push(TierPrice {
                        tier,
                        currency,
                        from_ns,
                        until_ns,
                        minor: minor + more,
                    });
                    from_ns = until_ns;
                }
            }
            prices
        },
    )
}

fn any_document() -> impl Strategy<Value = SearchDocument> {
    let words = (prop::sample::select(NAMES), prop::option::of(prop::sample::select(BRANDS)));
    let what = (strings(TAGS, 3), prop::sample::select(PATHS), attributes(), prices());
    let more = (any::<bool>(), 0_u32..4, 0_u32..4, 0_u128..3, prop::bool::weighted(0.9));
    (0_i64..60, words, what, more).prop_map(|(number, (name, brand), what, more)| {
        let (tags, path, attributes, prices) = what;
        let (in_stock, count, extra, seller, active) = more;
        SearchDocument {
            seller_id: seller_id(seller),
            status: if active { ProductStatus::Active } else { ProductStatus::Inactive },
            name: name.to_owned(),
            brand: brand.map(str::to_owned),
            tags,
            attributes,
            prices,
            in_stock,
            stars: Stars { sum: count + extra.min(4 * count), count },
            ..document(number, path)
        }
    })
}

/// A product that has something of everything.
pub(super) fn full(number: i64) -> SearchDocument {
    let text = |value: i64| format!("value {}", value % 3);
    let span = |from_ns, until_ns| TierPrice {
        tier: TierKey::Retail,
        currency: Currency::EUR,
        from_ns,
        until_ns,
        minor: number,
    };
    SearchDocument {
        brand: Some(text(number)),
        tags: [text(number), text(number + 1)].into(),
        attributes: [(text(number), [text(number), text(number + 1)].into())].into(),
        prices: vec![span(i64::MIN, 7 + number % 4), span(7 + number % 4, i64::MAX)],
        ..document(number, PATHS[number as usize % PATHS.len()])
    }
}

/// Everything, the newest first, with nothing counted.
pub(super) fn browse() -> Question {
    Question {
        text: None,
        filter: Filter::default(),
        tier: Tier::Retail,
        currency: Some(Currency::EUR),
        now: at(0),
        order: Order::Relevance,
        offset: 0,
        limit: 24,
        facets: FacetRequest::default(),
        price_bounds: Vec::new(),
        neighbours: Vec::new(),
        fusion: Fusion::default(),
        explain: false,
    }
}

fn filter() -> impl Strategy<Value = Filter> {
    let price = (prop::option::of(0_i64..10), prop::option::of(0_i64..10))
        .prop_map(|(min_minor, max_minor)| PriceFilter { min_minor, max_minor });
    let brands =
        prop_oneof![3 => Just(BTreeSet::new()), 2 => strings(&["Acme", "Zorn", "unknown"], 2)];
    let tags =
        prop_oneof![3 => Just(BTreeSet::new()), 1 => strings(&["new", "sale", "unknown"], 2)];
    let attributes = prop_oneof![2 => Just(BTreeMap::new()), 2 => attributes()];
    let category =
        prop::option::weighted(0.3, prop::sample::select(vec![0_u128, 1, 2, 4, 6, 9, 77]));
    (
        category,
        brands,
        tags,
        attributes,
        prop::option::weighted(0.3, price),
        prop::option::weighted(0.2, any::<bool>()),
        prop::option::weighted(0.2, 0_u128..4),
    )
        .prop_map(|(category, brands, tags, attributes, price, in_stock, seller)| Filter {
            category: category.map(category_id),
            brands,
            tags,
            attributes,
            price,
            in_stock,
            seller: seller.map(seller_id),
        })
}

fn facets() -> impl Strategy<Value = FacetRequest> {
    let attributes = prop_oneof![
        Just(AttributeFacets::None),
        Just(AttributeFacets::All),
        strings(&["colour", "unknown"], 2).prop_map(AttributeFacets::Named),
    ];
    (any::<bool>(), any::<bool>(), any::<bool>(), attributes, 0_usize..4).prop_map(
        |(category, brand, tags, attributes, values_max)| FacetRequest {
            category,
            brand,
            tags,
            attributes,
            values_max,
        },
    )
}

pub(super) fn question() -> impl Strategy<Value = Question> {
    let order = prop::sample::select(vec![
        Order::Relevance,
        Order::Newest,
        Order::Name,
        Order::PriceAscending,
        Order::PriceDescending,
        Order::Rating,
    ]);
    let whose = (
        prop::sample::select(vec![Tier::Retail, Tier::Wholesale]),
        prop::option::weighted(
            0.9,
            prop::sample::select(vec![Currency::EUR, Currency::GBP, Currency::USD]),
        ),
        0_i64..40,
    );
    let neighbours = prop_oneof![Just(Vec::new()), prop::collection::vec(0_i64..70, 0..12)];
    let fusion = (any::<bool>(), any::<bool>(), any::<bool>());
    let bounds = prop::sample::subsequence(vec![1_i64, 3, 4, 7, 20], 0..=4);
    (filter(), facets(), whose, order, (0_usize..10, 0_usize..30), neighbours, fusion, bounds)
        .prop_map(
            |(
                filter,
                facets,
                (tier, currency, now),
                order,
                (offset, limit),
                neighbours,
                fusion,
                bounds,
            )| {
                let (has_text, only_behind, explain) = fusion;
                Question {
                    text: has_text.then(|| "lamp".to_owned()),
                    filter,
                    tier,
                    currency,
                    now: at(now),
                    order,
                    offset,
                    limit,
                    facets,
                    price_bounds: bounds,
                    neighbours: (neighbours.into_iter())
                        .map(|number| Neighbour { product_id: product_id(number), similarity: 0.5 })
                        .collect(),
                    fusion: Fusion { only_behind, ..Fusion::default() },
                    explain,
                }
            },
        )
}
