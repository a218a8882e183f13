//! A customer, signed in by the shop's own login service.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;

use super::{event_types, read_after, until_refunded, until_status};
use crate::client::Client;
use crate::process::{DataDir, Server, assert_clean, key};
use crate::shop::{Article, Shop, add, pay};

const SECRET: &[u8] = b"a secret of thirty-two bytes or more";
/// Made for these tests with `openssl genpkey -algorithm ed25519`.
const ED25519_PRIVATE: &str = include_str!("ed25519_private.pem");
const ED25519_PUBLIC: &str = include_str!("ed25519_public.pem");

/// A server that takes tokens signed in both ways, and the two ways to sign.
async fn open(data: &DataDir) -> (Server, Shop, [(Algorithm, EncodingKey); 2]) {
    let keys = (key(&data.path(), "admin"), key(&data.path(), "storefront"));
    let (secret, public) = (data.beside("jwt.secret"), data.beside("jwt.pem"));
    fs::write(&secret, SECRET).unwrap();
    fs::write(&public, ED25519_PUBLIC).unwrap();
    let server = Server::start_with(
        &data.path(),
        &[
            "--jwt-issuer",
            "login.example",
            "--jwt-audience",
            "tillroll",
            "--jwt-hs256-secret",
            secret.to_str().unwrap(),
            "--jwt-eddsa-key",
            public.to_str().unwrap(),
        ],
    );
    let shop = Shop::set_up(&server, keys.0, keys.1).await;
    let private = EncodingKey::from_ed_pem(ED25519_PRIVATE.as_bytes()).unwrap();
    let ways = [(Algorithm::HS256, EncodingKey::from_secret(SECRET)), (Algorithm::EdDSA, private)];
    (server, shop, ways)
}

fn token(way: &(Algorithm, EncodingKey), customer: &str, audience: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims =
        json!({"sub": customer, "iss": "login.example", "aud": audience, "exp": now + 600});
    encode(&Header::new(way.0), &claims, &way.1).unwrap()
}

#[tokio::test]
async fn a_customer_buys_gets_the_goods_and_sends_one_back() {
    let data = DataDir::new();
    let (server, shop, ways) = open(&data).await;
    let (kite, reel) =
        (shop.article(&server, 1_999, 10).await, shop.article(&server, 301, 10).await);
    let mut admin = shop.admin(&server).await;
    for way in &ways {
        let customer = shop.customer(&server, "tok_ok").await;
        let mut ada = Client::bearing(&server.address, &token(way, &customer.id, "tillroll")).await;
        for article in [&kite, &reel] {
            add(&mut ada, article, 2).await;
        }
        let placed = pay(&mut ada, &customer.order, "k1").await.is(201);
        assert_eq!(placed.body["total"], json!({"minor": 4_600, "currency": "GBP"}));
        let order_id = placed.id("order_id");
        let path = format!("/orders/{order_id}");
        let read = read_after(&mut ada, &path, &placed).await;
        assert_eq!(read.header("etag"), placed.header("etag"));
        let confirmed_at = now();
        tokio::time::sleep(Duration::from_millis(5)).await;

        let shipped = admin.post(&format!("{path}/shipments"), json!({})).await.is(201);
        let deliver = format!("/shipments/{}/deliver", shipped.id("shipment_id"));
        admin.post(&deliver, json!({})).await.is(200);
        let body = json!({"lines": [{"line": 1, "quantity": 1}], "reason": "damaged"});
        let coming = ada.post(&format!("{path}/returns"), body).await.is(201);
        let receive = format!("/returns/{}/receive", coming.id("return_id"));
        let received = admin.post(&receive, json!({})).await.is(200);

        let history = read_after(&mut ada, &format!("{path}/history"), &received).await;
        assert_told_in_order(&event_types(&history.body));
        let then = format!(
            "{path}?at={}",
            confirmed_at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
        );
        let then = ada.get(&then).await.is(200);
        assert_eq!(then.body["order"]["status"], "confirmed", "{}", then.text);
        let read = until_status(&mut ada, &order_id, "delivered").await;
        assert_eq!(read.body["lines"][0]["returned"], 1, "{}", read.text);
        until_refunded(&mut ada, &order_id, 1_999).await;
    }
    assert_bought_together(&mut admin, &kite, &reel).await;
    let stock = admin.get(&format!("/inventory/{}", kite.sku_id)).await.is(200);
    assert_eq!(stock.body["available"], 10 - 2 * 2 + 2, "{}", stock.text);
    assert!(server.stop().success());
    assert_clean(&data.path());
}

fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

fn assert_told_in_order(types: &[&str]) {
    let mut rest = types.iter();
    for wanted in [
        "order.placed",
        "payment.authorized",
        "payment.captured",
        "order.confirmed",
        "shipment.delivered",
        "return.received",
    ] {
        assert!(rest.any(|seen| *seen == wanted), "no {wanted} in its place: {types:?}");
    }
}

async fn assert_bought_together(client: &mut Client, one: &Article, other: &Article) {
    let path = format!("/products/{}/frequently-bought-together", one.product_id);
    let found = client.get(&path).await.is(200);
    assert_eq!(found.body["orders"], 2, "{}", found.text);
    let partners = found.body["partners"].as_array().unwrap();
    assert_eq!(partners.len(), 1, "{}", found.text);
    assert_eq!(partners[0]["product_id"], other.product_id.as_str());
    assert_eq!(partners[0]["together"], 2);
    assert_eq!(partners[0]["jaccard"], 1.0);
}

#[tokio::test]
async fn another_customers_order_does_not_exist() {
    let data = DataDir::new();
    let (server, shop, ways) = open(&data).await;
    let article = shop.article(&server, 1_999, 10).await;
    let (ada, eve) =
        (shop.customer(&server, "tok_ok").await, shop.customer(&server, "tok_ok").await);
    let mut buyer = Client::bearing(&server.address, &token(&ways[0], &ada.id, "tillroll")).await;
    add(&mut buyer, &article, 1).await;
    let order_id = pay(&mut buyer, &ada.order, "k1").await.is(201).id("order_id");

    let mut stranger =
        Client::bearing(&server.address, &token(&ways[1], &eve.id, "tillroll")).await;
    stranger.get(&format!("/orders/{order_id}")).await.is(404);
    stranger.get(&format!("/orders/{order_id}/history")).await.is(404);
    stranger.post(&format!("/orders/{order_id}/cancel"), json!({})).await.is(404);
    stranger.get(&format!("/customers/{}", ada.id)).await.is(404);
    let orders = stranger.get("/orders").await.is(200);
    assert_eq!(orders.body["orders"], json!([]));

    let elsewhere = token(&ways[0], &ada.id, "another-service");
    let mut elsewhere = Client::bearing(&server.address, &elsewhere).await;
    elsewhere.get(&format!("/orders/{order_id}")).await.is(401);
    assert!(server.stop().success());
}
