//! What this model costs; run by hand in release mode.
//!
//! `TILLROLL_BASKETS` may name a file with one order a line, as numbers of products separated by
//! spaces. Without it, baskets are made up: a few products in most of them.

use std::time::Duration;

use crate::sql::Connection;
use domain::ProductId;

use super::tests::{confirmed, placed, product};
use super::*;
use crate::given::{feed, log, processor_time};

pub(crate) fn baskets() -> Vec<Vec<u128>> {
    let read = |line: &str| line.split(' ').map(|n| n.parse().unwrap()).collect();
    match std::env::var("TILLROLL_BASKETS") {
        Ok(path) => {
            let text = std::fs::read_to_string(path).unwrap();
            text.lines().map(read).collect()
        }
        Err(_) => {
            let mut state = 88_172_645_463_325_252_u64;
            let mut random = || {
                // Xorshift (Marsaglia 2003).
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state
            };
            let popular =
                |number: u64| u128::from((number % 4_000) * (number / 4_000 % 1_000) / 999);
            let mut basket = || {
                let size = 1 + random() % 47;
                (0..size).map(|_| popular(random())).collect()
            };
            (0..22_000).map(|_| basket()).collect()
        }
    }
}

#[test]
#[ignore = "weighs, and judges only in release mode"]
#[expect(clippy::print_stderr, reason = "figures are for people")]
fn loading_counting_and_refreshing_stay_within_their_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let connection = rusqlite::Connection::open(folder.path().join("weighing.sqlite")).unwrap();
    connection.set_prepared_statement_cache_capacity(64);
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536;",
        )
        .unwrap();
    let connection = Connection::from(connection);
    let model = crate::model::Folder::<FrequentlyBoughtTogether>::new();
    crate::file::create(&connection, &model, uuid::Uuid::nil()).unwrap();
    let baskets = baskets();
    let mut events = Vec::new();
    for (basket, number) in baskets.iter().zip(0_u128..) {
        let lines: Vec<_> = basket.iter().map(|product| (*product, 1)).collect();
        events.extend([placed(number, &lines), confirmed(number)]);
    }
    let events = log(events);

    let started = processor_time();
    feed::<FrequentlyBoughtTogether>(&connection, &events, 1_000);
    let loading = processor_time() - started;
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<i64>(0)).unwrap();
    let postings = count("SELECT count(*) FROM posting");
    let file = count("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
    eprintln!(
        "{} orders, {postings} postings: loaded in {loading:?}, {:?} an order, {file} bytes",
        baskets.len(),
        loading / baskets.len() as u32
    );

    let started = processor_time();
    let mut pairs = 0_u64;
    let mut increments = 0_u64;
    for pair in all_pairs(&connection, 1).unwrap() {
        pairs += 1;
        increments += u64::from(pair.unwrap().together);
    }
    let counting = processor_time() - started;
    eprintln!("{pairs} pairs from {increments} increments counted in {counting:?}");

    let started = processor_time();
    let refreshed = refresh(&connection, &Settings::default(), Budget::UNBOUNDED).unwrap();
    let refreshing = processor_time() - started;
    eprintln!("{} products refreshed in {refreshing:?}", refreshed.products);

    let popular: ProductId = connection
        .query_row("SELECT product_id FROM product ORDER BY orders DESC LIMIT 1", [], |row| {
            crate::id_column::id(row, 0)
        })
        .unwrap();
    let started = processor_time();
    for _ in 0..1_000 {
        top(&connection, popular, 10, Score::Cosine, Freshness::Stored).unwrap();
    }
    eprintln!("stored top of the most popular: {:?}", (processor_time() - started) / 1_000);

    for orders_together in [1, 50] {
        let mut events = Vec::new();
        for number in 0..500_u128 {
            let new = baskets.len() as u128 * (1 + orders_together) + number;
            let lines: Vec<_> = baskets[number as usize % baskets.len()]
                .iter()
                .take(5)
                .map(|product| (*product, 1))
                .collect();
            events.extend([placed(new, &lines), confirmed(new)]);
        }
        let mut events = log(events);
        for event in &mut events {
            event.position.0 += 1_000_000 * orders_together as u64;
        }
        let started = processor_time();
        feed::<FrequentlyBoughtTogether>(&connection, &events, 2 * orders_together as usize);
        let each = (processor_time() - started) / 500;
        eprintln!("an order of five lines, {orders_together} in a transaction: {each:?}");
    }

    let started = processor_time();
    let budget = Budget { products_max: usize::MAX, time_max: Duration::from_millis(50) };
    let refreshed = refresh(&connection, &Settings::default(), budget).unwrap();
    eprintln!("then {refreshed:?} in {:?}", (processor_time() - started));
    let started = processor_time();
    let now = top(&connection, popular, 10, Score::Cosine, Freshness::Current).unwrap();
    eprintln!("counted on the spot ({} orders): {:?}", now.orders, (processor_time() - started));
    a_very_long_order(&connection);

    if !cfg!(debug_assertions) {
        assert!(loading < Duration::from_secs(5), "loading took {loading:?}");
        assert!(counting < Duration::from_secs(3), "counting took {counting:?}");
    }
}

#[expect(clippy::print_stderr, reason = "figures are for people")]
fn a_very_long_order(connection: &Connection) {
    // The first products are in ever so many orders, the others in this one alone.
    let lines: Vec<_> = (3_450..4_550).map(|number| (number, 1)).collect();
    let mut long = log([placed(u128::MAX / 2, &lines), confirmed(u128::MAX / 2)]);
    for event in &mut long {
        event.position.0 += 500_000_000;
    }
    let started = processor_time();
    feed::<FrequentlyBoughtTogether>(connection, &long, 2);
    eprintln!("an order of 1,100 lines: folded in {:?}", processor_time() - started);
    let ask = |freshness| top(connection, product(4_500), 10, Score::Cosine, freshness).unwrap();
    let started = processor_time();
    let now = ask(Freshness::Current);
    eprintln!("one of its products counted on the spot: {:?}", processor_time() - started);
    assert_eq!(now.orders, 1);
    let started = processor_time();
    let mut calls = 0;
    let budget = Budget { products_max: 2_000, time_max: Duration::from_millis(50) };
    let mut longest = Duration::ZERO;
    loop {
        let began = processor_time();
        let left = refresh(connection, &Settings::default(), budget).unwrap().left;
        longest = longest.max(processor_time() - began);
        calls += 1;
        if left == 0 {
            break;
        }
    }
    let took = processor_time() - started;
    eprintln!("then all refreshed in {took:?}: {calls} pieces, the longest {longest:?}");
}
