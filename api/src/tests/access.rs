//! Who may call what, and whose things they reach.

use serde_json::{Value, json};
use uuid::Uuid;

use super::shop::{Ask, Shop};
use crate::auth::roles::{self, Access};
use crate::routes;

/// Every route with every kind of caller: let in where the signature says so, nowhere else, and
/// no answer is a fault of the engine's.
#[actix_web::test]
async fn each_route_lets_in_its_roles_only() {
    let shop = Shop::open().await;
    let customer = Shop::customer_token(domain::CustomerId::new(Uuid::now_v7()));
    let order_token = shop.services.tokens.order(domain::OrderId::new(Uuid::now_v7()));
    let mut callers: Vec<(Access, Option<String>)> = vec![
        (0, None),
        (0, Some("tk_admin_0123456789abcdef_nonsense".to_owned())),
        (0, Some("a.b.c".to_owned())),
        (roles::CUSTOMER, Some(customer)),
        (roles::ORDER_TOKEN, None),
    ];
    for (role, name) in [
        (roles::STOREFRONT, "storefront"),
        (roles::SELLER, "seller"),
        (roles::SUPPORT, "support"),
        (roles::ADMIN, "admin"),
    ] {
        callers.push((role, Some(shop.bearer(name))));
    }
    for route in routes::table() {
        let id = Uuid::now_v7().to_string();
        let path: Vec<&str> = route
            .path
            .split('/')
            .map(|part| if part.starts_with('{') { id.as_str() } else { part })
            .collect();
        for (role, bearer) in &callers {
            let token = (*role == roles::ORDER_TOKEN).then(|| order_token.clone());
            let answer = shop
                .send(Ask {
                    method: route.method.as_str(),
                    path: &path.join("/"),
                    bearer: bearer.clone(),
                    headers: token
                        .map(|token| ("tillroll-order-token", token))
                        .into_iter()
                        .collect(),
                    body: (route.method != "GET").then(|| "{}".to_owned()),
                    media: "application/json",
                })
                .await;
            let (method, path) = (&route.method, route.path);
            let case = format!("{method} {path} as {:?}: {}", roles::names(*role), answer.text);
            assert_ne!(answer.status.as_u16(), 500, "{case}");
            let refused = matches!(answer.status.as_u16(), 401 | 403);
            if path.starts_with("/webhooks") {
                continue;
            }
            let no_credential = bearer.is_none() || *role != 0;
            let anybody = route.access == roles::ANYBODY && no_credential;
            if route.access == roles::PUBLIC || anybody || route.access & role != 0 {
                assert!(!refused, "{case}");
            } else if bearer.is_none() || *role == 0 {
                assert_eq!(answer.status.as_u16(), 401, "{case}");
                assert!(answer.header("www-authenticate").starts_with("Bearer"), "{case}");
            } else {
                assert_eq!(answer.status.as_u16(), 403, "{case}");
            }
        }
    }
}

#[actix_web::test]
async fn what_is_somebody_elses_is_not_there() {
    let shop = Shop::open().await;
    let (product, sku) = shop.stocked().await;
    let (_, token, order) = shop.customer("tok_ok").await;
    let line = json!({"sku_id": sku, "quantity": 1});
    shop.ask(&token, "POST /cart/items", line).await.is(201);
    let order = shop.ask(&token, "POST /orders", order).await.is(201).id("order_id");
    let (owner, ..) = shop.customer("tok_ok").await;
    let stranger = Shop::customer_token(domain::CustomerId::new(Uuid::now_v7()));
    for (verb, body) in [
        (format!("GET /orders/{order}"), Value::Null),
        (format!("GET /orders/{order}/history"), Value::Null),
        (format!("POST /orders/{order}/cancel"), json!({})),
        (
            format!("POST /orders/{order}/returns"),
            json!({"lines": [{"line": 1, "quantity": 1}], "reason": "other"}),
        ),
        (format!("GET /customers/{owner}"), Value::Null),
        (format!("PATCH /customers/{owner}"), json!({"name": "x"})),
        (format!("DELETE /customers/{owner}"), Value::Null),
        (
            format!("POST /customers/{owner}/payment-methods"),
            json!({"provider": "sandbox", "token": "tok_ok"}),
        ),
        (format!("DELETE /customers/{owner}/addresses/{order}"), Value::Null),
        (format!("POST /products/{product}/ratings"), json!({"order_id": order, "stars": 1})),
    ] {
        let answer = shop.ask(&stranger, &verb, body).await;
        assert_eq!(answer.status.as_u16(), 404, "{verb}: {}", answer.text);
    }
    let warehouse = Uuid::now_v7();
    for (verb, body) in [
        (format!("GET /orders/{order}"), Value::Null),
        (format!("POST /orders/{order}/process"), json!({})),
        (format!("POST /orders/{order}/shipments"), json!({})),
        (format!("PATCH /products/{product}"), json!({"name": "mine"})),
        (format!("GET /inventory/{sku}"), Value::Null),
        (
            format!("POST /inventory/{sku}/receipts"),
            json!({"warehouse_id": warehouse, "quantity": 1}),
        ),
        (format!("PATCH /sellers/{warehouse}"), json!({"name": "mine"})),
    ] {
        let answer = shop.ask("seller", &verb, body).await;
        assert_eq!(answer.status.as_u16(), 404, "{verb}: {}", answer.text);
    }
    let others = format!("GET /orders?customer_id={owner}");
    shop.ask(&stranger, &others, Value::Null).await.is(403);
    let none = shop.ask("seller", "GET /orders", Value::Null).await.is(200);
    assert_eq!(none.body["orders"], json!([]));
}

#[actix_web::test]
async fn the_actor_comes_from_the_credential() {
    let shop = Shop::open().await;
    let (_, sku) = shop.stocked().await;
    let (customer, ..) = shop.customer("tok_ok").await;
    let headers = vec![
        ("tillroll-customer", customer.to_string()),
        ("x-request-id", "req-42".to_owned()),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
    ];
    let line = json!({"sku_id": sku, "quantity": 1});
    let added = shop.ask_with("storefront", "POST /cart/items", line, headers).await.is(201);
    assert_eq!(added.header("x-request-id"), "req-42");
    let last = shop.services.journal.read_back(None, 1).await.unwrap();
    let metadata: Value = serde_json::from_str(&last[0].metadata).unwrap();
    assert!(metadata["actor"].as_str().unwrap().starts_with("storefront:"), "{metadata}");
    assert_eq!(metadata["on_behalf_of"], format!("customer:{customer}"));
    assert_eq!(metadata["request"], "req-42");
    assert!(metadata["traceparent"].as_str().unwrap().starts_with("00-0af7"));
}
