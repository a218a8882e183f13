//! What is refused, and how it is said.

use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::{Value, json};

use super::shop::{Ask, Shop, now};
use crate::limits::{Limits, Rate, RateLimits};

fn post<'a>(shop: &Shop, path: &'a str, body: impl Into<String>) -> Ask<'a> {
    Ask {
        method: "POST",
        path,
        bearer: Some(shop.bearer("admin")),
        headers: Vec::new(),
        body: Some(body.into()),
        media: "application/json",
    }
}

#[actix_web::test]
async fn bodies_that_cannot_be_read_say_why() {
    let shop = Shop::open().await;
    let deep = format!("{{\"name\":{}{}}}", "[".repeat(40), "]".repeat(40));
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(70_000));
    for (body, status, code) in [
        ("{", 400, "malformed_json"),
        ("[]", 400, "malformed_json"),
        ("\"x\"", 400, "malformed_json"),
        ("{\"name\":\"a\"} x", 400, "malformed_json"),
        (deep.as_str(), 400, "malformed_json"),
        (large.as_str(), 413, "body_too_large"),
        ("{\"nmae\":\"a\"}", 422, "invalid_value"),
        ("{\"name\":\"a\",\"name\":\"b\"}", 422, "invalid_value"),
        ("{\"name\":5}", 422, "invalid_value"),
        ("{\"name\":\"\"}", 422, "invalid_value"),
        ("{\"name\":\"a\",\"rank\":-1}", 422, "invalid_value"),
    ] {
        let answer = shop.send(post(&shop, "/warehouses", body)).await.is(status);
        assert_eq!(answer.body["code"], code, "{body}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.body["type"], format!("https://tillroll.dev/problems/{code}"));
        assert_eq!(answer.body["status"], status);
        assert_eq!(answer.body["instance"], answer.header("x-request-id"));
        assert!(answer.body["title"].is_string() && answer.body["detail"].is_string());
    }
    let xml = Ask { media: "text/xml", ..post(&shop, "/warehouses", "<a/>") };
    shop.send(xml).await.is(415);
}

#[actix_web::test]
async fn all_wrong_fields_are_named_at_once() {
    let shop = Shop::open().await;
    let body = json!({"sku_id": "no", "quantity": 0, "currency": "GBX"});
    let answer = shop.ask("storefront", "POST /cart/items", body).await.is(422);
    let fields: Vec<&str> = answer.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["sku_id", "quantity", "currency"]);
    let (_, token, _) = shop.customer("tok_ok").await;
    let body = json!({"lines": [{"line": 1, "quantity": 1}, {"line": 2, "quantity": "x"}], "reason": "bored"});
    let path = format!("POST /orders/{}/returns", uuid::Uuid::now_v7());
    let answer = shop.ask(&token, &path, body).await.is(422);
    assert_eq!(answer.body["errors"][0]["field"], "lines[1].quantity");
    assert_eq!(answer.body["errors"][1]["field"], "reason");
    let nested = json!({"lines": [{"line": 1, "quantity": 1, "qty": 2}], "reason": "other"});
    let answer = shop.ask(&token, &path, nested).await.is(422);
    assert_eq!(answer.body["errors"][0]["field"], "lines[0].qty");
    assert_eq!(answer.body["errors"][0]["rule"], "unknown");
}

#[actix_web::test]
async fn paths_methods_and_queries_are_held_to_what_there_is() {
    let shop = Shop::open().await;
    shop.ask("", "GET /nothing", Value::Null).await.is(404);
    let method = shop.ask("", "DELETE /cart", Value::Null).await.is(405);
    assert_eq!(method.header("allow"), "GET, HEAD, OPTIONS");
    shop.ask("", "GET /products/not-an-id", Value::Null).await.is(404);
    let wrong = shop.ask("", "GET /products?limit=0&sort=odd&price_min=1&no=1", Value::Null).await;
    assert_eq!(wrong.is(422).body["errors"][0]["field"], "no");
    let wrong =
        shop.ask("", "GET /products?limit=0&sort=odd&price_min=1", Value::Null).await.is(422);
    assert_eq!(wrong.body["errors"].as_array().unwrap().len(), 3);
    shop.ask("", "GET /products", Value::Null).await.is(200);
    let page = shop.ask("", "GET /problems/payment_declined", Value::Null).await.is(200);
    assert_eq!(page.body["status"], 402);
    shop.ask("", "GET /problems/none", Value::Null).await.is(404);
}

#[actix_web::test]
async fn headers_are_held_to_their_form() {
    let shop = Shop::open().await;
    let body = || json!({"name": "north"});
    for (name, value) in [
        ("idempotency-key", "x".repeat(256)),
        ("idempotency-key", "a b".to_owned()),
        ("idempotency-key", String::new()),
    ] {
        let headers = vec![(name, value)];
        let answer = shop.ask_with("admin", "POST /warehouses", body(), headers).await.is(400);
        assert_eq!(answer.body["code"], "malformed_header");
    }
    let foreign = crate::position_token(uuid::Uuid::from_u128(77), journal::Position(1));
    let headers = vec![("tillroll-min-position", foreign)];
    let answer = shop.ask_with("", "GET /products", Value::Null, headers).await.is(400);
    assert_eq!(answer.body["code"], "foreign_position");
    let impatient = Limits { position_patience: Duration::from_millis(20), ..Limits::default() };
    let shop = Shop::with(impatient).await;
    let ahead = crate::position_token(shop.services.journal.id(), journal::Position(u64::MAX / 2));
    let headers = vec![("tillroll-min-position", ahead)];
    let answer = shop.ask_with("", "GET /products", Value::Null, headers).await.is(503);
    assert_eq!(answer.body["code"], "read_model_behind");
    assert!(!answer.header("tillroll-position").is_empty());
    let odd = vec![("x-request-id", "a\tb".to_owned())];
    let answer = shop.ask_with("", "GET /healthz", Value::Null, odd).await.is(200);
    assert_ne!(answer.header("x-request-id"), "a\tb");
}

#[actix_web::test]
async fn a_repeat_gets_the_first_answer_and_no_second_effect() {
    let shop = Shop::open().await;
    let key = || vec![("idempotency-key", "w1".to_owned())];
    let body = || json!({"name": "north"});
    let first = shop.ask_with("admin", "POST /warehouses", body(), key()).await.is(201);
    let head = shop.services.journal.head();
    let again = shop.ask_with("admin", "POST /warehouses", body(), key()).await.is(201);
    assert_eq!(again.text, first.text);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(shop.services.journal.head(), head);
    let other = json!({"name": "south"});
    let reused = shop.ask_with("admin", "POST /warehouses", other, key()).await.is(422);
    assert_eq!(reused.body["code"], "idempotency_key_reused");
    assert_eq!(reused.body["errors"][0]["field"], "Idempotency-Key");
}

#[actix_web::test]
async fn who_asks_too_often_waits() {
    let two = NonZeroU32::new(2).unwrap();
    let rate = Some(Rate { per_second: NonZeroU32::MIN, burst: two });
    let rates = RateLimits { support: rate, ..RateLimits::default() };
    let shop = Shop::with(Limits { rates, ..Limits::default() }).await;
    for _ in 0..2 {
        shop.ask("support", "GET /admin/checkouts", Value::Null).await.is(200);
    }
    // One more a second is let in, so that a slow machine may take several tries.
    let limited = loop {
        let answer = shop.ask("support", "GET /admin/checkouts", Value::Null).await;
        match answer.status.as_u16() {
            200 => {}
            _ => break answer.is(429),
        }
    };
    assert!(limited.header("retry-after").parse::<u64>().unwrap() >= 1);
    shop.ask("admin", "GET /admin/checkouts", Value::Null).await.is(200);
}

#[actix_web::test]
async fn more_than_the_bound_is_refused_at_once() {
    let shop = Shop::with(Limits { requests_in_flight_max: 0, ..Limits::default() }).await;
    let answer = shop.ask("", "GET /healthz", Value::Null).await.is(503);
    assert_eq!(answer.body["code"], "overloaded");
    assert!(!answer.header("retry-after").is_empty());
}

#[actix_web::test]
async fn webhooks_are_taken_by_their_signature() {
    let shop = Shop::open().await;
    let order = uuid::Uuid::now_v7();
    let body =
        json!({"type": "payment.captured", "data": {"order_id": order, "key": "k"}}).to_string();
    let signed = shop.secrets.sign("msg_1", now(), body.as_bytes());
    let headers = || -> Vec<(&'static str, String)> {
        signed.pairs().into_iter().map(|(name, value)| (name, value.to_owned())).collect()
    };
    let ask = |body: &str, headers| Ask {
        method: "POST",
        path: "/webhooks/payment",
        bearer: None,
        headers,
        body: Some(body.to_owned()),
        media: "application/json",
    };
    let taken = shop.send(ask(&body, headers())).await.is(200);
    assert_eq!(taken.body["result"], "parked", "{}", taken.text);
    let again = shop.send(ask(&body, headers())).await.is(200);
    assert_eq!(again.body["result"], "repeated");
    let forged = shop.send(ask("{}", headers())).await.is(401);
    assert_eq!(forged.body["code"], "webhook_not_authentic");
    shop.send(ask(&body, Vec::new())).await.is(400);
    let other = Ask { path: "/webhooks/payment?provider=nobody", ..ask(&body, headers()) };
    shop.send(other).await.is(404);
}

/// Whatever the rule is called, its kind has a page.
#[actix_web::test]
async fn every_problem_is_explained_where_its_type_says() {
    let shop = Shop::open().await;
    let nobodys = json!({"seller_id": uuid::Uuid::now_v7(), "name": "mug"});
    let refused = shop.ask("admin", "POST /products", nobodys).await.is(404);
    assert_eq!(refused.body["code"], "seller_not_found");
    let kind = refused.id("type").rsplit('/').next().unwrap().to_owned();
    let page = shop.ask("", &format!("GET /problems/{kind}"), Value::Null).await.is(200);
    assert_eq!(page.body["title"], refused.body["title"]);
}

#[actix_web::test]
async fn what_a_value_must_be_is_said_in_words() {
    let shop = Shop::open().await;
    for (body, words) in [
        (r#"{"sku_id":"x","quantity":1}"#, "must be an id"),
        (r#"{"sku_id":null,"quantity":1}"#, "is required"),
        (r#"{"sku_id":"0190a0b0-0000-7000-8000-000000000000","quantity":-1}"#, "a whole number"),
        (r#"{"sku_id":"0190a0b0-0000-7000-8000-000000000000","quantity":1.5}"#, "a whole number"),
        (r#"{"sku_id":"0190a0b0-0000-7000-8000-000000000000","quantity":[1]}"#, "array"),
    ] {
        let ask =
            Ask { bearer: Some(shop.bearer("storefront")), ..post(&shop, "/cart/items", body) };
        let refused = shop.send(ask).await.is(422);
        let message = refused.body["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(words) && !message.contains("u32"), "{body}: {message}");
    }
}

#[actix_web::test]
async fn a_signed_webhook_that_cannot_be_read_is_not_stored() {
    let shop = Shop::open().await;
    let head = shop.services.journal.head();
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    for body in ["hello", "", deep.as_str()] {
        let signed = shop.secrets.sign("msg_2", now(), body.as_bytes());
        let headers = signed.pairs().into_iter().map(|(n, v)| (n, v.to_owned())).collect();
        let ask = Ask { bearer: None, headers, ..post(&shop, "/webhooks/payment", body) };
        let refused = shop.send(ask).await.is(400);
        assert_eq!(refused.body["code"], "malformed_webhook", "{body}");
    }
    assert_eq!(shop.services.journal.head(), head);
}
