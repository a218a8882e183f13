//! Finding products over HTTP, in a shop of 100,000.
//!
//! `cargo bench --bench finding` starts an engine of its own on a fresh directory and makes the shop over
//! HTTP, which takes minutes; `-- --products 10000` makes a smaller one, and what follows `--with` goes to
//! the engine, such as `--sentence-model DIRECTORY`. Aims, on two cores shared with this load: text p95
//! under 5 ms, hybrid p95 under 20 ms with questions not asked before, recommendations p99 under 2 ms,
//! a change found within a second without a position.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop where it is")]

#[path = "../checkout/connection.rs"]
#[expect(dead_code, reason = "shared with the checkout's load")]
mod connection;
mod freshness;
#[path = "../checkout/process.rs"]
mod process;
mod questions;
mod shop;

use std::time::{Duration, Instant};

use connection::Connection;
use process::Engine;
use shop::Shop;

fn main() {
    let mut products = 100_000;
    let mut with = Vec::new();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--products" => products = words.next().unwrap().parse().unwrap(),
            "--with" => with = words.by_ref().filter(|word| word != "--bench").collect(),
            "--bench" => {}
            other => panic!("unknown argument {other}"),
        }
    }
    println!("{}", process::machine());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run(products, &with));
}

async fn run(products: usize, with: &[String]) {
    let engine = Engine::start(1, with);
    let address = engine.url.replace("http://", "");
    let began = Instant::now();
    let shop = shop::make(&address, &engine, products).await;
    println!("{products} products made over HTTP in {:.0?}", began.elapsed());
    settle(&address, &shop).await;
    println!(
        "vectors and similar products up to date after {:.0?}; {}",
        began.elapsed(),
        memory(&engine)
    );
    println!();
    println!("{:<34}clients  answers/s  p50/p95/p99 ms  engine CPU ms", "question");
    for kind in questions::Kind::ALL {
        for clients in [1, 8] {
            ask(&address, &shop, &engine, kind, clients).await;
        }
    }
    println!();
    freshness::measure(&address, &shop).await;
    println!("{}", memory(&engine));
}

fn memory(engine: &Engine) -> String {
    format!(
        "engine {:.0} MiB resident, this load {:.0}",
        engine.used().rss_mib,
        process::used_by_me().rss_mib
    )
}

/// Waits until nothing is worked out any more.
async fn settle(address: &str, shop: &Shop) {
    let mut link = Connection::open(address).await;
    let figure = |text: &str, name: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(-1.0)
    };
    loop {
        let by = [("authorization", shop.admin.as_str())];
        let answer = link.get("/metrics", &by).await.expect(200);
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let is_done = |of: &str| {
            let [done, all] = ["up_to_date", "all"]
                .map(|which| figure(&text, &format!("tillroll_search_{of}{{which=\"{which}\"}}")));
            done == all && all >= shop.products.len() as f64
        };
        if is_done("vectors") && is_done("similar") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Asks for some seconds, and tells how long it took.
async fn ask(address: &str, shop: &Shop, engine: &Engine, kind: questions::Kind, clients: usize) {
    let until = Instant::now() + Duration::from_secs(4);
    let (before, began) = (engine.used(), Instant::now());
    let loops = (0..clients).map(|client| async move {
        let mut link = Connection::open(address).await;
        let mut times = Vec::new();
        for turn in 0.. {
            let (path, headers) = kind.question(shop, client * 1_000_003 + turn);
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let asked = Instant::now();
            link.get(&path, &headers).await.expect(200);
            times.push(asked.elapsed().as_secs_f64() * 1e3);
            if Instant::now() > until {
                break;
            }
        }
        times
    });
    let mut times: Vec<f64> = futures::future::join_all(loops).await.concat();
    let seconds = began.elapsed().as_secs_f64();
    times.sort_by(f64::total_cmp);
    let cpu = engine.used().since(before).cpu_ms / times.len() as f64;
    println!(
        "{:<34}{clients:>7}{:>11.0}  {:.2} / {:.2} / {:.2}{cpu:>12.2}",
        kind.name(),
        times.len() as f64 / seconds,
        percentile(&times, 0.50),
        percentile(&times, 0.95),
        percentile(&times, 0.99),
    );
}

/// Of sorted values.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let place = (sorted.len() as f64 * share) as usize;
    sorted[place.min(sorted.len() - 1)]
}
