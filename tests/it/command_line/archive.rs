//! `tillroll archive`: a shop goes on, and is explained, without its old events in its journal's file.

use crate::client::Client;
use crate::process::{DataDir, Server, assert_clean, run};
use crate::shop::{Shop, add};

#[tokio::test]
async fn a_shop_whose_past_is_archived_sells_and_tells_as_before() {
    let (data, server, shop) = Shop::open().await;
    let article = shop.article(&server, 1_999, 50).await;
    let customer = shop.customer(&server, "tok_ok").await;
    let mut orders = Vec::new();
    for _ in 0..5 {
        let mut shopper = shop.shopper(&server, &customer).await;
        add(&mut shopper, &article, 1).await;
        let order = shopper.post("/orders", customer.order.clone()).await.is(201);
        orders.push(order.id("order_id"));
    }
    let dir = server.data.clone();
    let cold = data.beside("cold").display().to_string();
    let archive = |more: &[&str]| {
        let words = ["archive", "--before", "2100-01-01", "--to", &cold];
        run(&dir, &[&words[..], more].concat())
    };
    archive(&["--remove"]).exits(3).complains_of(&["in use by another writer"]);
    assert!(server.stop().success());
    let told = |words: &[&str]| run(&dir, words).exits(0).out;
    let log = told(&["replay", "log"]);
    let story = told(&["replay", "order", &orders[0], "--reveal"]);

    let removed = archive(&["--remove", "--json"]).exits(0).json();
    let through = removed["removed"]["through"].as_u64().unwrap();
    assert_eq!(through, log.lines().count() as u64, "all of it is old by then");
    assert_eq!(told(&["replay", "log"]), log);
    assert_eq!(told(&["replay", "order", &orders[0], "--reveal"]), story);
    told(&["rebuild", "--all", "--compare"]);
    // Without what can be built again, everything is loaded from the archive.
    for name in ["snapshots.db", "agenda.db"] {
        std::fs::remove_file(dir.join(name)).unwrap();
    }
    std::fs::remove_dir_all(dir.join("read-models")).unwrap();
    let server = Server::start(&dir);
    let mut shopper = shop.shopper(&server, &customer).await;
    add(&mut shopper, &article, 1).await;
    shopper.post("/orders", customer.order.clone()).await.is(201);
    let mut admin: Client = shop.admin(&server).await;
    admin.post(&format!("/orders/{}/shipments", orders[4]), serde_json::json!({})).await.is(201);
    assert!(server.stop().success());
    assert_clean(&dir);
    // With the archive away, what needs it says so.
    let away = data.beside("away");
    std::fs::rename(data.beside("cold"), &away).unwrap();
    run(&dir, &["verify"]).exits(3).complains_of(&["tillroll-archive", "bring it back"]);
    std::fs::rename(&away, dir.join("archive")).unwrap();
    assert_clean(&dir);
}

#[test]
fn what_cannot_be_archived_says_why() {
    let data = DataDir::new();
    let cold = data.beside("cold").display().to_string();
    let words = ["archive", "--before", "2026-01-01", "--to", &cold];
    run(&data.path(), &words).exits(3).complains_of(&["no journal at"]);
    let url = ["--journal", "postgres://me:s3cret@db/shop"];
    run(&data.path(), &[&words[..], &url].concat()).exits(3).complains_of(&["journal in a file"]);
    let refused = run(&data.path(), &["archive", "--before", "lately", "--to", &cold]).exits(2);
    assert!(refused.err.contains("`lately` is no moment"), "{}", refused.err);
}
