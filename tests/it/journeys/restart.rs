//! What was done before a restart is there after it, and a restart breaks off nothing.

use std::time::Duration;

use serde_json::json;

use super::{read_after, until_status};
use crate::client::Client;
use crate::process::{Server, assert_clean};
use crate::shop::{Shop, add, guests_order, pay};

#[tokio::test]
async fn a_journey_goes_on_after_a_restart() {
    let (_data, server, shop) = Shop::open().await;
    let data = server.data.clone();
    let article = shop.article(&server, 1_999, 10).await;
    let customer = shop.customer(&server, "tok_ok").await;
    let mut shopper = shop.shopper(&server, &customer).await;
    let mut guest = shop.storefront(&server).await;
    let added = add(&mut guest, &article, 2).await;
    add(&mut shopper, &article, 1).await;
    let placed = pay(&mut shopper, &customer.order, "k1").await.is(201);
    assert!(server.stop().success());

    let server = Server::start(&data);
    let mut shopper = shop.shopper(&server, &customer).await;
    let again = pay(&mut shopper, &customer.order, "k1").await.is(201);
    assert_eq!((again.id("order_id"), again.replayed()), (placed.id("order_id"), true));
    let read =
        read_after(&mut shopper, &format!("/orders/{}", again.id("order_id")), &placed).await;
    assert_eq!(read.body["status"], "confirmed");
    let mut guest =
        shop.storefront(&server).await.with("tillroll-session", added.header("tillroll-session"));
    let cart = guest.get("/cart").await.is(200);
    assert_eq!(cart.body["lines"][0]["quantity"], 2, "{}", cart.text);
    pay(&mut guest, &guests_order("tok_ok"), "g1").await.is(201);
    let mut admin = shop.admin(&server).await;
    let path = format!("/orders/{}/shipments", placed.id("order_id"));
    admin.post(&path, json!({})).await.is(201);
    assert!(server.stop().success());
    assert_clean(&data);
}

#[tokio::test]
async fn a_server_told_to_stop_answers_what_it_was_asked_before() {
    let (_data, mut server, shop) = Shop::open().await;
    let article = shop.article(&server, 1_999, 10).await;
    let mut guest = shop.storefront(&server).await;
    let session = add(&mut guest, &article, 1).await.header("tillroll-session");
    let mut guest = guest.with("tillroll-session", session);
    let order = guests_order("tok_slow_400");
    let under_way = tokio::spawn(async move { pay(&mut guest, &order, "g1").await });
    let mut admin = shop.admin(&server).await;
    let path = format!("/inventory/{}", article.sku_id);
    while admin.get(&path).await.is(200).body["available"] != 9 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.signal("TERM");
    let answer = under_way.await.unwrap().is(201);
    assert_eq!(answer.body["status"], "confirmed");
    assert!(server.wait().success());
    assert!(Client::try_nobody(&server.address).await.is_err());
    assert_clean(&server.data);
}

#[tokio::test]
async fn an_order_whose_payment_was_under_way_at_the_stop_is_settled_after_the_start() {
    let (_data, server, shop) = Shop::open().await;
    let data = server.data.clone();
    let article = shop.article(&server, 1_999, 10).await;
    let mut guest = shop.storefront(&server).await;
    let session = add(&mut guest, &article, 1).await.header("tillroll-session");
    let mut guest = guest.with("tillroll-session", session);
    let headers = [("prefer", "respond-async")];
    let placed = guest.post_with("/orders", &headers, &guests_order("tok_slow_700")).await.is(202);
    server.kill();

    let server = Server::start(&data);
    let mut admin = shop.admin(&server).await;
    until_status(&mut admin, &placed.id("order_id"), "confirmed").await;
    assert!(server.stop().success());
    assert_clean(&data);
}
