//! Lists with their cursors, heads, and what a client insists on having seen.

use serde_json::{Value, json};
use uuid::Uuid;

use super::shop::Shop;

#[actix_web::test]
async fn who_takes_part_is_listed_page_by_page() {
    let shop = Shop::open().await;
    for number in 0..3 {
        let name = format!("number {number}");
        let warehouse = json!({"name": name, "rank": 9 - number});
        shop.ask("admin", "POST /warehouses", warehouse).await.is(201);
        let seller = json!({"name": name, "email": "us@example.com"});
        shop.ask("admin", "POST /sellers", seller).await.is(201);
        let customer = json!({"name": name, "email": "me@example.com"});
        shop.ask("storefront", "POST /customers", customer).await.is(201);
    }
    for (what, names) in [
        ("warehouses", vec!["number 2", "number 1", "number 0"]),
        ("sellers", vec!["number 0", "number 1", "number 2"]),
        ("customers", vec!["", "", ""]),
    ] {
        let (mut path, mut seen) = (format!("GET /{what}?limit=2"), Vec::new());
        loop {
            let page = shop.ask("admin", &path, Value::Null).await.is(200);
            let rows = page.body[what].as_array().unwrap().clone();
            assert!(rows.len() <= 2, "{}", page.text);
            seen.extend(rows);
            match page.body["next"].as_str() {
                Some(next) => path = format!("GET /{what}?limit=2&cursor={next}"),
                None => break,
            }
        }
        let got: Vec<&str> = seen.iter().map(|row| row["name"].as_str().unwrap_or("")).collect();
        assert_eq!(got, names, "{what}");
        for limit in ["0", "101", "x"] {
            let path = format!("GET /{what}?limit={limit}");
            let refused = shop.ask("admin", &path, Value::Null).await.is(422);
            assert_eq!(refused.body["errors"][0]["field"], "limit");
        }
    }
    let erased = shop.ask("support", "GET /customers?erased=true", Value::Null).await.is(200);
    assert_eq!(erased.body["customers"], json!([]));
}

#[actix_web::test]
async fn how_to_reach_a_seller_is_for_staff_and_themselves() {
    let shop = Shop::open().await;
    let body = json!({"name": "ours", "email": "us@example.com", "webhook": "https://us.example"});
    let seller = shop.ask("admin", "POST /sellers", body).await.is(201).id("seller_id");
    let path = format!("GET /sellers/{seller}");
    let seen = shop.ask("support", &path, Value::Null).await.is(200);
    assert_eq!(seen.body["contact"]["email"], "us@example.com");
    for role in ["storefront", "seller"] {
        let seen = shop.ask(role, &path, Value::Null).await.is(200);
        assert_eq!(seen.body["name"], "ours");
        assert!(!seen.text.contains("us.example") && !seen.text.contains("@"), "{}", seen.text);
    }
    let listed = shop.ask("storefront", "GET /sellers", Value::Null).await.is(200);
    assert!(listed.text.contains("ours") && !listed.text.contains("@"), "{}", listed.text);
    shop.ask("admin", &format!("GET /sellers/{}", Uuid::now_v7()), Value::Null).await.is(404);
}

#[actix_web::test]
async fn the_whole_price_book_is_for_who_sets_it() {
    let shop = Shop::open().await;
    let (product, sku) = shop.stocked().await;
    let path = format!("PUT /products/{product}/skus/{sku}/prices");
    let book = json!({"prices": {"wholesale": {"GBP": 900}}});
    shop.ask("admin", &path, book).await.is(200);
    let path = format!("GET /products/{product}/prices");
    let seen = shop.ask("admin", &path, Value::Null).await.is(200);
    assert_eq!(seen.body["base_prices"], json!({"GBP": 1999}));
    assert_eq!(seen.body["skus"][&sku]["wholesale"], json!({"GBP": 900}));
    shop.ask("seller", &path, Value::Null).await.is(404);
    shop.ask("storefront", &path, Value::Null).await.is(403);
}

#[actix_web::test]
async fn a_change_of_what_was_not_seen_is_refused() {
    let shop = Shop::open().await;
    let (product, _) = shop.stocked().await;
    let path = format!("/products/{product}");
    let seen = shop.ask("", &format!("GET {path}"), Value::Null).await.is(200).header("etag");
    let insist = || vec![("if-match", seen.clone())];
    let patch = format!("PATCH {path}");
    shop.ask_with("admin", &patch, json!({"name": "cup"}), insist()).await.is(200);
    let stale = shop.ask_with("admin", &patch, json!({"name": "pot"}), insist()).await.is(412);
    assert_eq!(stale.body["code"], "stale");
    let list = vec![("if-match", "\"1\", \"2\"".to_owned())];
    shop.ask_with("admin", &patch, json!({"name": "pot"}), list).await.is(400);
    let any = vec![("if-match", "*".to_owned())];
    shop.ask_with("admin", &patch, json!({"name": "pot"}), any).await.is(200);
}

#[actix_web::test]
async fn whoever_may_read_may_ask_for_the_head_only() {
    let shop = Shop::open().await;
    shop.ask("admin", "HEAD /orders", Value::Null).await.is(200);
    shop.ask("", "HEAD /orders", Value::Null).await.is(401);
    shop.ask("", "HEAD /cart/items", Value::Null).await.is(405);
    let options = shop.ask("", "OPTIONS /orders", Value::Null).await.is(204);
    assert_eq!(options.header("allow"), "POST, GET, HEAD, OPTIONS");
}

#[actix_web::test]
async fn a_parameter_is_given_once() {
    let shop = Shop::open().await;
    let path = "GET /orders?status=confirmed&status=failed";
    let twice = shop.ask("admin", path, Value::Null).await.is(422);
    assert_eq!(
        twice.body["errors"][0],
        json!({
            "field": "status", "rule": "duplicate", "message": "is given twice",
        })
    );
}

#[actix_web::test]
async fn stock_is_listed_by_warehouse_and_where_it_is_short() {
    let shop = Shop::open().await;
    let (_, sku) = shop.stocked().await;
    let path = format!("GET /inventory/{sku}");
    let stock = shop.ask("admin", &path, Value::Null).await.is(200);
    let warehouse = stock.body["warehouses"][0]["warehouse_id"].as_str().unwrap().to_owned();
    let path = format!("GET /warehouses/{warehouse}/stock");
    let held = shop.ask("support", &path, Value::Null).await.is(200);
    assert_eq!((&held.body["stock"][0]["on_hand"], &held.body["next"]), (&json!(10), &Value::Null));
    let nowhere = format!("GET /warehouses/{}/stock", Uuid::now_v7());
    shop.ask("support", &nowhere, Value::Null).await.is(404);
    let none = shop.ask("support", "GET /admin/shortages", Value::Null).await.is(200);
    assert_eq!(none.body["shortages"], json!([]));
    let (_, token, order) = shop.customer("tok_ok").await;
    let line = json!({"sku_id": sku, "quantity": 4});
    shop.ask(&token, "POST /cart/items", line).await.is(201);
    shop.ask(&token, "POST /orders", order).await.is(201);
    let body = json!({"warehouse_id": warehouse, "on_hand": 2, "reason": "a leak"});
    shop.ask("admin", &format!("POST /inventory/{sku}/counts"), body).await.is(200);
    let short = shop.ask("support", "GET /admin/shortages?limit=1", Value::Null).await.is(200);
    assert_eq!(short.body["shortages"][0]["available"], -2, "{}", short.text);
    let after = format!("GET /admin/shortages?cursor={sku}.{warehouse}");
    let none = shop.ask("support", &after, Value::Null).await.is(200);
    assert_eq!(none.body["shortages"], json!([]));
    shop.ask("support", "GET /admin/shortages?cursor=x", Value::Null).await.is(422);
}

#[actix_web::test]
async fn a_seller_finds_their_products_whatever_their_status() {
    let shop = Shop::open().await;
    let (product, _) = shop.sellers_own().await;
    shop.stocked().await;
    let status = format!("POST /products/{product}/status");
    shop.ask("seller", &status, json!({"status": "inactive"})).await.is(200);
    let path = format!("GET /sellers/{}/products", shop.seller_id);
    let all = shop.ask("seller", &path, Value::Null).await.is(200);
    assert_eq!(
        (&all.body["total"], &all.body["products"][0]["product_id"]),
        (&json!(1), &json!(product))
    );
    let active = shop.ask("admin", &format!("{path}?status=active"), Value::Null).await.is(200);
    assert_eq!(active.body["total"], 0);
    let others = format!("GET /sellers/{}/products", Uuid::now_v7());
    shop.ask("seller", &others, Value::Null).await.is(404);
}

#[actix_web::test]
async fn a_buyer_sees_how_far_a_refund_is() {
    let shop = Shop::open().await;
    let (_, sku) = shop.stocked().await;
    let (_, token, order) = shop.customer("tok_ok").await;
    let line = json!({"sku_id": sku, "quantity": 1});
    shop.ask(&token, "POST /cart/items", line).await.is(201);
    let order = shop.ask(&token, "POST /orders", order).await.is(201).id("order_id");
    let path = format!("/orders/{order}/refunds");
    let none = shop.ask(&token, &format!("GET {path}"), Value::Null).await.is(200);
    assert_eq!(none.body["refunds"], json!([]));
    let body = json!({"amount_minor": 500, "reason": "a scratch"});
    let asked = shop.ask("support", &format!("POST {path}"), body).await.is(201);
    let seen = shop.ask(&token, &format!("GET {path}"), Value::Null).await.is(200);
    let refund = &seen.body["refunds"][0];
    assert_eq!(
        (&refund["refund_id"], &refund["amount_minor"]),
        (&json!(asked.id("refund_id")), &json!(500))
    );
    let reasonless = json!({"amount_minor": 500, "reason": " "});
    shop.ask("support", &format!("POST {path}"), reasonless).await.is(422);
    let stranger = Shop::customer_token(domain::CustomerId::new(Uuid::now_v7()));
    shop.ask(&stranger, &format!("GET {path}"), Value::Null).await.is(404);
}
