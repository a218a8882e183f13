//! From the cart to goods and money back.

use serde_json::{Value, json};

use super::shop::Shop;

#[actix_web::test]
async fn a_customer_buys_and_gets_the_goods_and_the_money_back() {
    let shop = Shop::open().await;
    let (product, sku) = shop.stocked().await;
    let (_, token, order) = shop.customer("tok_ok").await;
    let line = json!({"sku_id": sku, "quantity": 2});
    let added = shop.ask(&token, "POST /cart/items", line).await.is(201);
    assert_eq!(added.body["line"]["line_total"], json!({"minor": 3998, "currency": "GBP"}));
    assert!(added.body.get("session_token").is_none());
    let cart = shop.ask(&token, "GET /cart", Value::Null).await.is(200);
    assert_eq!(cart.body["subtotal"]["minor"], 3998);

    let headers = || vec![("idempotency-key", "k1".to_owned()), ("if-match", cart.header("etag"))];
    let placed = shop.ask_with(&token, "POST /orders", order.clone(), headers()).await.is(201);
    assert_eq!(placed.body["status"], "confirmed");
    assert_eq!(placed.body["total"], json!({"minor": 3998, "currency": "GBP"}));
    let id = placed.id("order_id");
    assert_eq!(placed.header("location"), format!("/orders/{id}"));
    let again = shop.ask_with(&token, "POST /orders", order, headers()).await.is(201);
    assert_eq!(
        (again.id("order_id"), again.header("idempotent-replayed")),
        (id.clone(), "true".to_owned())
    );
    let other = json!({"shipping_address_id": uuid::Uuid::nil()});
    let reused = shop.ask_with(&token, "POST /orders", other, headers()).await.is(422);
    assert_eq!(reused.body["code"], "idempotency_key_reused");

    let path = format!("/orders/{id}");
    let seen = vec![("tillroll-min-position", placed.header("tillroll-position"))];
    let read = shop.ask_with(&token, &format!("GET {path}"), Value::Null, seen).await.is(200);
    assert_eq!(read.body["status"], "confirmed");
    assert_eq!(read.body["shipping_address"]["place"]["city"], "Ayr");
    assert_eq!(read.header("etag"), placed.header("etag"));

    let stale = vec![("if-match", "\"1\"".to_owned())];
    let refused = shop.ask_with("admin", &format!("POST {path}/shipments"), json!({}), stale).await;
    assert_eq!(refused.is(412).body["code"], "order_changed");
    let ship = || vec![("idempotency-key", "s1".to_owned()), ("if-match", placed.header("etag"))];
    let shipped =
        shop.ask_with("admin", &format!("POST {path}/shipments"), json!({}), ship()).await.is(201);
    let repeat =
        shop.ask_with("admin", &format!("POST {path}/shipments"), json!({}), ship()).await.is(201);
    assert_eq!(repeat.body, shipped.body);
    let deliver = format!("POST /shipments/{}/deliver", shipped.id("shipment_id"));
    let delivered = shop.ask("admin", &deliver, Value::Null).await.is(200);
    assert_eq!(delivered.body["status"], "delivered");

    let body = json!({"lines": [{"line": 1, "quantity": 1}], "reason": "changed_mind"});
    let returned = shop.ask(&token, &format!("POST {path}/returns"), body).await.is(201);
    let receive = format!("POST /returns/{}/receive", returned.id("return_id"));
    shop.ask("admin", &receive, json!({})).await.is(200);
    let stars = json!({"order_id": id, "stars": 5});
    shop.ask(&token, &format!("POST /products/{product}/ratings"), stars).await.is(201);
    let too_much = json!({"amount_minor": 9999, "reason": "kind"});
    shop.ask("support", &format!("POST {path}/refunds"), too_much).await.is(409);
    let history = shop.ask("support", &format!("GET {path}/history"), Value::Null).await.is(200);
    assert!(history.body["entries"].as_array().unwrap().len() > 6, "{}", history.text);
    let listed = shop.ask(&token, "GET /orders?status=delivered", Value::Null).await.is(200);
    assert_eq!(listed.body["orders"].as_array().unwrap().len(), 1);
    let then = format!("GET {path}?at=2020-01-01T00:00:00Z");
    shop.ask(&token, &then, Value::Null).await.is(404);
    let now = format!("GET {path}?at=2999-01-01T00:00:00Z");
    assert_eq!(
        shop.ask(&token, &now, Value::Null).await.is(200).body["order"]["status"],
        "delivered"
    );
}

#[actix_web::test]
async fn a_guest_shops_by_a_session_and_reads_the_order_by_its_token() {
    let shop = Shop::open().await;
    let (_, sku) = shop.stocked().await;
    let line = json!({"sku_id": sku, "quantity": 1});
    let added = shop.ask("storefront", "POST /cart/items", line).await.is(201);
    let session = added.id("session_token");
    assert_eq!(added.header("tillroll-session"), session);
    let as_guest = || vec![("tillroll-session", session.clone())];
    let body = json!({
        "email": "guest@example.com", "name": "Guest",
        "shipping_address": {"country": "GB", "recipient": "Guest", "lines": ["2 Lane"], "city": "Ayr"},
        "payment": {"provider": "sandbox", "token": "tok_ok"},
    });
    let placed = shop.ask_with("storefront", "POST /orders", body, as_guest()).await.is(201);
    let path = format!("GET /orders/{}", placed.id("order_id"));
    shop.ask("", &path, Value::Null).await.is(401);
    let with_token = vec![("tillroll-order-token", placed.id("order_token"))];
    let read = shop.ask_with("", &path, Value::Null, with_token).await.is(200);
    assert_eq!(read.body["contact"]["email"], "guest@example.com");
    let wrong = vec![("tillroll-order-token", session)];
    shop.ask_with("", &path, Value::Null, wrong).await.is(401);
    shop.ask("storefront", &path, Value::Null).await.is(404);
}

#[actix_web::test]
async fn a_declined_card_is_a_402_and_gives_the_cart_back() {
    let shop = Shop::open().await;
    let (_, sku) = shop.stocked().await;
    let (_, token, order) = shop.customer("tok_decline").await;
    let line = json!({"sku_id": sku, "quantity": 1});
    shop.ask(&token, "POST /cart/items", line).await.is(201);
    let declined = shop.ask(&token, "POST /orders", order).await.is(402);
    assert_eq!(declined.body["code"], "payment_declined");
    assert_eq!(declined.body["reason"]["decline_code"], "card_declined");
    let cart = shop.ask(&token, "GET /cart", Value::Null).await.is(200);
    assert_eq!(cart.body["lines"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn what_is_not_certain_yet_is_accepted() {
    let shop = Shop::open().await;
    let (_, sku) = shop.stocked().await;
    let (_, token, order) = shop.customer("tok_slow_60000").await;
    let line = json!({"sku_id": sku, "quantity": 1});
    shop.ask(&token, "POST /cart/items", line).await.is(201);
    let prefer = vec![("prefer", "respond-async".to_owned())];
    let placed = shop.ask_with(&token, "POST /orders", order, prefer).await.is(202);
    assert_eq!(placed.body["status"], "pending");
    assert!(!placed.header("retry-after").is_empty() && !placed.header("location").is_empty());
}

#[actix_web::test]
async fn nobody_buys_what_is_not_there() {
    let shop = Shop::open().await;
    let (_, sku) = shop.stocked().await;
    let (_, token, order) = shop.customer("tok_ok").await;
    let line = json!({"sku_id": sku, "quantity": 11});
    shop.ask(&token, "POST /cart/items", line).await.is(201);
    let refused = shop.ask(&token, "POST /orders", order.clone()).await.is(409);
    assert_eq!(refused.body["code"], "insufficient_stock");
    assert!(refused.body["short"].is_array(), "{}", refused.text);
    let path = format!("PUT /cart/items/{sku}");
    shop.ask(&token, &path, json!({"quantity": 10})).await.is(200);
    shop.ask(&token, "POST /orders", order.clone()).await.is(201);
    assert_eq!(shop.ask(&token, "POST /orders", order).await.is(409).body["code"], "cart_empty");
}

#[actix_web::test]
async fn a_guests_cart_joins_the_customers() {
    let shop = Shop::open().await;
    let (_, sku) = shop.stocked().await;
    let (_, token, _) = shop.customer("tok_ok").await;
    let line = json!({"sku_id": sku, "quantity": 3});
    let session =
        shop.ask("storefront", "POST /cart/items", line).await.is(201).id("session_token");
    let merge = json!({"session_token": session});
    for _ in 0..2 {
        let merged = shop.ask(&token, "POST /cart/merge", merge.clone()).await.is(200);
        assert_eq!(merged.body["lines"][0]["quantity"], 3);
    }
    let forged = json!({"session_token": "0190a0b0-0000-7000-8000-000000000000.AAAA"});
    shop.ask(&token, "POST /cart/merge", forged).await.is(404);
}
