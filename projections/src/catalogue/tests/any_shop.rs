//! Any shop's life: the same rows in batches of any size, lists against looking at every
//! product, and the nested set against counting what is below.

use std::collections::BTreeMap;

use domain::CategoryId;
use domain::pricing::{Tier, WholesalePolicy, effective_price};
use proptest::prelude::*;

use super::*;
use crate::given::{dump_but, empty, feed};

fn any_details() -> impl Strategy<Value = ProductDetails> {
    let name = prop::sample::select(vec!["apple", "Apple", "pear", "Äpfel", "fig"]);
    let category = prop::option::of(1_u128..6);
    let brand = prop::option::of(prop::sample::select(vec!["Acme", "Zenith"]));
    let tags = prop::collection::btree_set(prop::sample::select(vec!["a", "b"]), 0..3);
    (name, category, brand, tags).prop_map(|(name, category, brand, tags)| ProductDetails {
        name: name.to_owned(),
        description: String::new(),
        category_id: category.map(id),
        brand: brand.map(str::to_owned),
        tags: tags.into_iter().map(str::to_owned).collect(),
    })
}

fn any_prices() -> impl Strategy<Value = PriceBook> {
    let end = prop::option::of(prop::sample::select(vec![10, 20]));
    let sale_price = prop::option::of((1_i64..9, end));
    let some = || prop::option::of(1_i64..9);
    (some(), sale_price, some()).prop_map(|(own, sale_price, wholesale)| {
        let mut prices =
            sale_price.map_or(PriceBook::default(), |(minor, end)| sale(minor, end.map(at)));
        prices.own = own.map(|minor| (GBP, minor)).into_iter().collect();
        prices.wholesale = wholesale.map(|minor| (GBP, minor)).into_iter().collect();
        prices
    })
}

fn any_event() -> impl Strategy<Value = Given> {
    let product = 1_u128..6;
    let sku = 1_u128..3;
    let warehouse = 5_u128..7;
    let category = 1_u128..6;
    let active = status(ProductStatus::Inactive, ProductStatus::Active);
    let inactive = status(ProductStatus::Active, ProductStatus::Inactive);
    prop_oneof![
        4 => (product.clone(), any_details(), 1_i64..9).prop_map(|(n, d, m)| created(n, d, m)),
        4 => product.clone().prop_map(move |n| of_product(n, active.clone())),
        1 => product.clone().prop_map(move |n| of_product(n, inactive.clone())),
        2 => (product.clone(), any_details())
            .prop_map(|(n, d)| of_product(n, ProductEvent::DetailsChanged(d))),
        4 => (product.clone(), sku.clone(), any_prices())
            .prop_map(|(n, sku, prices)| sku_added(n, sku, prices)),
        1 => (product.clone(), sku.clone()).prop_map(|(n, sku)| {
            of_product(n, ProductEvent::SkuWithdrawn { sku_id: sku_id(n, sku) })
        }),
        3 => (product.clone(), sku.clone(), warehouse.clone(), 1_u32..3)
            .prop_map(|(n, sku, at, units)| received(n, sku, at, units)),
        3 => (product.clone(), sku, warehouse.clone(), 1_u32..3)
            .prop_map(|(n, sku, at, units)| held(n, sku, at, units)),
        1 => (warehouse, any::<bool>()).prop_map(|(warehouse, open)| {
            let event = match open {
                true => WarehouseEvent::Activated {},
                false => WarehouseEvent::Deactivated {},
            };
            (id(warehouse), event.into())
        }),
        1 => (1_u128..9, 1_u8..6).prop_map(|(customer, stars)| rated(customer, stars)),
        2 => (category.clone(), prop::option::of(category.clone()))
            .prop_filter("new below old, so that there is no circle", |(n, parent)| {
                parent.is_none_or(|parent| parent < *n)
            })
            .prop_map(|(n, parent)| category_added(n, parent)),
        1 => category.clone().prop_map(|n| {
            let (name, slug) = ("Renamed".to_owned(), "renamed".to_owned());
            (Uuid::nil(), CategoryEvent::Renamed { category_id: id(n), name, slug }.into())
        }),
        // The one that never has anything below it, as decisions see to it.
        1 => Just((Uuid::nil(), CategoryEvent::Removed { category_id: id(5) }.into())),
        1 => (category.clone(), prop::option::of(category))
            .prop_filter("new below old, so that there is no circle", |(n, parent)| {
                parent.is_none_or(|parent| parent < *n)
            })
            .prop_map(|(n, parent)| {
                let event = CategoryEvent::Moved { category_id: id(n), parent_id: parent.map(id) };
                (Uuid::nil(), event.into())
            }),
    ]
}

/// Categories and products are made once, as decisions see to it.
pub(super) fn any_shop() -> impl Strategy<Value = Vec<Given>> {
    prop::collection::vec(any_event(), 0..120).prop_map(|mut events| {
        let mut made = BTreeSet::new();
        events.retain(|(stream, event)| match event {
            AnyEvent::Category(CategoryEvent::Added { category_id, .. }) => {
                made.insert(category_id.uuid())
            }
            AnyEvent::Product(ProductEvent::Created { .. }) => made.insert(*stream),
            _ => true,
        });
        events
    })
}

/// All products, looked at one by one.
fn everything(connection: &Connection) -> Vec<ProductView> {
    let views = (1..6).map(|number| product(connection, product_id(number)).unwrap());
    views.flatten().collect()
}

fn lowest(product: &ProductView, now: Timestamp) -> Option<i64> {
    let policy = WholesalePolicy::default();
    let of = |sku| effective_price(sku, &product.base_prices, Tier::Retail, GBP, now, policy);
    let on_sale = product.skus.iter().filter(|sku| !sku.withdrawn);
    if on_sale.clone().count() == 0 {
        return of(&PriceBook::default()).map(|price| price.minor);
    }
    on_sale.filter_map(|sku| of(&sku.prices)).map(|price| price.minor).min()
}

fn is_below(connection: &Connection, inner: CategoryId, outer: CategoryId) -> bool {
    let mut above = Some(inner);
    while let Some(category_id) = above {
        if category_id == outer {
            return category(connection, outer).unwrap().is_some();
        }
        above = category(connection, category_id).unwrap().and_then(|c| c.parent_id);
    }
    false
}

fn meets(connection: &Connection, filter: &Filter, product: &ProductView, now: Timestamp) -> bool {
    let details = &product.details;
    let on_sale = product.skus.iter().filter(|sku| !sku.withdrawn);
    let in_stock = on_sale.map(|sku| sku.available).sum::<i64>() > 0;
    filter.status.is_none_or(|status| status == product.status)
        && filter.in_stock.is_none_or(|wanted| wanted == in_stock)
        && filter.brand.is_none_or_equal(&details.brand)
        && filter.tags.is_subset(&details.tags)
        && filter.category.is_none_or(|outer| {
            details.category_id.is_some_and(|inner| is_below(connection, inner, outer))
        })
        && filter.price.is_none_or(|range| {
            lowest(product, now).is_some_and(|minor| {
                range.min_minor.is_none_or(|min| min <= minor)
                    && range.max_minor.is_none_or(|max| minor <= max)
            })
        })
}

trait IsNoneOrEqual {
    fn is_none_or_equal(&self, value: &Self) -> bool;
}

impl IsNoneOrEqual for Option<String> {
    fn is_none_or_equal(&self, value: &Self) -> bool {
        self.is_none() || self == value
    }
}

fn any_filter() -> impl Strategy<Value = Filter> {
    let price = prop::option::of((prop::option::of(1_i64..5), prop::option::of(3_i64..9)));
    let tags = prop::collection::btree_set(prop::sample::select(vec!["a", "b"]), 0..2);
    (
        prop::option::of(1_u128..6),
        prop::option::of(prop::sample::select(vec!["Acme", "Zenith"])),
        tags,
        price,
        prop::option::of(any::<bool>()),
        any::<bool>(),
    )
        .prop_map(|(category, brand, tags, price, in_stock, public)| Filter {
            category: category.map(id),
            brand: brand.map(str::to_owned),
            tags: tags.into_iter().map(str::to_owned).collect(),
            price: price.map(|(min_minor, max_minor)| PriceRange {
                currency: GBP,
                min_minor,
                max_minor,
            }),
            in_stock,
            status: public.then_some(ProductStatus::Active),
            seller: None,
        })
}

fn any_sort() -> impl Strategy<Value = Sort> {
    prop::sample::select(vec![
        Sort::Newest,
        Sort::Name,
        Sort::Rating,
        Sort::PriceAscending(GBP),
        Sort::PriceDescending(GBP),
    ])
}

/// Pages joined together, by cursors that went through a text.
fn by_cursor(connection: &Connection, mut request: Request) -> Vec<ProductSummary> {
    request.limit = 2;
    let mut products = Vec::new();
    loop {
        let page = list(connection, &request).unwrap();
        products.extend(page.products);
        let Some(next) = page.next else {
            assert_eq!(page.total as usize, products.len());
            return products;
        };
        request.start = Start::After(next.to_string().parse().unwrap());
    }
}

proptest! {
    #![proptest_config(crate::given::cases())]

    #[test]
    fn batches_of_any_size_leave_the_same_rows(events in any_shop(), batch in 1_usize..20) {
        let events = log(events);
        let other = empty::<Catalogue>();
        feed::<Catalogue>(&other, &events, batch);
        let whole = given::<Catalogue>(&events);
        let rows = |of| dump_but(of, DERIVED_TABLES);
        prop_assert_eq!(rows(&other), rows(&whole));
    }

    #[test]
    fn a_list_holds_what_meets_the_filter_in_its_order_on_pages_that_join(
        events in any_shop(), filter in any_filter(), sort in any_sort(), now in 5_i64..25,
    ) {
        let now = at(now);
        let connection = model(events);
        let all = everything(&connection);
        let request = ask(filter.clone(), sort, now);
        let whole = list(&connection, &request).unwrap();
        prop_assert_eq!(&whole.products, &by_cursor(&connection, request));
        let mut expected: Vec<_> = all.iter()
            .filter(|product| meets(&connection, &filter, product, now))
            .filter(|product| {
                let by_price = matches!(sort, Sort::PriceAscending(_) | Sort::PriceDescending(_));
                !by_price || lowest(product, now).is_some()
            })
            .map(|product| product.product_id)
            .collect();
        let mut found: Vec<_> = whole.products.iter().map(|p| p.product_id).collect();
        let sorted = whole.products.is_sorted_by(|a, b| match sort {
            Sort::Newest => a.created_at > b.created_at,
            Sort::Name => a.name.to_lowercase() <= b.name.to_lowercase(),
            Sort::PriceAscending(_) => a.lowest_prices[&GBP] <= b.lowest_prices[&GBP],
            Sort::PriceDescending(_) => a.lowest_prices[&GBP] >= b.lowest_prices[&GBP],
            Sort::Rating => a.stars.mean() >= b.stars.mean(),
        });
        prop_assert!(sorted);
        expected.sort_unstable();
        found.sort_unstable();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn what_is_below_a_category_is_what_its_parents_say(events in any_shop()) {
        let connection = model(events);
        let tree = category_tree(&connection).unwrap();
        let parents: BTreeMap<_, _> = tree.iter().map(|c| (c.category_id, c.parent_id)).collect();
        for outer in &tree {
            let below: BTreeSet<_> = subtree(&connection, outer.category_id).unwrap()
                .into_iter().map(|c| c.category_id).collect();
            for inner in &tree {
                prop_assert_eq!(
                    below.contains(&inner.category_id),
                    is_below(&connection, inner.category_id, outer.category_id)
                );
            }
            let depth = std::iter::successors(parents[&outer.category_id], |id| parents[id]);
            prop_assert_eq!(outer.depth as usize, depth.count());
            prop_assert_eq!((outer.rgt - outer.lft) as usize, 2 * below.len() - 1);
        }
    }
}

crate::given::also_in_postgres! {
    batches_of_any_size_leave_the_same_rows
    a_list_holds_what_meets_the_filter_in_its_order_on_pages_that_join
    what_is_below_a_category_is_what_its_parents_say
}
