//! Three servers with a copy each, of which one after another is killed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream;
use journal::Journal;
use sagas::relay::JetStreamOptions;
use test_servers::nats::{JETSTREAM, Server, free_port};

use crate::running::{PATIENCE, Running};
use crate::shop;

fn cluster() -> Vec<Server> {
    let ports: Vec<u16> = (0..3).map(|_| free_port()).collect();
    let routes: Vec<String> =
        ports.iter().map(|port| format!("nats-route://127.0.0.1:{port}")).collect();
    let start = |(n, port): (usize, &u16)| {
        Server::start_with(&format!(
            "{JETSTREAM}server_name: n{n}\n\
             cluster {{ name: tellers, listen: 127.0.0.1:{port}, routes: [{}] }}",
            routes.join(", ")
        ))
    };
    ports.iter().enumerate().map(start).collect()
}

/// Waits until every copy of the stream and of the bucket is up to date: with one server lost and
/// another behind, there is no majority that knows all, and nothing goes on until they are back.
async fn healed(options: &JetStreamOptions) {
    let until = Instant::now() + PATIENCE;
    while !is_whole(options).await.unwrap_or(false) {
        assert!(Instant::now() < until, "the cluster does not heal");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn is_whole(options: &JetStreamOptions) -> Option<bool> {
    let servers: Vec<&str> = options.servers.split(',').collect();
    let context = jetstream::new(async_nats::connect(servers).await.ok()?);
    for name in [options.stream.clone(), format!("KV_{}", options.bucket)] {
        let info = context.get_stream(name).await.ok()?.cached_info().clone();
        let cluster = info.cluster?;
        let current = cluster.replicas.iter().filter(|peer| peer.current && !peer.offline).count();
        if cluster.leader.is_none() || current != options.replicas - 1 {
            return Some(false);
        }
    }
    Some(true)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_loses_one_server_after_another_loses_and_repeats_nothing() {
    let mut servers = cluster();
    let urls: Vec<String> = servers.iter().map(Server::url).collect();
    let options = JetStreamOptions { replicas: 3, ..shop::options(&urls.join(",")) };
    let journal = shop::memory();
    let relay = Running::start(Arc::clone(&journal) as _, &options);
    relay.reached(shop::one_order(&*journal).await).await;
    for round in 0..6 {
        let at = round % servers.len();
        for _ in 0..200 {
            shop::one_order(&*journal).await;
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
        servers[at].kill();
        for _ in 0..20 {
            shop::one_order(&*journal).await;
        }
        // Two of three go on.
        relay.reached(journal.head()).await;
        servers[at].run();
        healed(&options).await;
        relay.reached(shop::one_order(&*journal).await).await;
    }
    relay.stop().await;
    shop::exactly_once(&*journal, &JetStreamOptions { servers: urls[0].clone(), ..options }).await;
}
