//! `tillroll replay`, beside a running server.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use hyper::Method;
use serde_json::{Value, json};

use crate::client::Answer;
use crate::process::{Server, assert_clean, command, run, signal, wait};
use crate::shop::{Article, Customer, Shop, add, pay};

const NOBODY: &str = "0190a0b0-0000-7000-8000-000000000000";

async fn buy(shop: &Shop, server: &Server, customer: &Customer, article: &Article) -> Answer {
    let mut shopper = shop.shopper(server, customer).await;
    add(&mut shopper, article, 1).await;
    shopper.post("/orders", customer.order.clone()).await.is(201)
}

#[tokio::test]
async fn an_orders_story_is_told_now_and_as_of_a_moment() {
    let (_data, server, shop) = Shop::open().await;
    let article = shop.article(&server, 1_999, 10).await;
    let customer = shop.customer(&server, "tok_ok").await;
    let id = buy(&shop, &server, &customer, &article).await.id("order_id");
    let mut admin = shop.admin(&server).await;
    let words = ["replay", "log", "--order", &id, "--type", "order.confirmed"];
    let confirmed = run(&server.data, &words).exits(0).json_lines();
    let position = format!("@{}", confirmed[0]["position"]);
    admin.post(&format!("/orders/{id}/shipments"), json!({})).await.is(201);

    let story = run(&server.data, &["replay", "order", &id]).exits(0);
    for part in ["into the cart: 1 × Kite", "stock held", "19.99 GBP taken", "order confirmed"] {
        assert!(story.out.contains(part), "no `{part}` in {}", story.out);
    }
    assert!(story.out.contains("status    shipped"), "{}", story.out);
    assert!(!story.out.contains("Ada") && !story.out.contains("tok_ok"), "{}", story.out);
    let then = run(&server.data, &["replay", "order", &id, "--at", &position]).exits(0);
    assert!(then.out.contains("status    confirmed"), "{}", then.out);
    let then = run(&server.data, &["replay", "order", &id, "--at", &position, "--json"]).exits(0);
    assert!(then.json().is_object());

    let revealed = run(&server.data, &["replay", "order", &id, "--reveal"]).exits(0);
    assert!(revealed.out.contains("Leeds"), "{}", revealed.out);

    run(&server.data, &["replay", "order", NOBODY]).exits(3).complains_of(&["no order", NOBODY]);
    run(&server.data, &["replay", "order", &id, "--at", "2001-01-01"])
        .exits(3)
        .complains_of(&["no events yet"]);
    let refused = run(&server.data, &["replay", "order", &id, "--at", "lately"]).exits(2);
    assert!(refused.err.contains("`lately` is no moment"), "{}", refused.err);
    assert!(server.stop().success());
}

#[tokio::test]
async fn any_state_is_told_now_and_as_of_a_moment() {
    let (_data, server, shop) = Shop::open().await;
    let article = shop.article(&server, 1_999, 10).await;
    let customer = shop.customer(&server, "tok_ok").await;
    let stream = format!("inventory-{}", article.sku_id);
    let before = run(&server.data, &["replay", "state", &stream, "--json"]).exits(0).json();
    buy(&shop, &server, &customer, &article).await;
    let after = run(&server.data, &["replay", "state", &stream, "--json"]).exits(0).json();
    assert_ne!(before["state"], after["state"]);
    let at = format!("@{}", before["position"]);
    let words = ["replay", "state", &stream, "--at", &at, "--json"];
    let again = run(&server.data, &words).exits(0).json();
    assert_eq!(again["state"], before["state"]);
    let nothing = format!("inventory-{NOBODY}");
    run(&server.data, &["replay", "state", &nothing]).exits(3).complains_of(&[&nothing]);
    let nonsense = run(&server.data, &["replay", "state", "nonsense"]);
    assert!(matches!(nonsense.code, Some(2 | 3)), "{}", nonsense.err);
    assert!(server.stop().success());
}

#[tokio::test]
async fn the_log_is_filtered_exported_and_followed() {
    let (_data, server, shop) = Shop::open().await;
    let article = shop.article(&server, 1_999, 10).await;
    let customer = shop.customer(&server, "tok_ok").await;
    let order_id = buy(&shop, &server, &customer, &article).await.id("order_id");
    let log = |words: &[&str]| -> Vec<Value> {
        run(&server.data, &[&["replay", "log"], words].concat()).exits(0).json_lines()
    };
    let all = log(&[]);
    let positions: Vec<u64> = all.iter().map(|event| event["position"].as_u64().unwrap()).collect();
    assert_eq!(positions, (1..=positions.len() as u64).collect::<Vec<_>>());
    let payments = log(&["--category", "payment"]);
    assert!(payments.iter().all(|event| event["stream"].as_str().unwrap().starts_with("payment-")));
    assert!(payments.len() >= 5, "{payments:?}");
    assert_eq!(log(&["--type", "order.placed"]).len(), 1);
    assert_eq!(log(&["--stream", &format!("order-{order_id}")]).len(), 2);
    assert!(log(&["--order", &order_id]).len() > 8);
    assert_eq!(log(&["--order", NOBODY]).len(), 0);
    assert_eq!(log(&["-n", "3"]).len(), 3);
    assert_eq!(log(&["--from", "@3", "--to", "@5"]).len(), 3);
    assert_eq!(log(&["--to", "2001-01-01"]).len(), 0);
    // From the order placed to its checkout ended, whoever did each step.
    let conversation = log(&["--correlation", &order_id]);
    let types: Vec<&str> = conversation.iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!((types[0], types.last()), ("inventory.held", Some(&"checkout.ended")), "{types:?}");
    assert!(payments.iter().all(|payment| conversation.contains(payment)), "{types:?}");
    assert!(!log(&["--actor", "admin"]).is_empty());

    let mut follower =
        command(&server.data, &["replay", "log", "--follow", "--type", "order.placed"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["payload"]["order_id"], order_id.as_str());
    let another = buy(&shop, &server, &customer, &article).await.id("order_id");
    assert_eq!(next()["payload"]["order_id"], another.as_str());
    signal(&follower, "INT");
    assert!(wait(&mut follower).success());
    assert!(server.stop().success());
}

#[tokio::test]
async fn an_erased_customer_is_gone_from_every_story_and_the_books_still_agree() {
    let (_data, server, shop) = Shop::open().await;
    let article = shop.article(&server, 1_999, 10).await;
    let customer = shop.customer(&server, "tok_ok").await;
    let placed = buy(&shop, &server, &customer, &article).await;
    let order_id = placed.id("order_id");
    let mut admin = shop.admin(&server).await;
    let path = format!("/customers/{}", customer.id);
    assert_eq!(admin.get(&path).await.is(200).body["contact"]["name"], "Ada Byron");

    let erased = admin.ask(Method::DELETE, &path, &[], "").await.is(200);
    let read = admin.get(&path).await.is(200);
    assert_eq!((&read.body["erased"], &read.body["contact"]), (&json!(true), &Value::Null));
    let position = erased.header("tillroll-position");
    let seen = [("tillroll-min-position", position.as_str())];
    let order = admin.get_with(&format!("/orders/{order_id}"), &seen).await.is(200);
    assert_eq!(order.body["shipping_address"]["place"], Value::Null);
    assert_eq!(order.body["payment"]["captured_minor"], 1_999);
    let mut shopper = shop.shopper(&server, &customer).await;
    let body = json!({"sku_id": article.sku_id, "quantity": 1});
    let refused = shopper.post("/cart/items", body).await;
    if refused.status == 201 {
        pay(&mut shopper, &customer.order, "after").await.refused(404, "customer_not_found");
    }

    for words in [&["replay", "order", &order_id, "--reveal"][..], &["replay", "log"]] {
        let told = run(&server.data, words).exits(0);
        for personal in ["Ada", "Leeds", "High Street", "example.com"] {
            let seller = told.out.lines().filter(|line| !line.contains("seller."));
            assert!(
                !seller.into_iter().any(|line| line.contains(personal)),
                "{personal}: {words:?}"
            );
        }
    }
    let story = run(&server.data, &["replay", "order", &order_id, "--reveal"]).exits(0);
    assert!(story.out.contains("(erased)"), "{}", story.out);
    let data = server.data.clone();
    assert_clean(&data);
    assert!(server.stop().success());
    assert_clean(&data);
}
