//! What goes with a product, what is like it, and what to show first.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::search::Window;
use super::shop::{Response, Shop};

fn ids(answer: &Response, list: &str) -> Vec<String> {
    let all = answer.body[list].as_array().unwrap().iter();
    all.map(|of| of["product"]["product_id"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn what_was_bought_together_is_shown_while_it_is_for_sale() {
    let window = Window::open().await;
    let shop = &window.shop;
    let (one, two, three) = (&window.products[0], &window.products[1], &window.products[2]);
    for partner in [three, three, one, one, one] {
        let (_, token, order) = shop.customer("tok_ok").await;
        for (_, sku) in [two, partner] {
            let line = json!({"sku_id": sku, "quantity": 1});
            shop.ask(&token, "POST /cart/items", line).await.is(201);
        }
        shop.ask(&token, "POST /orders", order).await.is(201);
    }
    let path = |rest: &str| format!("GET /products/{}/frequently-bought-together{rest}", two.0);
    // Partners are worked out behind the orders, which no position tells of.
    for _ in 0..12_000 {
        let found = shop.ask("", &path(""), Value::Null).await.is(200);
        if ids(&found, "partners").len() == 2 && found.body["partners"][0]["together"] == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for score in ["", "?score=cosine", "?score=jaccard", "?score=count"] {
        let found = shop.ask("", &path(score), Value::Null).await.is(200);
        assert_eq!(ids(&found, "partners"), [one.0.clone(), three.0.clone()], "{score}");
        assert_eq!(found.body["partners"][0]["together"], 3);
    }
    let best = shop.ask("", &path("?limit=1"), Value::Null).await.is(200);
    assert_eq!(ids(&best, "partners"), std::slice::from_ref(&one.0));
    let gone = format!("POST /products/{}/status", one.0);
    shop.ask("admin", &gone, json!({"status": "inactive"})).await.is(200);
    let found = shop.ask("", &path("?limit=1"), Value::Null).await.is(200);
    assert_eq!(ids(&found, "partners"), std::slice::from_ref(&three.0));
    for wrong in ["?score=odd", "?limit=0", "?limit=21"] {
        shop.ask("", &path(wrong), Value::Null).await.is(422);
    }
}

#[actix_web::test]
async fn what_is_like_a_product_is_shown() {
    let window = Window::open().await;
    let shop = &window.shop;
    let of = &window.products[12].0;
    let found =
        shop.ask("", &format!("GET /products/{of}/similar?limit=3"), Value::Null).await.is(200);
    let similar = ids(&found, "similar");
    assert!((1..=3).contains(&similar.len()) && !similar.contains(of), "{}", found.text);
    let likeness: Vec<f64> = found.body["similar"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| of["similarity"].as_f64().unwrap())
        .collect();
    assert!(likeness.is_sorted_by(|a, b| a >= b) && likeness[0] > 0.5, "{likeness:?}");
    for wrong in ["limit=0", "limit=21", "score=cosine"] {
        shop.ask("", &format!("GET /products/{of}/similar?{wrong}"), Value::Null).await.is(422);
    }
}

#[actix_web::test]
async fn what_a_position_was_asked_for_is_shared_with_nobody() {
    let window = Window::open().await;
    let shop = &window.shop;
    let of = &window.products[12].0;
    for what in ["similar", "frequently-bought-together"] {
        let path = format!("GET /products/{of}/{what}");
        let own = shop.ask("", &path, Value::Null).await.is(200);
        assert_eq!(own.header("cache-control"), "private, no-cache");
        assert_eq!(own.header("vary"), "Tillroll-Min-Position");
        let seen = shop.seen.take();
        let shared = shop.ask("", &path, Value::Null).await.is(200);
        assert_eq!(shared.header("cache-control"), "public, max-age=60");
        assert_eq!(shared.header("vary"), "Tillroll-Min-Position");
        shop.seen.replace(seen);
    }
}

#[actix_web::test]
async fn products_that_never_were_have_nothing_beside_them() {
    let window = Window::open().await;
    let shop = &window.shop;
    let (unknown, deleted, inactive) =
        (Uuid::now_v7().to_string(), &window.products[0].0, &window.products[1].0);
    for (id, status) in [(deleted, "deleted"), (inactive, "inactive")] {
        let path = format!("POST /products/{id}/status");
        shop.ask("admin", &path, json!({"status": status})).await.is(200);
    }
    for what in ["similar", "frequently-bought-together"] {
        for (id, status) in [(&unknown, 404), (deleted, 404), (inactive, 200)] {
            let path = format!("GET /products/{id}/{what}");
            shop.ask("", &path, Value::Null).await.is(status);
        }
        shop.ask("", &format!("GET /products/mug/{what}"), Value::Null).await.is(404);
    }
}

#[actix_web::test]
async fn the_front_page_is_for_who_asks() {
    let window = Window::open().await;
    let shop = &window.shop;
    let stranger = shop.ask("", "GET /home?limit=5&currency=GBP", Value::Null).await.is(200);
    assert_eq!(stranger.body["products"].as_array().unwrap().len(), 5);
    assert!(stranger.body["products"][0]["because"]["reason"].is_string());
    assert!(stranger.body["products"][0]["product"]["price"].is_i64());
    assert_eq!(stranger.header("cache-control"), "private, no-cache");
    let (_, token, order) = shop.customer("tok_ok").await;
    let (bought, sku) = &window.products[4];
    shop.ask(&token, "POST /cart/items", json!({"sku_id": sku, "quantity": 1})).await.is(201);
    shop.ask(&token, "POST /orders", order).await.is(201);
    let own = shop.ask(&token, "GET /home?limit=5", Value::Null).await.is(200);
    let again = own.body["products"]
        .as_array()
        .unwrap()
        .iter()
        .find(|of| of["product"]["product_id"] == bought.as_str());
    assert_eq!(again.unwrap()["because"]["reason"], "bought_again", "{}", own.text);
    let nobody = Shop::customer_token(domain::CustomerId::new(Uuid::now_v7()));
    let guests = shop.ask(&nobody, "GET /home?limit=5&currency=GBP", Value::Null).await.is(200);
    assert_eq!(guests.body, stranger.body);
    shop.ask("a.b.c", "GET /home", Value::Null).await.is(401);
    for wrong in ["limit=0", "limit=51", "currency=GBX", "page=1"] {
        shop.ask("", &format!("GET /home?{wrong}"), Value::Null).await.is(422);
    }
}
