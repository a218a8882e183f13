//! What this model costs; run by hand in release mode.

use journal::Position;

use super::*;
use crate::frequently_bought_together::weighing::{baskets, in_a_file, orders, weigh_more_orders};
use crate::given::{feed, processor_time};

#[test]
#[ignore = "weighs; judged by people"]
#[expect(clippy::print_stderr, reason = "figures are for people")]
fn what_orders_and_answers_cost() {
    let folder = tempfile::tempdir().unwrap();
    let connection = in_a_file::<Purchases>(&folder);
    let baskets = baskets();
    let lines: usize = baskets.iter().map(Vec::len).sum();
    let events = orders(&baskets, 0);
    let started = processor_time();
    feed::<Purchases>(&connection, &events, 1_000);
    let took = processor_time() - started;
    let each = took / baskets.len() as u32;
    eprintln!("{} orders, {lines} lines: {took:?}, {each:?} an order", baskets.len());
    let weigh_popular = |when: &str| {
        let started = processor_time();
        let found = popular(&connection, 100).unwrap().len();
        eprintln!("the {found} most popular {when} a refresh: {:?}", processor_time() - started);
        let started = processor_time();
        let done = refresh_popular(&connection, usize::MAX).unwrap();
        eprintln!("{done} products refreshed: {:?}", processor_time() - started);
    };
    weigh_popular("before");
    weigh_popular("after");
    weigh_more_orders::<Purchases>(&connection, &baskets);
    weigh_popular("after more orders, before");
    let started = processor_time();
    let changed = changed_customers(&connection, Position(0), None, 10_000).unwrap();
    let mut products = 0;
    for customer in &changed.customers {
        products += of_customer(&connection, *customer, 100).unwrap().len();
    }
    let (took, count) = (processor_time() - started, changed.customers.len());
    eprintln!("{products} purchases of {count} customers: {took:?}");
}
