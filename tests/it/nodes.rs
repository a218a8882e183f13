//! Three nodes on one PostgreSQL, with a bus: they are one shop, and any of them may go.

mod cluster;
#[cfg(feature = "meilisearch")]
mod finding;
mod link;
mod load;
mod messages;
mod outages;

use std::collections::BTreeMap;

use futures::future::join_all;

use crate::shop::{add, guests_order, pay};
use cluster::{Cluster, Reads};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_took_in_the_others_know_at_once() {
    let cluster = Cluster::start(3, Reads::OfEachNode).await;
    let shop = &cluster.shop;
    let article = shop.article(cluster.node(0), 1_999, 10).await;
    let mut one = shop.storefront(cluster.node(1)).await;
    let session = add(&mut one, &article, 2).await.header("tillroll-session");
    // The cart was filled at one node, is paid for at another and looked at from the third.
    let mut two = shop.storefront(cluster.node(2)).await.with("tillroll-session", session.as_str());
    let placed = pay(&mut two, &guests_order("tok_ok"), "mine").await.is(201);
    assert_eq!(placed.body["status"], "confirmed", "{}", placed.text);
    let position = placed.header("tillroll-position");
    for at in 0..3 {
        let mut admin = shop.admin(cluster.node(at)).await;
        let path = format!("/orders/{}", placed.id("order_id"));
        let seen = admin.get_with(&path, &[("tillroll-min-position", &position)]).await.is(200);
        assert_eq!(seen.body["status"], "confirmed");
        assert_eq!(
            seen.body["contact"]["name"], "Ada Byron",
            "every node has the keys: {}",
            seen.text
        );
    }
    // The same request at another node is the same order.
    let mut again = shop.storefront(cluster.node(0)).await;
    again = again.with("tillroll-session", session.as_str());
    let repeated = pay(&mut again, &guests_order("tok_ok"), "mine").await.is(201);
    assert!(repeated.replayed());
    assert_eq!(repeated.body["order_id"], placed.body["order_id"]);
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flash_sale_through_three_nodes_is_exact() {
    const UNITS: u32 = 50;
    const BUYERS: usize = 180;
    let cluster = Cluster::start(3, Reads::Shared).await;
    let shop = &cluster.shop;
    let article = shop.article(cluster.node(0), 1_999, UNITS).await;
    let order = guests_order("tok_ok");
    let mut buyers = join_all((0..BUYERS).map(|number| {
        let (cluster, article) = (&cluster, &article);
        async move {
            let mut guest = shop.storefront(cluster.node(number % 3)).await;
            let session = add(&mut guest, article, 1).await.header("tillroll-session");
            guest.with("tillroll-session", session)
        }
    }))
    .await;
    let answers = join_all(buyers.iter_mut().map(|buyer| pay(buyer, &order, "mine"))).await;
    let mut count = BTreeMap::new();
    for answer in &answers {
        match answer.status {
            201 => assert_eq!(answer.body["status"], "confirmed", "{}", answer.text),
            409 => assert_eq!(answer.body["code"], "insufficient_stock", "{}", answer.text),
            _ => panic!("{}: {}", answer.status, answer.text),
        }
        *count.entry(answer.status).or_insert(0) += 1;
    }
    assert_eq!(count, BTreeMap::from([(201, 50), (409, 130)]));
    cluster.close().await;
}
