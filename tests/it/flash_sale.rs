//! Scarce stock and impatient buyers: nothing is sold twice, nobody pays twice.

use std::collections::BTreeMap;

use futures::future::join_all;
use serde_json::json;

use crate::client::{Answer, Client};
use crate::process::assert_clean;
use crate::shop::{Shop, add, guests_order, pay};

const UNITS: u32 = 50;
const BUYERS: usize = 200;

#[tokio::test]
async fn as_many_buyers_as_there_are_units_get_one_and_the_others_are_told_at_once() {
    let (_data, server, shop) = Shop::open().await;
    let article = shop.article(&server, 1_999, UNITS).await;
    let order = guests_order("tok_ok");
    let mut buyers = join_all((0..BUYERS).map(|_| async {
        let mut guest = shop.storefront(&server).await;
        let session = add(&mut guest, &article, 1).await.header("tillroll-session");
        guest.with("tillroll-session", session)
    }))
    .await;

    let answers = join_all(buyers.iter_mut().map(|buyer| pay(buyer, &order, "mine"))).await;
    let mut count = BTreeMap::new();
    for answer in &answers {
        match answer.status {
            201 => assert_eq!(answer.body["status"], "confirmed", "{}", answer.text),
            409 => {
                assert_eq!(answer.body["code"], "insufficient_stock", "{}", answer.text);
                assert_eq!(answer.body["short"][0]["sku_id"], article.sku_id.as_str());
            }
            _ => panic!("{}: {}", answer.status, answer.text),
        }
        *count.entry(answer.status).or_insert(0) += 1;
    }
    assert_eq!(count, BTreeMap::from([(201, 50), (409, 150)]));

    let position = answers.iter().map(|answer| answer.headers.get("tillroll-position"));
    let newest = position.flatten().map(|value| value.to_str().unwrap()).max().unwrap();
    let mut admin = shop.admin(&server).await;
    let seen = [("tillroll-min-position", newest)];
    let stock = admin.get_with(&format!("/inventory/{}", article.sku_id), &seen).await.is(200);
    assert_eq!(stock.body["available"], 0, "{}", stock.text);
    assert!(server.stop().success());
}

#[tokio::test]
async fn a_pay_button_pressed_twice_at_once_makes_one_order() {
    let (_data, server, shop) = Shop::open().await;
    let article = shop.article(&server, 1_999, 10).await;
    for keys in [["same", "same"], ["one", "another"]] {
        // Slow enough for the two to be under way together.
        let customer = shop.customer(&server, "tok_slow_50").await;
        let mut left = shop.shopper(&server, &customer).await;
        let mut right = shop.shopper(&server, &customer).await;
        add(&mut left, &article, 1).await;
        let order = &customer.order;
        let (first, second) =
            tokio::join!(pay(&mut left, order, keys[0]), pay(&mut right, order, keys[1]));
        let (placed, refused): (Vec<_>, Vec<_>) =
            [first, second].into_iter().partition(|answer| answer.status == 201);
        let seen = [("tillroll-min-position", placed[0].header("tillroll-position"))];
        let seen = [(seen[0].0, seen[0].1.as_str())];
        let orders = left.get_with("/orders", &seen).await.is(200);
        let orders = orders.body["orders"].as_array().unwrap();
        assert_eq!(orders.len(), 1, "{orders:?}");
        assert!(placed.iter().all(|answer| answer.body["order_id"] == orders[0]["order_id"]));
        if keys[0] == keys[1] {
            assert_eq!(placed.len(), 2, "{refused:?}");
            assert!(placed.iter().any(Answer::replayed));
        }
        for refused in refused {
            refused.refused(409, "checkout_in_progress");
        }
    }
    let data = server.data.clone();
    assert!(server.stop().success());
    assert_clean(&data);
}

#[tokio::test]
async fn carts_with_the_same_articles_in_opposite_order_all_go_through() {
    let (_data, server, shop) = Shop::open().await;
    let (here, there) =
        (shop.article(&server, 500, 100).await, shop.article(&server, 700, 100).await);
    let order = guests_order("tok_ok");
    let bought = join_all((0..20).map(|number| {
        let (here, there, shop, server, order) = (&here, &there, &shop, &server, &order);
        async move {
            let (first, second) = if number % 2 == 0 { (here, there) } else { (there, here) };
            let mut guest: Client = shop.storefront(server).await;
            let session = add(&mut guest, first, 1).await.header("tillroll-session");
            let mut guest = guest.with("tillroll-session", session);
            add(&mut guest, second, 1).await;
            pay(&mut guest, order, &format!("crossed-{number}")).await
        }
    }))
    .await;
    for answer in bought {
        let answer = answer.is(201);
        assert_eq!(answer.body["total"], json!({"minor": 1_200, "currency": "GBP"}));
    }
    let data = server.data.clone();
    assert!(server.stop().success());
    assert_clean(&data);
}
