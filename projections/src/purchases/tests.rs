//! What counts for whom, held against adding up by hand.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::order::OrderStatus;
use domain::{CustomerId, ProductId, Timestamp};
use journal::Position;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::frequently_bought_together::tests::{
    Given, came_back, confirmed, ended, happened, life, placed, product, transition,
};
use crate::given::{at, dump_but, empty, feed, given, id, log};

fn customer(number: u128) -> CustomerId {
    id(0xc000 + number)
}

fn day(days: i64) -> Timestamp {
    at(0) + TimeDelta::days(days)
}

/// Says of an order who placed it, and on which day.
fn by(mut event: Given, who: Option<CustomerId>, days: i64) -> Given {
    if let AnyEvent::Order(OrderEvent::Placed(placed)) = &mut event.1 {
        placed.customer_id = who;
        placed.placed_at = day(days);
    }
    event
}

fn bought(number: u128, who: Option<u128>, days: i64, lines: &[(u128, u32)]) -> [Given; 2] {
    [by(placed(number, lines), who.map(customer), days), confirmed(number)]
}

fn model(events: impl IntoIterator<Item = Given>) -> Connection {
    given::<Purchases>(&log(events))
}

fn of(connection: &Connection, who: u128) -> Vec<Bought> {
    of_customer(connection, customer(who), 100).unwrap()
}

fn entry(product_number: u128, orders: u32, units: u64, days: i64) -> Bought {
    Bought { product_id: product(product_number), orders, units, last: day(days) }
}

fn best(connection: &Connection) -> Vec<(ProductId, f64)> {
    let found = popular(connection, 100).unwrap();
    found.into_iter().map(|popular| (popular.product_id, popular.weight)).collect()
}

fn is_about(weight: f64, expected: f64) -> bool {
    (weight / expected - 1.0).abs() < 1e-6
}

#[test]
fn a_customer_has_what_was_confirmed_the_latest_first() {
    let mut events = vec![by(placed(9, &[(7, 1)]), Some(customer(1)), 3)];
    events.extend(bought(1, Some(1), 5, &[(1, 2), (2, 1)]));
    events.extend(bought(2, Some(1), 2, &[(2, 3), (3, 1)]));
    events.extend(bought(3, Some(2), 9, &[(1, 1)]));
    let connection = model(events);
    assert_eq!(of(&connection, 1), [entry(1, 1, 2, 5), entry(2, 2, 4, 5), entry(3, 1, 1, 2)]);
    assert_eq!(of_customer(&connection, customer(1), 1).unwrap(), [entry(1, 1, 2, 5)]);
    assert_eq!(of(&connection, 3), []);
}

#[test]
fn what_came_back_is_not_bought_and_the_order_before_is_the_last() {
    let mut events = Vec::from(bought(1, Some(1), 1, &[(1, 2), (2, 1)]));
    events.extend(bought(2, Some(1), 4, &[(1, 3)]));
    events.push(came_back(2, &[(1, 1)]));
    assert_eq!(of(&model(events.clone()), 1), [entry(1, 2, 4, 4), entry(2, 1, 1, 1)]);
    events.push(came_back(2, &[(1, 2)]));
    assert_eq!(of(&model(events.clone()), 1), [entry(1, 1, 2, 1), entry(2, 1, 1, 1)]);
    let returned = OrderEvent::Returned(transition(1, OrderStatus::Returned));
    for end in [OrderEvent::Cancelled(ended(1)), returned] {
        let mut events = events.clone();
        events.push(happened(1, end));
        let connection = model(events);
        assert_eq!(of(&connection, 1), []);
        assert_eq!(best(&connection), []);
        let rows = dump_but(&connection, DERIVED_TABLES);
        assert!(rows.values().all(Vec::is_empty), "{rows:?}");
    }
}

#[test]
fn a_sale_counts_half_as_much_after_a_half_life_and_guests_sales_do_too() {
    let half_life = i64::from(HALF_LIFE_DAYS);
    let mut events = Vec::from(bought(1, None, half_life, &[(1, 9)]));
    events.extend(bought(2, None, 0, &[(2, 1), (3, 1)]));
    events.extend(bought(3, Some(1), 0, &[(2, 1), (2, 1)]));
    events.extend(bought(4, Some(1), half_life / 2, &[(3, 1)]));
    let [first, second, third] = best(&model(events))[..] else { panic!("three products") };
    assert_eq!([first.0, second.0, third.0], [3, 1, 2].map(product));
    assert!(is_about(first.1, 0.5 + 0.5_f64.sqrt()), "{first:?}");
    assert!(is_about(second.1, 1.0) && is_about(third.1, 1.0), "{second:?} {third:?}");
}

#[test]
fn an_order_takes_back_what_it_added_even_decades_later() {
    let before = Vec::from(bought(1, None, 0, &[(1, 1)]));
    let mut events = before.clone();
    events.extend(bought(2, None, 14_600, &[(1, 1)]));
    let both = best(&model(events.clone()));
    assert!(is_about(both[0].1, 1.0));
    events.push(happened(2, OrderEvent::Cancelled(ended(2))));
    assert_eq!(best(&model(events)), best(&model(before)));
}

/// An order as it is left: who, when, and units of each product.
type Left = (Option<CustomerId>, Timestamp, BTreeMap<ProductId, u64>);

/// Orders that count, worked out from units alone.
fn by_hand(events: &[Given]) -> Vec<Left> {
    type Lines = BTreeMap<u32, (ProductId, u64)>;
    let mut orders: BTreeMap<Uuid, (bool, Option<CustomerId>, Timestamp, Lines)> = BTreeMap::new();
    for (stream, event) in events {
        let AnyEvent::Order(event) = event else { continue };
        match event {
            OrderEvent::Placed(order) => {
                let lines = order.lines.iter();
                let lines = lines.map(|l| (l.line, (l.product_id, l.quantity.get().into())));
                orders.entry(*stream).or_insert_with(|| {
                    (false, order.customer_id, order.placed_at, lines.collect())
                });
            }
            OrderEvent::Confirmed(_) => {
                if let Some(order) = orders.get_mut(stream) {
                    order.0 = true;
                }
            }
            OrderEvent::LinesReturned { lines, .. } => {
                if let Some((.., left)) = orders.get_mut(stream) {
                    for units in lines {
                        if let Some((_, there)) = left.get_mut(&units.line) {
                            *there = there.saturating_sub(units.quantity.get().into());
                        }
                    }
                    left.retain(|_, (_, there)| *there > 0);
                    if left.is_empty() {
                        orders.remove(stream);
                    }
                }
            }
            _ => drop(orders.remove(stream)),
        }
    }
    let counted = orders.into_values().filter(|(confirmed, ..)| *confirmed);
    let sum = |lines: Lines| {
        let mut units = BTreeMap::new();
        for (product, count) in lines.into_values() {
            *units.entry(product).or_default() += count;
        }
        units
    };
    counted.map(|(_, who, when, lines)| (who, when, sum(lines))).collect()
}

fn of_by_hand(orders: &[Left], who: CustomerId) -> Vec<Bought> {
    let mut all: BTreeMap<ProductId, Bought> = BTreeMap::new();
    for (_, when, units) in orders.iter().filter(|(by, ..)| *by == Some(who)) {
        for (product_id, units) in units {
            let nothing = Bought { product_id: *product_id, orders: 0, units: 0, last: *when };
            let bought = all.entry(*product_id).or_insert(nothing);
            bought.orders += 1;
            bought.units += units;
            bought.last = bought.last.max(*when);
        }
    }
    let mut all: Vec<_> = all.into_values().collect();
    all.sort_by_key(|bought| (std::cmp::Reverse(bought.last), bought.product_id));
    all
}

fn weights_by_hand(orders: &[Left]) -> BTreeMap<ProductId, f64> {
    let newest = orders.iter().map(|(_, when, _)| *when).max();
    let mut weights = BTreeMap::new();
    for (_, when, units) in orders {
        let age = newest.map_or(0.0, |newest| (newest - when).num_seconds() as f64);
        for product in units.keys() {
            *weights.entry(*product).or_default() += (-age / 86_400.0 / 30.0).exp2();
        }
    }
    weights
}

/// A shop's life with a few customers and guests, over decades or days.
fn any_life() -> impl Strategy<Value = Vec<Given>> {
    let days = prop_oneof![-7_000_i64..7_000, 0_i64..60];
    let who = prop::option::of(0_u128..3);
    let orders = prop::collection::vec((who, days), 25);
    (life(), orders).prop_map(|(events, orders)| {
        let number = |stream: &Uuid| (stream.as_u128() - 0x0f00) as usize;
        let told = events.into_iter().map(|event| {
            let (who, days) = orders[number(&event.0)];
            by(event, who.map(customer), days)
        });
        told.collect()
    })
}

fn customers() -> impl Iterator<Item = CustomerId> {
    (0..3).map(customer)
}

proptest! {
    #![proptest_config(crate::given::cases())]

    #[test]
    fn purchases_are_those_of_adding_up_by_hand(events in any_life(), portion in 1_usize..6) {
        let orders = by_hand(&events);
        let connection = model(events);
        for who in customers() {
            prop_assert_eq!(of_customer(&connection, who, 100).unwrap(), of_by_hand(&orders, who));
        }
        let weights = weights_by_hand(&orders);
        let found = popular(&connection, 100).unwrap();
        prop_assert!(found.is_sorted_by(|a, b| a.weight >= b.weight));
        prop_assert_eq!(found.len(), weights.len());
        for popular in &found {
            let expected = weights[&popular.product_id];
            prop_assert!(is_about(popular.weight, expected), "{:?} {}", popular, expected);
        }
        let mut left = usize::MAX;
        while left > 0 {
            left = refresh_popular(&connection, portion).unwrap();
            prop_assert_eq!(&popular(&connection, 100).unwrap(), &found);
            prop_assert_eq!(&popular(&connection, 2).unwrap(), &found[..found.len().min(2)]);
        }
    }

    #[test]
    fn batches_and_refreshes_at_any_time_leave_the_same_rows(
        events in any_life(), batch in 1_usize..40,
    ) {
        let events = log(events);
        let once = given::<Purchases>(&events);
        let often = empty::<Purchases>();
        for part in events.chunks(batch) {
            feed::<Purchases>(&often, part, 7);
            refresh_popular(&often, 3).unwrap();
        }
        prop_assert_eq!(dump_but(&often, DERIVED_TABLES), dump_but(&once, DERIVED_TABLES));
        for connection in [&once, &often] {
            refresh_popular(connection, usize::MAX).unwrap();
        }
        let not = ["changed_customer"];
        prop_assert_eq!(dump_but(&often, &not), dump_but(&once, &not));
    }

    #[test]
    fn whoever_follows_has_what_whoever_asks_for_all_has(
        events in any_life(), steps in prop::collection::vec((1_usize..20, any::<bool>()), 0..20),
    ) {
        let events = log(events);
        let connection = empty::<Purchases>();
        let mut known: BTreeMap<CustomerId, Vec<Bought>> = BTreeMap::new();
        let mut since = Position(0);
        let mut rest = &events[..];
        for (count, reads) in steps.into_iter().chain([(usize::MAX, true)]) {
            let (part, later) = rest.split_at(count.min(rest.len()));
            feed::<Purchases>(&connection, part, usize::MAX);
            rest = later;
            let mut after = None;
            let mut more = reads;
            let mut next = None;
            while more {
                let changed = changed_customers(&connection, since, after, 2).unwrap();
                for who in changed.customers {
                    known.insert(who, of_customer(&connection, who, 100).unwrap());
                    after = Some(who);
                }
                next.get_or_insert(changed.position);
                more = changed.more;
            }
            since = next.unwrap_or(since);
        }
        for who in customers() {
            let now = of_customer(&connection, who, 100).unwrap();
            prop_assert_eq!(known.get(&who).cloned().unwrap_or_default(), now);
        }
        let quiet = changed_customers(&connection, since, None, 10).unwrap();
        prop_assert_eq!(quiet.customers, []);
    }
}

crate::given::also_in_postgres! {
    a_customer_has_what_was_confirmed_the_latest_first
    what_came_back_is_not_bought_and_the_order_before_is_the_last
    a_sale_counts_half_as_much_after_a_half_life_and_guests_sales_do_too
    an_order_takes_back_what_it_added_even_decades_later
    purchases_are_those_of_adding_up_by_hand
    batches_and_refreshes_at_any_time_leave_the_same_rows
    whoever_follows_has_what_whoever_asks_for_all_has
}

#[test]
fn orders_that_count_are_told_from_a_position_on() {
    let events = [
        bought(1, Some(1), 0, &[(2, 1), (1, 3)]),
        bought(2, None, 1, &[(1, 1)]),
        bought(3, Some(1), 2, &[(3, 1)]),
    ];
    let mut events: Vec<Given> = events.into_iter().flatten().collect();
    events.push(placed(4, &[(1, 1)]));
    let model = model(events);
    let told = orders_after(&model, Position(0), 100).unwrap();
    let seen: Vec<_> = told
        .iter()
        .map(|order| (order.placed_at, order.customer_id, order.products.clone()))
        .collect();
    let expected = [
        (day(0), Some(customer(1)), vec![product(1), product(2)]),
        (day(1), None, vec![product(1)]),
        (day(2), Some(customer(1)), vec![product(3)]),
    ];
    assert_eq!(seen, expected, "an order that is not confirmed is not told");
    let first = told[0].position;
    assert_eq!(orders_after(&model, first, 1).unwrap(), told[1..2]);
    assert_eq!(orders_after(&model, told[2].position, 9).unwrap(), []);
}
