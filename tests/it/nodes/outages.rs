//! Under load, one thing after another goes: nothing acknowledged is lost, nothing is done twice,
//! and the shop goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::cluster::{Cluster, Reads};
use super::load::Load;
use super::messages;
use crate::client::Client;

const UNITS: u64 = 1_000_000;
/// How long the shop may stand still, whatever goes.
const STANDSTILL: Duration = Duration::from_secs(10);

fn addresses(cluster: &Cluster) -> Arc<Mutex<Vec<String>>> {
    let running = cluster.nodes.iter().filter_map(|node| node.server.as_ref());
    Arc::new(Mutex::new(running.map(|server| server.address.clone()).collect()))
}

async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shop_goes_on_while_its_parts_go_and_come() {
    let mut cluster = Cluster::start(3, Reads::Shared).await;
    let article = cluster.shop.article(cluster.node(0), 1_250, u32::try_from(UNITS).unwrap()).await;
    let at = addresses(&cluster);
    let load = Load::start(8, &at, &cluster.shop.storefront_key, &article);
    let mut longest = BTreeMap::new();
    let mut count = 0;
    for what in [
        "a node is killed",
        "a node is paused",
        "a node is cut off",
        "PostgreSQL restarts",
        "NATS restarts",
    ] {
        seconds(2).await;
        load.ledger.lock().unwrap().start_the_clock();
        match what {
            "a node is killed" => {
                cluster.nodes[0].server.take().unwrap().kill();
                seconds(9).await;
                cluster.nodes[0].start();
                let address = cluster.node(0).address.clone();
                at.lock().unwrap()[0] = address;
            }
            "a node is paused" => {
                // Long enough for its leases to pass on; then it wakes up and knows of nothing.
                cluster.node(1).signal("STOP");
                seconds(9).await;
                cluster.node(1).signal("CONT");
            }
            "a node is cut off" => cluster.nodes[2].link.cut_for(Duration::from_secs(9)).await,
            "NATS restarts" => {
                cluster.nats.kill();
                seconds(4).await;
                cluster.nats.run();
            }
            _ => {
                cluster.postgres.halt("immediate");
                seconds(2).await;
                cluster.postgres.run();
            }
        }
        seconds(3).await;
        let ledger = load.ledger.lock().unwrap();
        assert!(ledger.acknowledged.len() > count, "after {what} nothing goes on");
        count = ledger.acknowledged.len();
        longest.insert(what, ledger.longest);
    }
    let ledger = load.stop().await;
    let orders = all_settled(&cluster).await;
    say(&format!("{} orders; longest without one: {longest:?}", ledger.acknowledged.len()));
    for (what, longest) in longest {
        assert!(longest < STANDSTILL, "{what}: nothing was sold for {longest:?}");
    }
    let acknowledged: BTreeSet<_> = ledger.acknowledged.values().cloned().collect();
    assert_eq!(acknowledged.len(), ledger.acknowledged.len(), "two keys, one order");
    let there: BTreeSet<_> = orders.keys().cloned().collect();
    assert_eq!(acknowledged, there, "each order that was asked for is there once, and no other");
    assert!(orders.values().all(|status| status == "confirmed"), "{orders:?}");
    let told = messages::about_orders(&cluster.nats.url()).await;
    let of_orders: BTreeSet<_> = told.keys().cloned().collect();
    assert_eq!(of_orders, there, "consumers outside were told of each order");
    for (order_id, types) in &told {
        assert_eq!(
            types[..2],
            ["tillroll.order.placed.v1", "tillroll.order.confirmed.v1"],
            "{order_id}: {types:?}"
        );
    }
    let sold = u64::try_from(orders.len()).unwrap();
    for number in 0..3 {
        let mut admin = cluster.shop.admin(cluster.node(number)).await;
        let path = format!("/inventory/{}", article.sku_id);
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let stock = admin.get(&path).await.is(200);
            if stock.body["available"] == UNITS - sold {
                break;
            }
            // Each node folds for itself, and may have to catch up.
            assert!(Instant::now() < until, "{sold} sold at node {number}: {}", stock.text);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    cluster.close().await;
}

/// All orders and their status, once none is pending any more.
async fn all_settled(cluster: &Cluster) -> BTreeMap<String, String> {
    let until = Instant::now() + Duration::from_secs(60);
    let mut admin = cluster.shop.admin(cluster.node(2)).await;
    loop {
        let orders = listed(&mut admin).await;
        if orders.values().all(|status| status != "pending") {
            return orders;
        }
        assert!(Instant::now() < until, "orders are left pending");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn listed(admin: &mut Client) -> BTreeMap<String, String> {
    let mut orders = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = admin.get(&format!("/orders?limit=200{cursor}")).await.is(200);
        for order in page.body["orders"].as_array().unwrap() {
            let text = |name: &str| order[name].as_str().unwrap().to_owned();
            assert!(orders.insert(text("order_id"), text("status")).is_none(), "{order}");
        }
        match page.body["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return orders,
        }
    }
}

#[allow(clippy::print_stderr, reason = "how much was proved must be seen")]
fn say(text: &str) {
    eprintln!("{text}");
}
