//! What a guest is given with an order is good for.

use serde_json::{Value, json};

use super::shop::Shop;

async fn guest_order(shop: &Shop, card: &str) -> super::shop::Response {
    let (_, sku) = shop.stocked().await;
    let line = json!({"sku_id": sku, "quantity": 1});
    let session =
        shop.ask("storefront", "POST /cart/items", line).await.is(201).id("session_token");
    let body = json!({
        "email": "guest@example.com", "name": "Guest",
        "shipping_address":
            {"country": "GB", "recipient": "Guest", "lines": ["2 Lane"], "city": "Ayr"},
        "payment": {"provider": "sandbox", "token": card},
    });
    shop.ask_with("storefront", "POST /orders", body, vec![("tillroll-session", session)]).await
}

#[actix_web::test]
async fn a_storefront_acts_for_a_guest_by_the_orders_token() {
    let shop = Shop::open().await;
    let placed = guest_order(&shop, "tok_ok").await.is(201);
    let order = placed.id("order_id");
    let other = guest_order(&shop, "tok_ok").await.is(201).id("order_token");
    let cancel = format!("POST /orders/{order}/cancel");
    shop.ask("storefront", &cancel, json!({})).await.is(404);
    let wrong = || vec![("tillroll-order-token", other.clone())];
    shop.ask_with("storefront", &cancel, json!({}), wrong()).await.is(404);
    let token = || vec![("tillroll-order-token", placed.id("order_token"))];
    // Alone it only reads.
    shop.ask_with("", &cancel, json!({}), token()).await.is(401);
    let history = format!("GET /orders/{order}/history");
    shop.ask_with("storefront", &history, Value::Null, token()).await.is(200);
    let cancelled = shop.ask_with("storefront", &cancel, json!({}), token()).await.is(200);
    assert_eq!(cancelled.body["status"], "cancelled");
}

#[actix_web::test]
async fn a_declined_guest_can_read_what_became_of_the_order() {
    let shop = Shop::open().await;
    let declined = guest_order(&shop, "tok_decline").await.is(402);
    assert!(!declined.header("tillroll-position").is_empty());
    let token = vec![("tillroll-order-token", declined.id("order_token"))];
    let path = format!("GET {}", declined.header("location"));
    let read = shop.ask_with("", &path, Value::Null, token).await.is(200);
    assert_eq!(read.body["status"], "failed");
}

#[actix_web::test]
async fn a_cards_number_is_no_token() {
    let shop = Shop::open().await;
    let refused = guest_order(&shop, "4242 4242 4242 4242").await.is(422);
    assert_eq!(refused.body["errors"][0]["field"], "payment.token");
    assert!(!refused.text.contains("4242"), "{}", refused.text);
    guest_order(&shop, "4242424242424241").await.is(201);
}
