//! What this model costs; run by hand in release mode.
//!
//! `TILLROLL_BASKETS` may name a file with one order a line, as numbers of products separated by
//! spaces. Without it, baskets are made up: a few products in most of them.

use std::time::Duration;

use crate::sql::Connection;
use domain::ProductId;
use domain::order::OrderEvent;

use super::tests::{confirmed, placed, product};
use super::*;
use crate::given::{feed, id, log, processor_time};

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

/// An empty model in a file, as one is kept.
pub(crate) fn in_a_file<P: Projector>(folder: &tempfile::TempDir) -> Connection {
    let connection = rusqlite::Connection::open(folder.path().join("weighing.sqlite")).unwrap();
    connection.set_prepared_statement_cache_capacity(64);
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536;",
        )
        .unwrap();
    let connection = Connection::from(connection);
    crate::file::create(&connection, &crate::model::Folder::<P>::new(), uuid::Uuid::nil()).unwrap();
    connection
}

/// Orders of some customers, half an hour after one another, placed and confirmed. `first` numbers
/// them, and is how many came before.
pub(crate) fn orders(baskets: &[Vec<u128>], first: u128) -> Vec<Envelope> {
    let mut events = Vec::new();
    for (basket, number) in baskets.iter().zip(first..) {
        let lines: Vec<_> = basket.iter().map(|product| (*product, 1)).collect();
        let mut placed = placed(number, &lines);
        if let AnyEvent::Order(OrderEvent::Placed(order)) = &mut placed.1 {
            order.customer_id = Some(id(0xc000 + number % 4_000));
            order.placed_at += chrono::TimeDelta::minutes((number * 30) as i64);
        }
        events.extend([placed, confirmed(number)]);
    }
    let mut events = log(events);
    for event in &mut events {
        event.position.0 += 2 * first as u64;
    }
    events
}

/// Orders of five lines, as shoppers who buy what others bought.
const SMALL: usize = 500;

pub(crate) fn small_orders(baskets: &[Vec<u128>], first: usize) -> Vec<Envelope> {
    let baskets = baskets.iter().cycle().skip(first).filter(|basket| basket.len() >= 5);
    let five: Vec<_> = baskets.take(SMALL).map(|basket| basket[..5].to_vec()).collect();
    orders(&five, first as u128)
}

/// 1,100 lines: the first products are in ever so many orders, the last in this one alone.
pub(crate) fn long_order(first: usize) -> Vec<Envelope> {
    orders(&[(3_450..4_550).collect()], first as u128)
}

/// What it costs to fold orders into a model that has many. Returns how many it has then.
#[expect(clippy::print_stderr, reason = "figures are for people")]
pub(crate) fn weigh_more_orders<P: Projector>(
    connection: &Connection,
    baskets: &[Vec<u128>],
) -> usize {
    let mut before = baskets.len();
    for orders_together in [1, 50] {
        let events = small_orders(baskets, before);
        before += SMALL;
        let mut each = Vec::new();
        for transaction in events.chunks(2 * orders_together) {
            let started = processor_time();
            feed::<P>(connection, transaction, transaction.len());
            each.push((processor_time() - started) / orders_together as u32);
        }
        eprintln!("an order of five lines, {orders_together} in a transaction: {}", spread(each));
    }
    let long = long_order(before);
    let started = processor_time();
    feed::<P>(connection, &long, long.len());
    eprintln!("an order of 1,100 lines: {:?}", processor_time() - started);
    before + 1
}

/// Median and most.
pub(crate) fn spread(mut figures: Vec<Duration>) -> String {
    figures.sort_unstable();
    let (middle, most) = (figures[figures.len() / 2], figures[figures.len() - 1]);
    format!("median {middle:?}, most {most:?}")
}

#[test]
#[ignore = "weighs, and judges only in release mode"]
#[expect(clippy::print_stderr, reason = "figures are for people")]
fn loading_counting_and_refreshing_stay_within_their_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let connection = in_a_file::<FrequentlyBoughtTogether>(&folder);
    let baskets = baskets();
    let events = orders(&baskets, 0);

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

    let mut before = baskets.len();
    let mut small = Vec::new();
    for order in small_orders(&baskets, before).chunks(2).take(10) {
        feed::<FrequentlyBoughtTogether>(&connection, order, 2);
        small.push(refresh_all(&connection));
        before += 1;
    }
    let took = small.iter().map(|refreshed| refreshed.took).collect();
    let products: usize = small.iter().map(|refreshed| refreshed.products).sum();
    let products = products / small.len();
    eprintln!("an order of five lines refreshes {products} products: {}", spread(took));
    let started = processor_time();
    let now = top(&connection, popular, 10, Score::Cosine, Freshness::Current).unwrap();
    eprintln!("counted on the spot ({} orders): {:?}", now.orders, processor_time() - started);

    let long = long_order(before);
    feed::<FrequentlyBoughtTogether>(&connection, &long, 2);
    let ask = || top(&connection, product(4_500), 10, Score::Cosine, Freshness::Current).unwrap();
    let started = processor_time();
    let now = ask();
    eprintln!("one of 1,100 products counted on the spot: {:?}", processor_time() - started);
    assert_eq!(now.orders, 1);
    let Pieces { took, products, pieces, longest } = refresh_all(&connection);
    eprintln!(
        "an order of 1,100 lines refreshes {products} products: {took:?}, {pieces} pieces, the \
         longest {longest:?}"
    );

    if !cfg!(debug_assertions) {
        assert!(loading < Duration::from_secs(5), "loading took {loading:?}");
        assert!(counting < Duration::from_secs(3), "counting took {counting:?}");
    }
}

#[test]
#[ignore = "weighs; judged by people"]
fn what_more_orders_cost() {
    let folder = tempfile::tempdir().unwrap();
    let connection = in_a_file::<FrequentlyBoughtTogether>(&folder);
    let baskets = baskets();
    feed::<FrequentlyBoughtTogether>(&connection, &orders(&baskets, 0), 1_000);
    refresh(&connection, &Settings::default(), Budget::UNBOUNDED).unwrap();
    let orders = weigh_more_orders::<FrequentlyBoughtTogether>(&connection, &baskets);
    let confirmed = connection.query_row("SELECT orders FROM total", [], |row| row.get::<i64>(0));
    assert_eq!(confirmed.unwrap(), orders as i64);
}

/// What it took until nothing was stale.
struct Pieces {
    took: Duration,
    products: usize,
    pieces: usize,
    longest: Duration,
}

/// In pieces as the runner does them.
fn refresh_all(connection: &Connection) -> Pieces {
    let budget = Budget { products_max: 2_000, time_max: Duration::from_millis(50) };
    let mut all = Pieces { took: Duration::ZERO, products: 0, pieces: 0, longest: Duration::ZERO };
    loop {
        let started = processor_time();
        let Refreshed { products, left } =
            refresh(connection, &Settings::default(), budget).unwrap();
        let took = processor_time() - started;
        all.took += took;
        all.longest = all.longest.max(took);
        all.products += products;
        all.pieces += 1;
        if left == 0 {
            return all;
        }
    }
}
