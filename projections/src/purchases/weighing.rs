//! What this model costs; run by hand in release mode.

use journal::Position;

use super::*;
use crate::frequently_bought_together::tests::{confirmed, placed};
use crate::frequently_bought_together::weighing::baskets;
use crate::given::{empty, feed, id, log, processor_time};

#[test]
#[ignore = "weighs; judged by people"]
#[expect(clippy::print_stderr, reason = "figures are for people")]
fn what_orders_and_answers_cost() {
    let connection = empty::<Purchases>();
    let baskets = baskets();
    let mut events = Vec::new();
    for (basket, number) in baskets.iter().zip(0_u128..) {
        let lines: Vec<_> = basket.iter().map(|product| (*product, 1)).collect();
        let mut placed = placed(number, &lines);
        if let AnyEvent::Order(OrderEvent::Placed(order)) = &mut placed.1 {
            order.customer_id = Some(id(0xc000 + number % 4_000));
            order.placed_at += chrono::TimeDelta::minutes((number * 30) as i64);
        }
        events.extend([placed, confirmed(number)]);
    }
    let events = log(events);
    let lines: usize = baskets.iter().map(Vec::len).sum();
    let started = processor_time();
    feed::<Purchases>(&connection, &events, 1_000);
    let took = processor_time() - started;
    let each = took / baskets.len() as u32;
    eprintln!("{} orders, {lines} lines: {took:?}, {each:?} an order", baskets.len());
    for when in ["before", "after"] {
        let started = processor_time();
        let found = popular(&connection, 100).unwrap().len();
        eprintln!("the {found} most popular {when} a refresh: {:?}", processor_time() - started);
        let started = processor_time();
        let done = refresh_popular(&connection, usize::MAX).unwrap();
        eprintln!("{done} products refreshed: {:?}", processor_time() - started);
    }
    let started = processor_time();
    let changed = changed_customers(&connection, Position(0), None, 10_000).unwrap();
    let mut products = 0;
    for customer in &changed.customers {
        products += of_customer(&connection, *customer, 100).unwrap().len();
    }
    let (took, count) = (processor_time() - started, changed.customers.len());
    eprintln!("{products} purchases of {count} customers: {took:?}");
}
