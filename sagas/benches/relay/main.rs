//! The relay over JetStream: the highest rate beside bare publishes of the same messages with the
//! same window, and the delay from commit to delivery at a steady rate.
//!
//! `cargo bench -p sagas --features nats --bench relay -- [EVENTS/S]`; starts a server of its own,
//! or takes that of `TILLROLL_TEST_NATS_URL`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise"
)]
#![allow(unreachable_pub, dead_code, reason = "shared with the tests")]

#[path = "../../tests/bus/shop.rs"]
mod shop;

mod bare;
mod delay;

use std::sync::Arc;
use std::time::{Duration, Instant};

use journal::Journal;
use sagas::relay::{JetStreamBus, JetStreamOptions, Relay, RelayOptions};
use test_servers::nats;

const ORDERS: usize = 2_500;
const ROUNDS: usize = 5;
const STEADY: Duration = Duration::from_secs(20);

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let per_second = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(500);
    runtime.block_on(async {
        let url = nats::shared_url();
        highest_rate(&url).await;
        delay::measure(&url, per_second, STEADY).await;
    });
}

/// Both take turns, each into a fresh stream.
async fn highest_rate(url: &str) {
    let journal = shop::memory();
    for _ in 0..ORDERS {
        shop::one_order(&*journal).await;
    }
    let messages = shop::expected(&*journal).await;
    let events = journal.head().0;
    println!("{events} events, {} messages of {} bytes", messages.len(), {
        let bytes: usize = messages.iter().map(|message| message.encode().len()).sum();
        bytes / messages.len()
    });
    println!("messages/s: relay | bare publishes, same window | ratio");
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let options = shop::options(url);
        let relayed = relay(Arc::clone(&journal) as _, &options, messages.len()).await;
        let bare = bare::publish(&shop::options(url), &messages).await;
        println!("{relayed:.0} | {bare:.0} | {:.2}", relayed / bare);
        ratios.push(relayed / bare);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2}", ratios[ROUNDS / 2]);
}

async fn relay(journal: Arc<dyn Journal>, options: &JetStreamOptions, messages: usize) -> f64 {
    let head = journal.head();
    let bus = Arc::new(JetStreamBus::new(options.clone()).unwrap());
    let relay = Relay::open(journal, bus, RelayOptions::default());
    relay.check().await.unwrap();
    let handle = relay.handle();
    let began = Instant::now();
    let task = tokio::spawn(relay.run(std::future::pending()));
    handle.reached(head).await;
    let rate = messages as f64 / began.elapsed().as_secs_f64();
    task.abort();
    rate
}
