//! Whole checkouts without HTTP: what the engine itself costs, for profiles.
//!
//! `cargo bench --bench engine -- [shoppers] [seconds]`. Budget: four times the orders of the HTTP
//! benchmark, so that HTTP and its load are what is left to pay for.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop where it is")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tillroll::compose::{Node, NodeOptions};
use tillroll::demo;

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|n| n.parse().ok()).collect();
    let shoppers = numbers.first().copied().unwrap_or(32) as usize;
    let seconds = numbers.get(1).copied().unwrap_or(5);
    let data = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
    let node = Node::open(&NodeOptions::new(data.path())).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let shop = demo::set_up_with(&node.engine, shoppers, true).await.unwrap();
        let orders = Arc::new(AtomicU64::new(0));
        let before = node.journal.stats();
        let started = Instant::now();
        let until = started + Duration::from_secs(seconds);
        let loops: Vec<_> = (0..shoppers)
            .map(|number| {
                let (engine, shop, orders) =
                    (node.engine.clone(), shop.clone(), Arc::clone(&orders));
                let reads = node.reads.clone();
                tokio::spawn(async move {
                    let mut turn = number;
                    while Instant::now() < until {
                        turn += 7;
                        let wanted = [turn % shop.skus.len(), (turn + 1) % shop.skus.len()];
                        let buyer = shop.customers[number];
                        let (_, settled) =
                            demo::buy(&engine, &shop, &buyer, &wanted).await.unwrap();
                        reads.wait_for(settled.position, Duration::from_secs(10)).await.unwrap();
                        orders.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for one in loops {
            one.await.unwrap();
        }
        let took = started.elapsed().as_secs_f64();
        let orders = orders.load(Ordering::Relaxed) as f64;
        let after = node.journal.stats();
        println!(
            "{shoppers} shoppers: {:.0} orders/s, {:.2} ms each, {:.1} events and {:.2} commits an order, {:.0} bytes an order",
            orders / took,
            took * 1e3 * shoppers as f64 / orders,
            (after.events - before.events) as f64 / orders,
            (after.commits - before.commits) as f64 / orders,
            (after.bytes - before.bytes) as f64 / orders,
        );
        node.close().await.unwrap();
    });
}
