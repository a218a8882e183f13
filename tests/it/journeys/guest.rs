//! A guest, known by a session and then by the order's token.

use serde_json::json;

use super::{event_types, read_after, until_refunded, until_status};
use crate::client::Client;
use crate::process::assert_clean;
use crate::shop::{Shop, add, guests_order, pay};

#[tokio::test]
async fn a_guest_buys_reads_the_order_by_its_token_and_gets_it_delivered() {
    let (_data, server, shop) = Shop::open().await;
    let article = shop.article(&server, 1_999, 10).await;
    let mut guest = shop.storefront(&server).await;
    let added = add(&mut guest, &article, 1).await;
    assert_eq!(added.body["line"]["line_total"], json!({"minor": 1_999, "currency": "GBP"}));
    let mut guest = guest.with("tillroll-session", added.header("tillroll-session"));
    let cart = guest.get("/cart").await.is(200);
    assert_eq!(cart.header("etag"), added.header("etag"));

    let placed = pay(&mut guest, &guests_order("tok_ok"), "g1").await.is(201);
    assert_eq!(placed.body["status"], "confirmed");
    let order_id = placed.id("order_id");
    let path = format!("/orders/{order_id}");

    Client::nobody(&server.address).await.get(&path).await.is(401);
    guest.get(&path).await.is(404);
    let token = placed.id("order_token");
    let mut reader = Client::nobody(&server.address).await.with("tillroll-order-token", token);
    let read = read_after(&mut reader, &path, &placed).await;
    assert_eq!(read.body["contact"]["email"], "ada@example.com");
    assert_eq!(read.body["shipping_address"]["place"]["city"], "Leeds");

    let mut admin = shop.admin(&server).await;
    let shipped = admin.post(&format!("{path}/shipments"), json!({})).await.is(201);
    let path = format!("/shipments/{}/deliver", shipped.id("shipment_id"));
    admin.post(&path, json!({})).await.is(200);
    let read = until_status(&mut reader, &order_id, "delivered").await;
    assert_eq!(read.body["lines"][0]["delivered"], 1);

    let data = server.data.clone();
    assert!(server.stop().success());
    assert_clean(&data);
}

#[tokio::test]
async fn whoever_does_not_wait_is_told_the_order_is_placed_and_sees_it_confirmed_by_itself() {
    let (_data, server, shop) = Shop::open().await;
    let article = shop.article(&server, 1_999, 10).await;
    let mut guest = shop.storefront(&server).await;
    let session = add(&mut guest, &article, 1).await.header("tillroll-session");
    let mut guest = guest.with("tillroll-session", session);
    let headers = [("prefer", "respond-async"), ("idempotency-key", "later")];
    let placed = guest.post_with("/orders", &headers, &guests_order("tok_slow_200")).await.is(202);
    assert_eq!(placed.body["status"], "pending");
    assert_eq!(placed.header("location"), format!("/orders/{}", placed.id("order_id")));
    let mut admin = shop.admin(&server).await;
    let stock = read_after(&mut admin, &format!("/inventory/{}", article.sku_id), &placed).await;
    assert_eq!(stock.body["available"], 9, "held from the first moment: {}", stock.text);
    until_status(&mut admin, &placed.id("order_id"), "confirmed").await;
    assert!(server.stop().success());
}

#[tokio::test]
async fn a_cancelled_order_gives_back_the_money_and_the_stock() {
    let (_data, server, shop) = Shop::open().await;
    let article = shop.article(&server, 1_999, 10).await;
    let mut guest = shop.storefront(&server).await;
    let session = add(&mut guest, &article, 3).await.header("tillroll-session");
    let mut guest = guest.with("tillroll-session", session);
    let placed = pay(&mut guest, &guests_order("tok_ok"), "g1").await.is(201);
    let order_id = placed.id("order_id");

    let mut admin = shop.admin(&server).await;
    let path = format!("/orders/{order_id}/cancel");
    admin.post(&path, json!({"reason": "changed her mind"})).await.is(200);
    let read = until_status(&mut admin, &order_id, "cancelled").await;
    assert_eq!(read.body["payment"]["captured_minor"], 3 * 1_999, "{}", read.text);
    until_refunded(&mut admin, &order_id, 3 * 1_999).await;
    let history = read_after(&mut admin, &format!("/orders/{order_id}/history"), &placed).await;
    let types = event_types(&history.body);
    assert_eq!(types.iter().filter(|of| **of == "payment.refunded").count(), 1, "{types:?}");
    let stock = admin.get(&format!("/inventory/{}", article.sku_id)).await.is(200);
    assert_eq!(stock.body["available"], 10, "{}", stock.text);
    admin
        .post(&format!("/orders/{order_id}/shipments"), json!({}))
        .await
        .refused(409, "status_conflict");

    let data = server.data.clone();
    assert!(server.stop().success());
    assert_clean(&data);
}
