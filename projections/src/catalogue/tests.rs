//! The rules of the catalogue, and any shop's life against the same questions asked by hand.

mod any_shop;
mod following;
mod weighing;

use std::collections::BTreeSet;

use crate::sql::Connection;
use domain::category::CategoryEvent;
use domain::inventory::{Allocation, InventoryEvent};
use domain::pricing::{PriceBook, Prices, SalePrice};
use domain::product::{ProductDetails, ProductEvent, ProductStatus, SkuDetails};
use domain::rating::RatingEvent;
use domain::warehouse::WarehouseEvent;
use domain::{Currency, ProductId, Quantity, Timestamp};
use schemas::AnyEvent;
use uuid::Uuid;

use super::*;
use crate::given::{at, given, id, log};

type Given = (Uuid, AnyEvent);

const GBP: Currency = Currency::GBP;

fn product_id(number: u128) -> ProductId {
    id(0xa000 + number)
}

fn of_product(number: u128, event: ProductEvent) -> Given {
    (product_id(number).uuid(), event.into())
}

fn details(name: &str) -> ProductDetails {
    ProductDetails {
        name: name.to_owned(),
        description: String::new(),
        category_id: None,
        brand: None,
        tags: BTreeSet::new(),
    }
}

fn created(number: u128, details: ProductDetails, minor: i64) -> Given {
    let event = ProductEvent::Created {
        product_id: product_id(number),
        seller_id: id(1),
        details,
        base_prices: Prices::from([(GBP, minor)]),
    };
    of_product(number, event)
}

/// SKU 1 of product 1 is 11, SKU 2 of it is 12.
fn sku_id(product: u128, sku: u128) -> SkuId {
    id(0xb000 + product * 10 + sku)
}

fn sku_added(product: u128, sku: u128, prices: PriceBook) -> Given {
    let event = ProductEvent::SkuAdded {
        sku_id: sku_id(product, sku),
        details: SkuDetails::default(),
        prices,
    };
    of_product(product, event)
}

fn sale(minor: i64, ends_at: Option<Timestamp>) -> PriceBook {
    PriceBook { sale: [(GBP, SalePrice { minor, ends_at })].into(), ..PriceBook::default() }
}

fn stock(product: u128, sku: u128, event: InventoryEvent) -> Given {
    (sku_id(product, sku).uuid(), event.into())
}

fn units(quantity: u32) -> Quantity {
    Quantity::new(quantity).unwrap()
}

fn received(product: u128, sku: u128, warehouse: u128, quantity: u32) -> Given {
    let event = InventoryEvent::Received {
        warehouse_id: id(warehouse),
        quantity: units(quantity),
        reference: None,
    };
    stock(product, sku, event)
}

fn at_warehouse(warehouse: u128, quantity: u32) -> Vec<Allocation> {
    vec![Allocation { warehouse_id: id(warehouse), quantity: units(quantity) }]
}

fn held(product: u128, sku: u128, warehouse: u128, quantity: u32) -> Given {
    let event =
        InventoryEvent::Held { order_id: id(77), allocations: at_warehouse(warehouse, quantity) };
    stock(product, sku, event)
}

fn category_added(number: u128, parent: Option<u128>) -> Given {
    let event = CategoryEvent::Added {
        category_id: id(number),
        parent_id: parent.map(id),
        name: format!("Category {number}"),
        slug: format!("c{number}"),
    };
    (Uuid::nil(), event.into())
}

fn model(events: impl IntoIterator<Item = Given>) -> Connection {
    given::<Catalogue>(&log(events))
}

fn ask(filter: Filter, sort: Sort, now: Timestamp) -> Request {
    Request { filter, start: Start::Page { sort, page: 1 }, limit: 100, now }
}

/// Ids found, as the numbers they were made from.
fn found(connection: &Connection, filter: Filter, sort: Sort, now: Timestamp) -> Vec<u128> {
    let page = list(connection, &ask(filter, sort, now)).unwrap();
    assert_eq!(page.total as usize, page.products.len());
    let numbers = page.products.iter();
    numbers.map(|product| product.product_id.uuid().as_u128() - 0xa000).collect()
}

fn newest(connection: &Connection, filter: Filter) -> Vec<u128> {
    found(connection, filter, Sort::Newest, at(0))
}

fn in_stock() -> Filter {
    Filter { in_stock: Some(true), ..Filter::default() }
}

fn priced(min_minor: i64, max_minor: i64) -> Filter {
    Filter {
        price: Some(PriceRange {
            currency: GBP,
            min_minor: Some(min_minor),
            max_minor: Some(max_minor),
        }),
        ..Filter::default()
    }
}

fn status(from: ProductStatus, to: ProductStatus) -> ProductEvent {
    ProductEvent::StatusChanged { from, to }
}

#[test]
fn the_public_sees_active_products_only() {
    use ProductStatus::{Active, Deleted, Inactive};
    let connection = model([
        created(1, details("One"), 100),
        of_product(1, status(Inactive, Active)),
        created(2, details("Two"), 100),
        of_product(2, status(Inactive, Active)),
        of_product(2, status(Active, Inactive)),
        created(3, details("Three"), 100),
        of_product(3, status(Inactive, Active)),
        of_product(3, status(Active, Deleted)),
    ]);
    assert_eq!(newest(&connection, Filter::default()), [1]);
    let any = Filter { status: None, ..Filter::default() };
    assert_eq!(newest(&connection, any), [3, 2, 1]);
    let deleted = product(&connection, product_id(3)).unwrap().unwrap();
    assert_eq!((deleted.status, deleted.version), (Deleted, 1));
}

/// A product on sale to the public.
fn offered(number: u128, details: ProductDetails, minor: i64) -> Vec<Given> {
    vec![
        created(number, details, minor),
        of_product(number, status(ProductStatus::Inactive, ProductStatus::Active)),
    ]
}

#[test]
fn an_ended_sale_never_matches_a_price_filter() {
    let mut events = offered(1, details("One"), 1_000);
    events.push(sku_added(1, 1, sale(400, Some(at(100)))));
    let connection = model(events);
    let cheap = |now| found(&connection, priced(0, 500), Sort::Newest, now);
    assert_eq!(cheap(at(100) - chrono::TimeDelta::nanoseconds(1)), [1]);
    assert_eq!(cheap(at(100)), []);
    let page = list(&connection, &ask(priced(1_000, 1_000), Sort::Newest, at(100))).unwrap();
    assert_eq!(page.products[0].lowest_prices[&GBP], 1_000);
}

#[test]
fn a_withdrawn_sku_sets_no_price_and_is_not_in_stock() {
    let mut events = offered(1, details("One"), 1_000);
    events.extend([sku_added(1, 1, sale(400, None)), received(1, 1, 5, 3)]);
    let connection = model(events.clone());
    assert_eq!(newest(&connection, in_stock()), [1]);
    let sku_id = sku_id(1, 1);
    events.push(of_product(1, ProductEvent::SkuWithdrawn { sku_id }));
    let connection = model(events);
    assert_eq!(newest(&connection, in_stock()), []);
    assert_eq!(newest(&connection, priced(0, 500)), []);
    assert_eq!(newest(&connection, priced(1_000, 1_000)), [1]);
}

#[test]
fn wholesale_prices_do_not_match_a_price_filter() {
    let mut events = offered(1, details("One"), 1_000);
    let prices = PriceBook { wholesale: Prices::from([(GBP, 100)]), ..PriceBook::default() };
    events.push(sku_added(1, 1, prices));
    assert_eq!(newest(&model(events), priced(0, 500)), []);
}

#[test]
fn prices_in_another_currency_do_not_match() {
    let mut dollars = priced(0, 5_000);
    dollars.price = dollars.price.map(|range| PriceRange { currency: Currency::USD, ..range });
    let connection = model(offered(1, details("One"), 1_000));
    assert_eq!(newest(&connection, dollars), []);
    let sort = Sort::PriceAscending(Currency::USD);
    assert_eq!(found(&connection, Filter::default(), sort, at(0)), []);
}

#[test]
fn a_product_is_in_stock_while_any_sku_has_units_somewhere() {
    let mut events = offered(1, details("One"), 1_000);
    events.extend([sku_added(1, 1, PriceBook::default()), sku_added(1, 2, PriceBook::default())]);
    let order_id = id(77);
    let steps = [
        (received(1, 1, 5, 2), true),
        (held(1, 1, 5, 2), false),
        (received(1, 2, 6, 1), true),
        (held(1, 2, 6, 1), false),
        (stock(1, 1, InventoryEvent::Released { order_id, allocations: at_warehouse(5, 1) }), true),
        (
            stock(
                1,
                1,
                InventoryEvent::UnavailableSet {
                    warehouse_id: id(5),
                    previous: 0,
                    unavailable: 1,
                    reason: String::new(),
                },
            ),
            false,
        ),
        (
            stock(
                1,
                1,
                InventoryEvent::Returned {
                    order_id,
                    return_id: id(9),
                    warehouse_id: id(5),
                    resellable: 1,
                    scrapped: 3,
                },
            ),
            true,
        ),
    ];
    for (event, is_in_stock) in steps {
        events.push(event);
        let connection = model(events.clone());
        let view = product(&connection, product_id(1)).unwrap().unwrap();
        assert_eq!(view.in_stock, is_in_stock, "{:?}", events.last());
        let available: i64 = view.skus.iter().map(|sku| sku.available).sum();
        assert_eq!(available > 0, is_in_stock);
        assert_eq!(!newest(&connection, in_stock()).is_empty(), is_in_stock);
    }
}

#[test]
fn a_warehouse_that_is_short_does_not_bind_the_others() {
    let mut events = offered(1, details("One"), 1_000);
    events.extend([
        sku_added(1, 1, PriceBook::default()),
        received(1, 1, 5, 3),
        held(1, 1, 5, 3),
        stock(
            1,
            1,
            InventoryEvent::Counted {
                warehouse_id: id(5),
                previous_on_hand: 3,
                on_hand: 0,
                reason: String::new(),
                shortage: 3,
            },
        ),
        received(1, 1, 6, 1),
    ]);
    let view = product(&model(events), product_id(1)).unwrap().unwrap();
    assert_eq!(view.skus[0].available, 1);
}

#[test]
fn units_at_a_closed_warehouse_are_not_in_stock() {
    let mut events = offered(1, details("One"), 1_000);
    events.extend([sku_added(1, 1, PriceBook::default()), received(1, 1, 5, 3)]);
    events.push((id(5), WarehouseEvent::Deactivated {}.into()));
    assert_eq!(newest(&model(events.clone()), in_stock()), []);
    events.push((id(5), WarehouseEvent::Activated {}.into()));
    assert_eq!(newest(&model(events), in_stock()), [1]);
}

fn rated(customer: u128, stars: u8) -> Given {
    let event = RatingEvent::Given {
        product_id: product_id(1),
        customer_id: id(customer),
        order_id: id(3),
        stars,
    };
    (id(customer), event.into())
}

#[test]
fn ratings_are_an_exact_sum_and_a_changed_one_counts_once() {
    let mut events = offered(1, details("One"), 1_000);
    events.extend([rated(1, 5), rated(2, 2)]);
    let changed = RatingEvent::Changed {
        product_id: product_id(1),
        customer_id: id(2),
        previous_stars: 2,
        stars: 3,
    };
    events.push((id(2), changed.into()));
    events.extend(offered(2, details("Two"), 1_000));
    let connection = model(events);
    let view = product(&connection, product_id(1)).unwrap().unwrap();
    assert_eq!(view.stars, Stars { sum: 8, count: 2 });
    assert_eq!(view.stars.mean(), Some(4.0));
    assert_eq!(found(&connection, Filter::default(), Sort::Rating, at(0)), [1, 2]);
}

#[test]
fn a_category_filter_takes_in_what_is_below_and_follows_moves() {
    let mut events =
        vec![category_added(1, None), category_added(2, Some(1)), category_added(3, None)];
    for (number, category) in [(1, 1), (2, 2), (3, 3)] {
        let mut details = details("Thing");
        details.category_id = Some(id(category));
        events.extend(offered(number, details, 100));
    }
    let below = |category| Filter { category: Some(id(category)), ..Filter::default() };
    let connection = model(events.clone());
    assert_eq!(newest(&connection, below(1)), [2, 1]);
    assert_eq!(newest(&connection, below(3)), [3]);
    let moved = CategoryEvent::Moved { category_id: id(2), parent_id: Some(id(3)) };
    events.push((Uuid::nil(), moved.into()));
    let connection = model(events);
    assert_eq!(newest(&connection, below(1)), [1]);
    assert_eq!(newest(&connection, below(3)), [3, 2]);
    assert_eq!(newest(&connection, below(4)), []);
    let view = product(&connection, product_id(2)).unwrap().unwrap();
    assert_eq!(view.category.unwrap().path, "c3/c2");
}

#[test]
fn a_cursor_stays_in_place_while_products_come_and_go() {
    let offers = |numbers: std::ops::Range<u128>| numbers.flat_map(|n| offered(n, details("N"), 1));
    let connection = model(offers(1..6));
    let mut request = ask(Filter::default(), Sort::Newest, at(0));
    request.limit = 2;
    let first = list(&connection, &request).unwrap();
    assert_eq!((first.products.len(), first.total), (2, 5));
    let connection = model(offers(1..9));
    request.start = Start::After(first.next.unwrap());
    let second = list(&connection, &request).unwrap();
    let ids: Vec<_> = second.products.iter().map(|p| p.product_id).collect();
    assert_eq!(ids, [product_id(3), product_id(2)]);
}

crate::given::also_in_postgres! {
    the_public_sees_active_products_only
    an_ended_sale_never_matches_a_price_filter
    a_withdrawn_sku_sets_no_price_and_is_not_in_stock
    wholesale_prices_do_not_match_a_price_filter
    prices_in_another_currency_do_not_match
    a_product_is_in_stock_while_any_sku_has_units_somewhere
    a_warehouse_that_is_short_does_not_bind_the_others
    units_at_a_closed_warehouse_are_not_in_stock
    ratings_are_an_exact_sum_and_a_changed_one_counts_once
    a_category_filter_takes_in_what_is_below_and_follows_moves
    a_cursor_stays_in_place_while_products_come_and_go
}
