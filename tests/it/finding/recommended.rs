//! What is suggested: beside a product, like a product, and on the front page.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Toys, soon};
use crate::client::Client;
use crate::process::Server;
use crate::shop::{Article, Shop, add, pay};

const SOON: Duration = Duration::from_secs(20);

async fn buys(toys: &Toys, server: &Server, articles: &[&Article], times: u32) {
    for _ in 0..times {
        let customer = toys.shop.customer(server, "tok_ok").await;
        let mut shopper = toys.shop.shopper(server, &customer).await;
        for article in articles {
            add(&mut shopper, article, 1).await;
        }
        pay(&mut shopper, &customer.order, "order").await.is(201);
    }
}

fn ids(body: &Value, list: &str) -> Vec<String> {
    let list = body[list].as_array().unwrap_or_else(|| panic!("no {list}: {body}"));
    let id = |one: &Value| {
        let of = one.get("product").unwrap_or(one);
        of["product_id"].as_str().unwrap_or_else(|| panic!("no id: {one}")).to_owned()
    };
    list.iter().map(id).collect()
}

#[tokio::test]
async fn a_shop_learns_from_what_is_bought_and_looked_at() {
    let (_data, server, shop) = Shop::open().await;
    let toys = Toys::set_up(&server, shop).await;
    let mut articles = Vec::new();
    for name in [
        "Red tea cup",
        "Blue tea cup",
        "Tea pot",
        "Garden spade",
        "Garden fork",
        "Chess board",
        "Chess clock",
        "Rubber duck",
    ] {
        let about = json!({"name": name, "base_prices": {"GBP": 500}, "category_id": toys.toys});
        articles.push(toys.product(&server, &about, "any", 1_000).await);
    }
    let [red, blue, pot, spade, fork, board, clock, _duck] = &articles[..] else { panic!() };
    buys(&toys, &server, &[red, pot], 4).await;
    buys(&toys, &server, &[spade, fork], 6).await;
    buys(&toys, &server, &[board, clock], 3).await;
    let mut nobody = Client::nobody(&server.address).await;

    // Bought together, by every score.
    for score in ["cosine", "lift", "jaccard", "count"] {
        let path = format!("/products/{}/frequently-bought-together?score={score}", red.product_id);
        let is_there = soon(SOON, async || {
            let answer = nobody.get(&path).await.is(200);
            ids(&answer.body, "partners") == [pot.product_id.clone()]
        });
        assert!(is_there.await, "{score}");
    }
    let path = format!("/products/{}/frequently-bought-together?score=size", red.product_id);
    nobody.get(&path).await.is(422);

    // Like a product, by what is written about it. What is bought with it is like it too, and more so
    // where the model was trained after that.
    let path = format!("/products/{}/similar?limit=2", red.product_id);
    let is_like = soon(SOON, async || {
        let answer = nobody.get(&path).await.is(200);
        ids(&answer.body, "similar").contains(&blue.product_id)
    });
    assert!(is_like.await, "{}", nobody.get(&path).await.text);
    nobody.get("/products/018f0000-0000-7000-8000-000000000000/similar").await.is(404);

    // Strangers see what many buy.
    let many = [spade.product_id.clone(), fork.product_id.clone()];
    let is_popular = soon(SOON, async || {
        let home = nobody.get("/home?limit=8").await.is(200);
        let ids = ids(&home.body, "products");
        many.iter().any(|one| ids.first() == Some(one))
    });
    assert!(is_popular.await, "{}", nobody.get("/home").await.text);

    // A customer who looks at chess is shown chess, and not what they cannot have.
    let customer = toys.shop.customer(&server, "tok_ok").await;
    let mut shopper = toys.shop.shopper(&server, &customer).await;
    for _ in 0..3 {
        let path = format!("/products/{}/views", board.product_id);
        shopper.post(&path, json!({})).await.is(202);
    }
    let chess = [board.product_id.clone(), clock.product_id.clone()];
    let is_own = soon(SOON, async || {
        let home = shopper.get("/home?limit=8").await.is(200);
        let ids = ids(&home.body, "products");
        ids.iter().take(2).any(|id| chess.contains(id))
    });
    assert!(is_own.await, "{}", shopper.get("/home?limit=8").await.text);
    let home = shopper.get("/home?limit=8").await.is(200);
    assert!(home.header("cache-control").contains("private"), "{:?}", home.headers);
    let mut admin = toys.shop.admin(&server).await;
    let warehouse = &toys.shop.warehouse_id;
    let path = format!("/inventory/{}/counts", clock.sku_id);
    let on_hand = admin.get(&format!("/inventory/{}", clock.sku_id)).await.is(200);
    let held = on_hand.body["held"].as_u64().or(on_hand.body["committed"].as_u64());
    let body = json!({
        "warehouse_id": warehouse, "on_hand": held.unwrap_or(0), "reason": "counted",
    });
    let gone = admin.post(&path, body).await.is(200).header("tillroll-position");
    let seen = [("tillroll-min-position", gone.as_str())];
    let home = shopper.get_with("/home?limit=8", &seen).await.is(200);
    assert!(!ids(&home.body, "products").contains(&clock.product_id), "{}", home.text);

    // Impressions and clicks are taken in.
    let seen = json!({"place": "home", "product_ids": [red.product_id, blue.product_id]});
    shopper.post("/impressions", seen).await.is(202);
    let clicked = json!({"place": "home", "product_id": red.product_id});
    shopper.post("/clicks", clicked).await.is(202);
    assert!(server.stop().success());
}
