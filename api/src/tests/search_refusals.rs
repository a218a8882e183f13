//! What cannot be searched for, and how that is said.

use std::time::Duration;

use actix_web::test::TestRequest;
use actix_web::{App, test};
use serde_json::Value;
use uuid::Uuid;

use super::search::Window;
use super::shop::Shop;
use crate::{Limits, configure};

async fn refused(shop: &Shop, query: &str) -> Vec<String> {
    let answer = shop.ask("", &format!("GET /products?{query}"), Value::Null).await.is(422);
    let errors = answer.body["errors"].as_array().unwrap();
    errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn a_query_holds_something_to_find_and_not_too_much() {
    let shop = Shop::open().await;
    for q in [
        "",
        "%20%20",
        "...%20!%20-",
        "%00",
        "tea%00pot",
        "tea%1B%5B2Jpot",
        "%FF%FE",
        &"x".repeat(513),
        &"tea%20".repeat(33),
        &"%F0%9F%8E%81".repeat(10),
    ] {
        assert_eq!(refused(&shop, &format!("q={q}")).await, ["q"], "{q}");
    }
}

/// Whatever is typed, it is words: no operators, no fields, no way to everything.
#[actix_web::test]
async fn hostile_queries_are_only_words() {
    let window = Window::open().await;
    for q in [
        "*",
        "a*",
        "name:teapot%20OR%20*:*",
        "%22teapot",
        "((((((a",
        "teapot%20AND%20NOT%20red",
        "a%20OR%201=1;--",
        "%27%20OR%20%271%27=%271",
        "%5B1%20TO%20*%5D",
        "teapot~9999999",
        "teapot%5E1e308",
        "%E2%80%AEtopaet",
        "%3Cscript%3Ealert(1)%3C/script%3E",
        "..%2F..%2Fetc%2Fpasswd",
        "%CC%81%CC%81%CC%81a",
        &"%E4%B8%AD".repeat(512),
        &"a".repeat(512),
        &"ab%20".repeat(32),
    ] {
        let path = format!("GET /products?q={q}&mode=text");
        let answer = window.shop.ask("", &path, Value::Null).await;
        match answer.status.as_u16() {
            200 => assert!(answer.body["total"].as_u64().unwrap() < 16, "{q}: {}", answer.text),
            status => assert_eq!((status, q), (422, "*"), "{}", answer.text),
        }
    }
}

#[actix_web::test]
async fn every_wrong_value_is_named() {
    let shop = Shop::open().await;
    shop.stocked().await;
    let (nowhere, page) = (format!("category={}", Uuid::now_v7()), format!("page={}", u32::MAX));
    let many = (0..60).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let (brands, long) = (format!("brand={many}"), format!("tags={}", "x".repeat(501)));
    for (query, fields) in [
        ("price_min=500&price_max=400&currency=GBP", vec!["price_max"]),
        ("price_min=-1&currency=GBP", vec!["price_min"]),
        ("price_min=1", vec!["currency"]),
        ("price_min=x&currency=GBX", vec!["price_min", "currency"]),
        ("price_min=99999999999999999999&currency=GBP", vec!["price_min"]),
        ("sort=price", vec!["currency"]),
        ("sort=odd", vec!["sort"]),
        ("sort=relevance", vec!["sort"]),
        ("mode=magic", vec!["mode"]),
        ("mode=text", vec!["mode"]),
        ("facets=colour", vec!["facets"]),
        ("facets=none,brand", vec!["facets"]),
        ("facets=attributes.size", vec!["facets"]),
        ("facets=price", vec!["currency"]),
        ("facet_values=0", vec!["facet_values"]),
        ("facet_values=101", vec!["facet_values"]),
        ("price_bounds=1,2", vec!["price_bounds"]),
        ("price_bounds=2,1&currency=GBP", vec!["price_bounds"]),
        ("price_bounds=1,1&currency=GBP", vec!["price_bounds"]),
        ("price_bounds=-1,1&currency=GBP", vec!["price_bounds"]),
        ("price_bounds=&currency=GBP", vec!["price_bounds"]),
        (
            "price_bounds=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21&currency=GBP",
            vec!["price_bounds"],
        ),
        ("category=x", vec!["category"]),
        (&nowhere, vec!["category"]),
        ("attributes.size=l", vec!["attributes.size"]),
        ("attributes.=l", vec!["attributes."]),
        ("attributes.size=", vec!["attributes.size"]),
        ("brand=", vec!["brand"]),
        (&brands, vec!["brand"]),
        (&long, vec!["tags"]),
        ("seller=x", vec!["seller"]),
        ("in_stock=maybe", vec!["in_stock"]),
        ("explain=1", vec!["explain"]),
        ("limit=0", vec!["limit"]),
        ("limit=101", vec!["limit"]),
        ("limit=-1", vec!["limit"]),
        ("page=0", vec!["page"]),
        (&page, vec!["page"]),
        ("page=418&limit=24", vec!["page"]),
        ("page=1&page=2", vec!["page"]),
        ("cursor=x", vec!["cursor"]),
        ("cursor=", vec!["cursor"]),
        ("colour=red", vec!["colour"]),
        ("limit=0&sort=odd&price_min=1", vec!["sort", "limit", "currency"]),
    ] {
        assert_eq!(refused(&shop, query).await, fields, "{query}");
    }
    // The last page there is.
    shop.ask("", "GET /products?page=417&limit=24", Value::Null).await.is(200);
}

#[actix_web::test]
async fn cursors_are_good_as_they_were_given_out() {
    let window = Window::open().await;
    let shop = &window.shop;
    let first = window.find("q=tea&limit=4").await;
    let next = first.body["next"].as_str().unwrap();
    window.find(&format!("q=tea&limit=9&explain=true&facets=none&cursor={next}")).await;
    for other in [
        "q=teas",
        "q=tea&brand=Ash",
        "q=tea&sort=newest",
        "q=tea&currency=GBP",
        "q=tea&mode=text",
        "",
    ] {
        assert_eq!(refused(shop, &format!("{other}&cursor={next}")).await, ["cursor"], "{other}");
    }
    for at in 0..next.len() {
        let other = if next.as_bytes()[at] == b'A' { "B" } else { "A" };
        let damaged = format!("{}{other}{}", &next[..at], &next[at + 1..]);
        assert_eq!(refused(shop, &format!("q=tea&cursor={damaged}")).await, ["cursor"]);
    }
    for damaged in
        [&next[1..], &next[..next.len() - 1], &format!("{next}A"), "%00", "~~~~", "newest~1"]
    {
        assert_eq!(refused(shop, &format!("q=tea&cursor={damaged}")).await, ["cursor"]);
    }
    assert_eq!(refused(shop, &format!("q=tea&page=2&cursor={next}")).await, ["page"]);
    let token = Shop::customer_token(shop.customer("tok_ok").await.0);
    let path = format!("GET /products?q=tea&limit=4&cursor={next}");
    let answer = shop.ask(&token, &path, Value::Null).await.is(422);
    assert_eq!(answer.body["errors"][0]["field"], "cursor");
}

#[actix_web::test]
async fn what_was_not_indexed_yet_is_waited_for_but_not_for_ever() {
    let limits = Limits { position_patience: Duration::from_millis(20), ..Limits::default() };
    let shop = Shop::with(limits).await;
    let ahead = crate::position_token(shop.services.journal.id(), journal::Position(u64::MAX / 2));
    for path in ["/products", "/products?q=tea", "/home"] {
        let headers = vec![("tillroll-min-position", ahead.clone())];
        let path = format!("GET {path}");
        let answer = shop.ask_with("", &path, Value::Null, headers).await.is(503);
        assert_eq!(answer.body["code"], "read_model_behind");
        assert!(!answer.header("tillroll-position").is_empty());
        assert!(!answer.header("retry-after").is_empty());
    }
}

#[actix_web::test]
async fn a_query_string_of_any_length_gets_an_answer() {
    let shop = Shop::open().await;
    let app = test::init_service(App::new().configure(configure(shop.services.clone()))).await;
    for query in [
        "q=%".to_owned(),
        "q=%zz".to_owned(),
        "&&&&===".to_owned(),
        format!("q={}", "a%20".repeat(10_000)),
        (0..3_000).map(|n| format!("attributes.a{n}=b&")).collect(),
        "brand=a&".repeat(5_000),
        format!("facets={}", "attributes.a,".repeat(1_000)),
    ] {
        let request = TestRequest::with_uri(&format!("/products?{query}")).to_request();
        let status = test::call_service(&app, request).await.status().as_u16();
        assert!(matches!(status, 200 | 400 | 422), "{status}: {}", &query[..20.min(query.len())]);
    }
}
