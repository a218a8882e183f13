//! The counting rules, each held against counting by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::sql::Connection;
use domain::order::{
    Actor, EndTransition, LineUnits, OrderEndReason, OrderEvent, OrderLine, OrderStatus,
    OrderTotals, PlacedOrder, Transition,
};
use domain::pricing::PriceRule;
use domain::{Currency, OrderId, ProductId, Quantity};
use proptest::prelude::*;
use schemas::AnyEvent;
use uuid::Uuid;

use super::counting::Counter;
use super::*;
use crate::given::{at, dump, empty, feed, given, id, log};

pub(crate) type Given = (Uuid, AnyEvent);

pub(crate) fn order(number: u128) -> OrderId {
    id(0x0f00 + number)
}

pub(crate) fn product(number: u128) -> ProductId {
    id(0xab00_0000 + number)
}

fn units(quantity: u32) -> Quantity {
    Quantity::new(quantity).unwrap()
}

/// Lines are numbered from 1; one unit of each product, or as many as named.
pub(crate) fn placed(number: u128, lines: &[(u128, u32)]) -> Given {
    let lines = lines
        .iter()
        .zip(1..)
        .map(|((product_number, quantity), line)| OrderLine {
            line,
            sku_id: id(1),
            product_id: product(*product_number),
            seller_id: id(2),
            name: "Thing".to_owned(),
            quantity: units(*quantity),
            unit_minor: 100,
            price_rule: PriceRule::Sku,
        })
        .collect();
    let placed = PlacedOrder {
        order_id: order(number),
        cart_id: id(3),
        customer_id: None,
        currency: Currency::GBP,
        lines,
        totals: OrderTotals::default(),
        shipping_address: None,
        guest_contact: None,
        payment_method_id: None,
        payment_id: None,
        reference: None,
        placed_at: at(0),
        actor: Actor::system(),
    };
    happened(number, OrderEvent::Placed(Box::new(placed)))
}

pub(crate) fn happened(number: u128, event: OrderEvent) -> Given {
    (order(number).uuid(), event.into())
}

pub(crate) fn transition(number: u128, to: OrderStatus) -> Transition {
    Transition {
        order_id: order(number),
        previous_state: OrderStatus::Pending,
        new_state: to,
        timestamp: at(0),
        actor: Actor::system(),
    }
}

pub(crate) fn confirmed(number: u128) -> Given {
    let event = OrderEvent::Confirmed(transition(number, OrderStatus::Confirmed));
    happened(number, event)
}

pub(crate) fn ended(number: u128) -> EndTransition {
    EndTransition {
        order_id: order(number),
        previous_state: OrderStatus::Pending,
        new_state: OrderStatus::Cancelled,
        timestamp: at(0),
        actor: Actor::system(),
        reason: OrderEndReason::OutOfStock,
    }
}

pub(crate) fn came_back(number: u128, lines: &[(u32, u32)]) -> Given {
    let lines = lines
        .iter()
        .map(|(line, quantity)| LineUnits { line: *line, quantity: units(*quantity) })
        .collect();
    let return_id = id(9);
    happened(number, OrderEvent::LinesReturned { return_id, lines })
}

fn model(events: impl IntoIterator<Item = Given>) -> Connection {
    given::<FrequentlyBoughtTogether>(&log(events))
}

fn pairs(connection: &Connection) -> Vec<(ProductId, ProductId, u32)> {
    all_pairs(connection, 1)
        .unwrap()
        .map(|pair| pair.map(|pair| (pair.first, pair.second, pair.together)))
        .collect::<Result<_, _>>()
        .unwrap()
}

fn refresh_all(connection: &Connection, support_min: u32) -> Refreshed {
    refresh(connection, &Settings { support_min }, Budget::UNBOUNDED).unwrap()
}

#[test]
fn an_order_counts_from_its_confirmation() {
    let mut events = vec![placed(1, &[(1, 1), (2, 1)])];
    assert_eq!(pairs(&model(events.clone())), []);
    events.push(confirmed(1));
    assert_eq!(pairs(&model(events)), [(product(1), product(2), 1)]);
}

#[test]
fn an_order_that_came_to_nothing_never_counts() {
    let failed = happened(1, OrderEvent::Failed(ended(1)));
    let connection = model([placed(1, &[(1, 1), (2, 1)]), failed]);
    assert!(dump(&connection)["basket"].is_empty());
    assert_eq!(pairs(&connection), []);
}

#[test]
fn a_cancelled_or_wholly_returned_order_stops_counting() {
    for end in [
        OrderEvent::Cancelled(ended(1)),
        OrderEvent::Returned(transition(1, OrderStatus::Returned)),
    ] {
        let events = [placed(1, &[(1, 1), (2, 1)]), confirmed(1), happened(1, end)];
        let connection = model(events);
        assert_eq!(pairs(&connection), []);
        refresh_all(&connection, 1);
        assert_eq!(dump(&connection)["total"], ["[Integer(1), Integer(0)]"]);
        for table in ["basket", "posting", "product", "top"] {
            assert!(dump(&connection)[table].is_empty(), "{table}");
        }
    }
}

#[test]
fn a_product_on_several_lines_counts_once_and_until_its_last_unit_came_back() {
    let mut events = vec![placed(1, &[(1, 2), (2, 1), (1, 1)]), confirmed(1)];
    events.push(came_back(1, &[(1, 1)]));
    events.push(came_back(1, &[(1, 1)]));
    assert_eq!(pairs(&model(events.clone())), [(product(1), product(2), 1)]);
    events.push(came_back(1, &[(3, 1)]));
    let connection = model(events);
    assert_eq!(pairs(&connection), []);
    assert_eq!(top_of(&connection, 2).orders, 1);
}

fn top_of(connection: &Connection, number: u128) -> Top {
    let k = TOP_MAX;
    top(connection, product(number), k, Score::Cosine, Freshness::Stored).unwrap()
}

/// 1 and 2 always together; 3 in every order.
fn everybody_buys_3() -> Vec<Given> {
    let mut events = Vec::new();
    for number in 0..10 {
        let lines: &[(u128, u32)] = match number {
            0..3 => &[(1, 1), (2, 1), (3, 1)],
            _ => &[(3, 1), (4, 1)],
        };
        events.extend([placed(number, lines), confirmed(number)]);
    }
    events
}

#[test]
fn what_everybody_buys_is_not_what_goes_together() {
    let connection = model(everybody_buys_3());
    refresh_all(&connection, 2);
    let top = top_of(&connection, 1);
    let found: Vec<_> = top.partners.iter().map(|p| p.product_id).collect();
    assert_eq!(found, [product(2), product(3)]);
    let [first, second] = top.partners[..] else { panic!("two partners") };
    assert_eq!((first.cosine, first.jaccard), (1.0, 1.0));
    assert!((first.lift - 10.0 / 3.0).abs() < 1e-12);
    assert_eq!((second.together, second.orders, second.lift), (3, 10, 1.0));
}

#[test]
fn partners_below_the_minimum_support_are_left_out() {
    let connection = model(everybody_buys_3());
    assert!(refresh_all(&connection, 4).products > 0);
    assert_eq!(top_of(&connection, 1).partners, []);
    let everything_again = refresh_all(&connection, 2);
    assert_eq!(everything_again.products, 4);
    assert_eq!(top_of(&connection, 1).partners.len(), 2);
}

#[test]
fn a_reader_can_ask_for_what_is_stored_or_for_now() {
    let connection = model(everybody_buys_3());
    refresh_all(&connection, 2);
    let mut events = everybody_buys_3();
    let known = events.len();
    for number in 10..15 {
        events.extend([placed(number, &[(1, 1), (5, 1)]), confirmed(number)]);
    }
    feed::<FrequentlyBoughtTogether>(&connection, &log(events)[known..], 3);
    let ask = |freshness| top(&connection, product(1), 1, Score::Cosine, freshness).unwrap();
    let stored = ask(Freshness::Stored);
    assert!(stored.stale);
    assert_eq!((stored.orders, stored.partners[0].product_id), (3, product(2)));
    let now = ask(Freshness::Current);
    assert!(!now.stale);
    assert_eq!((now.orders, now.partners[0].product_id), (8, product(5)));
    refresh_all(&connection, 2);
    assert_eq!(ask(Freshness::Stored), now);
    assert_eq!(refresh_all(&connection, 2), Refreshed::default());
}

#[test]
fn an_order_of_1100_lines_is_one_basket_and_1100_postings() {
    let lines: Vec<_> = (0..1_100).map(|number| (number, 1)).collect();
    let connection = model([placed(1, &lines), confirmed(1)]);
    assert_eq!(dump(&connection)["posting"].len(), 1_100);
    assert_eq!(pairs(&connection).len(), 1_100 * 1_099 / 2);
}

/// A shop's life in random order; events that make no sense are part of it.
pub(crate) fn life() -> impl Strategy<Value = Vec<Given>> {
    let basket = prop::collection::vec((0_u128..12, 1_u32..3), 1..7);
    let one = prop_oneof![
        3 => (0_u128..25, basket).prop_map(|(number, lines)| placed(number, &lines)),
        4 => (0_u128..25).prop_map(confirmed),
        1 => (0_u128..25).prop_map(|n| happened(n, OrderEvent::Cancelled(ended(n)))),
        2 => (0_u128..25, prop::collection::vec((1_u32..7, 1_u32..3), 1..4))
            .prop_map(|(number, lines)| came_back(number, &lines)),
        1 => (0_u128..25)
            .prop_map(|n| happened(n, OrderEvent::Returned(transition(n, OrderStatus::Returned)))),
    ];
    prop::collection::vec(one, 0..150)
}

/// Products of the orders that count, worked out from units alone.
fn by_hand(events: &[Given]) -> Vec<BTreeSet<ProductId>> {
    type Units = BTreeMap<u32, (ProductId, u32)>;
    let mut orders: BTreeMap<Uuid, (bool, Units)> = BTreeMap::new();
    for (stream, event) in events {
        let AnyEvent::Order(event) = event else {
            continue;
        };
        match event {
            OrderEvent::Placed(order) => {
                orders.entry(*stream).or_insert_with(|| {
                    let lines = order.lines.iter();
                    (false, lines.map(|l| (l.line, (l.product_id, l.quantity.get()))).collect())
                });
            }
            OrderEvent::Confirmed(_) => {
                if let Some(order) = orders.get_mut(stream) {
                    order.0 = true;
                }
            }
            OrderEvent::LinesReturned { lines, .. } => {
                if let Some((_, left)) = orders.get_mut(stream) {
                    for units in lines {
                        if let Some((_, there)) = left.get_mut(&units.line) {
                            *there = there.saturating_sub(units.quantity.get());
                        }
                    }
                    left.retain(|_, (_, there)| *there > 0);
                    if left.is_empty() {
                        orders.remove(stream);
                    }
                }
            }
            _ => {
                orders.remove(stream);
            }
        }
    }
    let counted = orders.into_values().filter(|(confirmed, _)| *confirmed);
    counted.map(|(_, left)| left.into_values().map(|(product, _)| product).collect()).collect()
}

/// Read two at a time.
fn whole_baskets(connection: &Connection) -> Vec<Vec<ProductId>> {
    let mut all = Vec::new();
    let mut after = 0;
    loop {
        let page = super::baskets(connection, after, 2).unwrap();
        let Some((last, _)) = page.last() else { break };
        assert!(page.is_sorted_by_key(|(ordinal, _)| *ordinal) && *last > after);
        after = *last;
        all.extend(page.into_iter().map(|(_, products)| products));
    }
    all.sort_unstable();
    all
}

fn together(baskets: &[BTreeSet<ProductId>], a: ProductId, b: ProductId) -> u32 {
    let both = baskets.iter().filter(|b1| b1.contains(&a) && b1.contains(&b));
    both.count() as u32
}

proptest! {
    #![proptest_config(crate::given::cases())]

    #[test]
    fn counts_are_those_of_counting_by_hand(events in life()) {
        let baskets = by_hand(&events);
        let connection = model(events);
        let products: BTreeSet<_> = baskets.iter().flatten().copied().collect();
        prop_assert_eq!(whole_baskets(&connection), {
            let mut sorted: Vec<Vec<_>> =
                baskets.iter().map(|basket| basket.iter().copied().collect()).collect();
            sorted.sort_unstable();
            sorted
        });
        let mut expected = Vec::new();
        for a in &products {
            for b in products.range(*a..).skip(1) {
                expected.extend(Some((*a, *b, together(&baskets, *a, *b))).filter(|p| p.2 > 0));
            }
        }
        prop_assert_eq!(pairs(&connection), expected);
        let ask = |product, score, freshness| {
            let k = 3;
            top(&connection, product, k, score, freshness).unwrap()
        };
        let all = products.iter().flat_map(|a| Score::ALL.map(|score| (*a, score)));
        let before: Vec<_> = all.map(|(a, score)| ask(a, score, Freshness::Current)).collect();
        refresh_all(&connection, 2);
        let mut before = before.into_iter();
        for a in &products {
            for score in Score::ALL {
                let top = ask(*a, score, Freshness::Stored);
                let counted_before = before.next();
                prop_assert_eq!(Some(&top), counted_before.as_ref());
                prop_assert_eq!(top.all_orders as usize, baskets.len());
                prop_assert_eq!(top.orders, together(&baskets, *a, *a));
                let mut best: Vec<_> = products.iter().filter(|b| *b != a).filter_map(|b| {
                    let n = together(&baskets, *a, *b);
                    let either = top.orders + together(&baskets, *b, *b) - n;
                    let popularity = together(&baskets, *b, *b);
                    // Fractions of numbers up to 25: a millionth tells them apart.
                    let (over, under) = match score {
                        Score::Cosine => (n * n, popularity),
                        Score::Lift => (n, popularity),
                        Score::Jaccard => (n, either),
                        Score::Count => (n, 1),
                    };
                    (n >= 2).then(|| (u64::from(over) * 1_000_000 / u64::from(under), n, *b))
                }).collect();
                best.sort_by(|x, y| (y.0, y.1).cmp(&(x.0, x.1)).then(x.2.cmp(&y.2)));
                let best: Vec<_> = best.into_iter().take(3).map(|(_, n, b)| (b, n)).collect();
                let found: Vec<_> =
                    top.partners.iter().map(|p| (p.product_id, p.together)).collect();
                prop_assert_eq!(found, best, "{:?}", score);
            }
        }
    }

    #[test]
    fn batches_and_refreshes_at_any_time_leave_the_same_rows(
        events in life(), batch in 1_usize..40, portion in 1_usize..6,
    ) {
        let events = log(events);
        let once = given::<FrequentlyBoughtTogether>(&events);
        refresh_all(&once, 2);
        let often = empty::<FrequentlyBoughtTogether>();
        for part in events.chunks(batch) {
            feed::<FrequentlyBoughtTogether>(&often, part, 7);
            let budget = Budget { products_max: portion, time_max: Duration::MAX };
            refresh(&often, &Settings::default(), budget).unwrap();
        }
        let small = Budget { products_max: 2, time_max: Duration::ZERO };
        while refresh(&often, &Settings::default(), small).unwrap().left > 0 {}
        prop_assert_eq!(dump(&often), dump(&once));
    }

    #[test]
    fn little_memory_changes_no_count(events in life()) {
        let connection = model(events);
        let mut much = Counter::new(&connection);
        let mut little = Counter::with_memory(&connection, 3);
        for number in 0..12 {
            let [mut a, mut b] = [&mut much, &mut little]
                .map(|counter| counter.partners(product(number), 1).unwrap());
            a.1.sort_unstable_by_key(|p| p.product_id);
            b.1.sort_unstable_by_key(|p| p.product_id);
            prop_assert_eq!(a, b);
        }
    }
}

crate::given::also_in_postgres! {
    an_order_counts_from_its_confirmation
    an_order_that_came_to_nothing_never_counts
    a_cancelled_or_wholly_returned_order_stops_counting
    a_product_on_several_lines_counts_once_and_until_its_last_unit_came_back
    what_everybody_buys_is_not_what_goes_together
    partners_below_the_minimum_support_are_left_out
    a_reader_can_ask_for_what_is_stored_or_for_now
    an_order_of_1100_lines_is_one_basket_and_1100_postings
    counts_are_those_of_counting_by_hand
    batches_and_refreshes_at_any_time_leave_the_same_rows
    little_memory_changes_no_count
}
