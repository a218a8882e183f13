//! Orders that several sellers share.

use serde_json::{Value, json};

use super::shop::Shop;

/// An order of one unit of the key's seller (line 1) and two of another's (line 2).
async fn shared_order(shop: &Shop) -> (String, String) {
    let (_, own) = shop.sellers_own().await;
    let (_, others) = shop.stocked().await;
    let (_, token, order) = shop.customer("tok_ok").await;
    for (sku, quantity) in [(own, 1), (others, 2)] {
        let line = json!({"sku_id": sku, "quantity": quantity});
        shop.ask(&token, "POST /cart/items", line).await.is(201);
    }
    let placed = shop.ask(&token, "POST /orders", order).await.is(201);
    (token, placed.id("order_id"))
}

#[actix_web::test]
async fn a_seller_sees_their_own_lines_and_no_sums() {
    let shop = Shop::open().await;
    let (_, order) = shared_order(&shop).await;
    let seen = shop.ask("seller", &format!("GET /orders/{order}"), Value::Null).await.is(200);
    assert_eq!(seen.body["lines"].as_array().unwrap().len(), 1, "{}", seen.text);
    assert_eq!((&seen.body["totals"], &seen.body["payment"]), (&Value::Null, &Value::Null));
    let listed = shop.ask("seller", "GET /orders", Value::Null).await.is(200);
    let listed = &listed.body["orders"][0];
    assert_eq!(listed["order_id"], order);
    assert_eq!((&listed["totals"], &listed["line_count"]), (&Value::Null, &Value::Null));
    let whole = shop.ask("admin", "GET /orders", Value::Null).await.is(200);
    assert_eq!(whole.body["orders"][0]["totals"]["total_minor"], 4498);
}

#[actix_web::test]
async fn a_seller_moves_no_other_sellers_goods() {
    let shop = Shop::open().await;
    let (token, order) = shared_order(&shop).await;
    let ship = format!("POST /orders/{order}/shipments");
    let theirs = json!({"lines": [{"line": 2, "quantity": 1}]});
    shop.ask("seller", &ship, theirs.clone()).await.is(422);
    let theirs = shop.ask("admin", &ship, theirs).await.is(201).id("shipment_id");
    let both = json!({"lines": [{"line": 1, "quantity": 1}, {"line": 2, "quantity": 1}]});
    let both = shop.ask("admin", &ship, both).await.is(201).id("shipment_id");
    let nothing = shop.ask("seller", &ship, json!({})).await.is(409);
    assert_eq!(nothing.body["code"], "nothing_to_ship");

    let deliver = |id: &str| format!("POST /shipments/{id}/deliver");
    shop.ask("seller", &format!("GET /shipments/{theirs}"), Value::Null).await.is(404);
    shop.ask("seller", &deliver(&theirs), Value::Null).await.is(404);
    let part = shop.ask("seller", &format!("GET /shipments/{both}"), Value::Null).await.is(200);
    assert_eq!(part.body["shipment"]["lines"], json!([{"line": 1, "quantity": 1}]));
    let shared = shop.ask("seller", &deliver(&both), Value::Null).await.is(409);
    assert_eq!(shared.body["code"], "lines_of_others");
    for id in [&theirs, &both] {
        shop.ask("admin", &deliver(id), Value::Null).await.is(200);
    }

    let ask = format!("POST /orders/{order}/returns");
    let body = |line: u32| json!({"lines": [{"line": line, "quantity": 1}], "reason": "other"});
    let own = shop.ask(&token, &ask, body(1)).await.is(201).id("return_id");
    let others = shop.ask(&token, &ask, body(2)).await.is(201).id("return_id");
    shop.ask("seller", &format!("GET /returns/{others}"), Value::Null).await.is(404);
    shop.ask("seller", &format!("POST /returns/{others}/receive"), json!({})).await.is(404);
    let no = json!({"note": "no"});
    shop.ask("seller", &format!("POST /returns/{others}/reject"), no).await.is(404);
    let receive = format!("POST /returns/{own}/receive");
    shop.ask("seller", &receive, json!({"refund_minor": 4000})).await.is(403);
    shop.ask("seller", &receive, json!({})).await.is(200);
    let seen = shop.ask(&token, &format!("GET /returns/{own}"), Value::Null).await.is(200);
    assert_eq!(seen.body["return"]["status"], "received");
    assert_eq!(seen.body["return"]["refund_minor"], 500);
}
