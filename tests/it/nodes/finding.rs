//! Two nodes that search in one Meilisearch, of which one at a time writes.

use std::time::Duration;

use serde_json::{Value, json};
use test_servers::meilisearch::{Double, MASTER_KEY};

use super::cluster::{Cluster, Reads};
use crate::client::Client;
use crate::process::Server;
use crate::shop::{Article, Shop, add};

/// A node that leads no more is followed after its lease has run out.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a node finds once it has seen a position; it may need longer than one request waits.
async fn total(node: &Server, query: &str, seen: &str) -> u64 {
    let began = std::time::Instant::now();
    loop {
        let mut nobody = Client::nobody(&node.address).await;
        let headers = [("tillroll-min-position", seen)];
        let answer = nobody.get_with(&format!("/products?{query}"), &headers).await;
        match answer.status {
            200 => return answer.body["total"].as_u64().unwrap(),
            503 if began.elapsed() < PATIENCE => {}
            _ => panic!("{}", answer.text),
        }
    }
}

/// Sets a price; the position of it.
async fn reprice(shop: &Shop, node: &Server, article: &Article, minor: u32) -> String {
    let mut admin = shop.admin(node).await;
    let path = format!("/products/{}/prices", article.product_id);
    let body: Value = json!({"base_prices": {"GBP": minor}});
    let done = admin.ask(hyper::Method::PUT, &path, &[], &body.to_string()).await.is(200);
    done.header("tillroll-position")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_did_another_finds_whichever_of_them_writes() {
    let double = Double::start();
    let words = ["--search", &double.url(), "--search-key", MASTER_KEY];
    let mut cluster = Cluster::start_with(2, Reads::OfEachNode, &words).await;
    let article = cluster.shop.article(cluster.node(0), 1_000, 100).await;
    let query = "q=kite&mode=text&currency=GBP";
    for (round, (by, on)) in [(0, 1), (1, 0), (0, 0), (1, 1)].into_iter().enumerate() {
        let minor = 2_000 + u32::try_from(round).unwrap();
        let seen = reprice(&cluster.shop, cluster.node(by), &article, minor).await;
        let query = format!("{query}&price_min={minor}&price_max={minor}");
        assert_eq!(total(cluster.node(on), &query, &seen).await, 1, "by {by}, on {on}");
        // What is none of search's business moves the position as well.
        let mut guest = cluster.shop.storefront(cluster.node(by)).await;
        let seen = add(&mut guest, &article, 1).await.header("tillroll-position");
        assert_eq!(total(cluster.node(on), &query, &seen).await, 1);
    }
    // Whoever writes goes, without a word; the other takes over.
    for gone in [0, 1] {
        let left = 1 - gone;
        cluster.nodes[gone].server.take().unwrap().kill();
        let minor = 3_000 + u32::try_from(gone).unwrap();
        let seen = reprice(&cluster.shop, cluster.node(left), &article, minor).await;
        let query = format!("{query}&price_min={minor}&price_max={minor}");
        assert_eq!(total(cluster.node(left), &query, &seen).await, 1, "{gone} is gone");
        cluster.nodes[gone].start();
        assert_eq!(total(cluster.node(gone), &query, &seen).await, 1, "{gone} is back");
    }
    cluster.close().await;
}
