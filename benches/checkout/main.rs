//! Checkout over HTTP in a closed loop, and the flash sale.
//!
//! `cargo bench --bench checkout` starts an engine of its own on a fresh directory; with
//! `-- --url http://host:port --admin-key … --storefront-key …` it drives one that runs already; what
//! follows `--with` goes to the engine it starts, such as `--journal postgres://…` (an empty
//! database), and `--nodes 3` starts several on it.
//! Budget: 2,000 durable orders/s at 128 shoppers and 1,200 at 32 on two cores shared with this
//! load, whole checkout p50 under 3 ms with one shopper; the peers measured beside it place 1 to
//! 10 orders/s (docs/benchmarks.md).

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop where it is")]

mod connection;
mod flash_sale;
mod peer_failures;
mod process;
mod seed;
mod shoppers;

use std::time::Duration;

use process::Engine;

/// What is run and against what.
struct Plan {
    url: Option<String>,
    admin_key: String,
    storefront_key: String,
    shoppers: Vec<usize>,
    seconds: u64,
    buyers: usize,
    only: Option<String>,
    /// Words for the engine, and how many nodes it has.
    with: Vec<String>,
    nodes: usize,
}

fn plan() -> Plan {
    let mut plan = Plan {
        url: None,
        admin_key: String::new(),
        storefront_key: String::new(),
        shoppers: vec![1, 8, 32, 128],
        seconds: 8,
        buyers: 10_000,
        only: None,
        with: Vec::new(),
        nodes: 1,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--with" {
            plan.with = words.by_ref().filter(|word| word != "--bench").collect();
            break;
        }
        let mut value = || words.next().unwrap_or_else(|| panic!("{word} needs a value"));
        match word.as_str() {
            "--url" => plan.url = Some(value()),
            "--admin-key" => plan.admin_key = value(),
            "--storefront-key" => plan.storefront_key = value(),
            "--shoppers" => {
                plan.shoppers = value().split(',').map(|n| n.parse().unwrap()).collect();
            }
            "--seconds" => plan.seconds = value().parse().unwrap(),
            "--buyers" => plan.buyers = value().parse().unwrap(),
            "--nodes" => plan.nodes = value().parse().unwrap(),
            "--only" => plan.only = Some(value()),
            // What `cargo bench` itself passes on.
            "--bench" => {}
            other => panic!("unknown argument {other}"),
        }
    }
    plan
}

fn main() {
    let mut plan = plan();
    let engine = match &plan.url {
        Some(_) => None,
        None => {
            let engine = Engine::start(plan.nodes, &plan.with);
            plan.url = Some(engine.url.clone());
            plan.admin_key.clone_from(&engine.admin_key);
            plan.storefront_key.clone_from(&engine.storefront_key);
            Some(engine)
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run(&plan, engine.as_ref()));
}

async fn run(plan: &Plan, engine: Option<&Engine>) {
    let wanted = |name: &str| plan.only.as_deref().is_none_or(|only| only == name);
    println!("machine: {}", process::machine());
    let address = plan.url.as_deref().unwrap().replace("http://", "");
    let most = plan.shoppers.iter().copied().max().unwrap_or(1);
    let shop = seed::seed(&address, &plan.admin_key, &plan.storefront_key, most).await;
    if wanted("checkout") {
        println!("{}", shoppers::HEADING);
        for &count in &plan.shoppers {
            let lasting = Duration::from_secs(plan.seconds);
            let row = shoppers::run(&address, &shop, count, lasting, engine).await;
            println!("{row}");
        }
    }
    if wanted("flash") {
        flash_sale::run(&address, &shop, plan.buyers).await;
    }
    if wanted("peers") {
        peer_failures::run(&address, &shop).await;
    }
}
