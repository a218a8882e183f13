//! The server, or the relay, ends in the middle of it, over and over.

use std::sync::Arc;
use std::time::Duration;

use journal::Journal;
use test_servers::nats::{self, Server};

use crate::running::Running;
use crate::shop;

/// Orders come in until told to stop.
fn load(journal: Arc<dyn Journal>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            for _ in 0..5 {
                shop::one_order(&*journal).await;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
}

/// Differs from round to round and is the same in every run.
fn pause(round: u64) -> Duration {
    Duration::from_millis(round.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32 & 0x7F)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_again_and_again_loses_and_repeats_nothing() {
    let mut nats = Server::start();
    let options = shop::options(&nats.url());
    let journal = shop::memory();
    let relay = Running::start(Arc::clone(&journal) as _, &options);
    let load = load(Arc::clone(&journal) as _);
    for round in 0..12 {
        tokio::time::sleep(Duration::from_millis(100) + pause(round)).await;
        nats.kill();
        tokio::time::sleep(pause(round + 99)).await;
        nats.run();
    }
    load.abort();
    let _ = load.await;
    relay.reached(journal.head()).await;
    assert_eq!(relay.handle.lag(), Some(0));
    assert!(relay.handle.progress().retries > 0, "no kill was in the way of anything");
    relay.stop().await;
    shop::exactly_once(&*journal, &options).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_is_dropped_anywhere_goes_on_where_it_was() {
    let options = shop::options(&nats::shared_url());
    let journal = shop::memory();
    let load = load(Arc::clone(&journal) as _);
    for round in 0..40 {
        let relay = Running::start(Arc::clone(&journal) as _, &options);
        tokio::time::sleep(pause(round)).await;
        relay.kill().await;
    }
    load.abort();
    let _ = load.await;
    let relay = Running::start(Arc::clone(&journal) as _, &options);
    relay.reached(journal.head()).await;
    relay.stop().await;
    shop::exactly_once(&*journal, &options).await;
}

/// The server takes packets and answers nothing: what is confirmed late counts all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_is_waited_for() {
    let nats = Server::start();
    let options = sagas::relay::JetStreamOptions {
        answer_timeout: Duration::from_millis(300),
        ..shop::options(&nats.url())
    };
    let journal = shop::memory();
    let relay = Running::start(Arc::clone(&journal) as _, &options);
    let load = load(Arc::clone(&journal) as _);
    for round in 0..5 {
        tokio::time::sleep(Duration::from_millis(50) + pause(round)).await;
        nats.signal("STOP");
        tokio::time::sleep(Duration::from_millis(500) + pause(round)).await;
        nats.signal("CONT");
    }
    load.abort();
    let _ = load.await;
    relay.reached(journal.head()).await;
    relay.stop().await;
    shop::exactly_once(&*journal, &options).await;
}

#[tokio::test]
async fn a_server_that_is_away_for_long_is_waited_for_and_the_lag_is_shown() {
    let mut nats = Server::start();
    let options = shop::options(&nats.url());
    let journal = shop::memory();
    shop::one_order(&*journal).await;
    let relay = Running::start(Arc::clone(&journal) as _, &options);
    relay.reached(journal.head()).await;
    nats.kill();
    for _ in 0..300 {
        shop::one_order(&*journal).await;
    }
    let said = relay.troubled_by("cannot be reached").await;
    assert!(said.contains("127.0.0.1"), "{said}");
    assert_eq!(relay.handle.lag(), Some(3_600));
    assert!(relay.handle.progress().oldest_waiting.is_some());
    nats.run();
    relay.reached(journal.head()).await;
    assert_eq!(relay.handle.lag(), Some(0));
    relay.stop().await;
    shop::exactly_once(&*journal, &options).await;
}
