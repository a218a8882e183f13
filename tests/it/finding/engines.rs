//! Search in Meilisearch instead of the node's own index.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_servers::meilisearch::{Double, MASTER_KEY};

use super::rebuilt::figure;
use super::{Toys, kites, names, soon};
use crate::client::Client;
use crate::process::{DataDir, Server, command, finish, key};
use crate::shop::Shop;

const SOON: Duration = Duration::from_secs(30);
/// How long `rebuild search` waits for a node that begins with what it was asked for.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);

async fn found(server: &Server, query: &str) -> (u16, Value) {
    let mut nobody = Client::nobody(&server.address).await;
    let answer = nobody.get(&format!("/products?{query}")).await;
    (answer.status, answer.body)
}

async fn finds(server: &Server, query: &str, expected: &[&str]) -> bool {
    let (status, body) = found(server, query).await;
    status == 200 && names(&body) == expected
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_meilisearch_that_is_emptied_or_away_is_made_whole_and_sales_go_on() {
    let mut double = Double::start();
    let data = DataDir::new();
    let path = data.path();
    let (admin_key, storefront_key) = (key(&path, "admin"), key(&path, "storefront"));
    let url = double.url();
    let server = Server::start_with(&path, &["--search", &url, "--search-key", MASTER_KEY]);
    let shop = Shop::set_up(&server, admin_key, storefront_key).await;
    let toys: Toys = kites(&server, shop).await;
    let boxes = ["Blue box kite", "Red box kite"];
    let query = "q=box+kite&sort=name&mode=text&brand=Aloft";
    assert_eq!(names(&toys.find(&server, query).await), boxes);

    // A sale that ends by itself.
    let mut admin = toys.shop.admin(&server).await;
    let about = json!({"name": "Rocket", "base_prices": {"GBP": 900}});
    let rocket = toys.product(&server, &about, "red", 1).await;
    let prices = format!("/products/{}/skus/{}/prices", rocket.product_id, rocket.sku_id);
    let ends_at = chrono::Utc::now() + chrono::TimeDelta::seconds(3);
    let sale = json!({"GBP": {"minor": 500, "ends_at": ends_at.to_rfc3339()}});
    let body = json!({"prices": {"sale": sale}}).to_string();
    admin.ask(hyper::Method::PUT, &prices, &[], &body).await.is(200);
    let cheap = "q=rocket&mode=text&currency=GBP&price_max=500";
    let dear = "q=rocket&mode=text&currency=GBP&price_min=900";
    assert_eq!(names(&toys.find(&server, cheap).await), ["Rocket"]);
    assert!(soon(SOON, async || finds(&server, dear, &["Rocket"]).await).await, "the sale is over");
    assert!(chrono::Utc::now() >= ends_at);
    assert!(finds(&server, cheap, &[]).await);

    double.shared.empty("products");
    assert!(soon(SOON, async || finds(&server, query, &boxes).await).await, "emptied");
    double.shared.lose_everything();
    assert!(soon(SOON, async || finds(&server, query, &boxes).await).await, "lost");

    double.stop();
    let (status, body) = found(&server, query).await;
    assert_eq!(status, 503, "{body}");
    let about = json!({"name": "Green box kite", "brand": "Aloft", "base_prices": {"GBP": 900}});
    toys.product(&server, &about, "green", 1).await;
    Client::nobody(&server.address).await.get("/readyz").await.is(200);
    double.run();
    let boxes = ["Blue box kite", "Green box kite", "Red box kite"];
    assert!(soon(SOON, async || finds(&server, query, &boxes).await).await, "back");

    let words = ["rebuild", "search", "--search", &url, "--search-key", MASTER_KEY, "--json"];
    let rebuilt = finish(&mut command(&path, &words)).exits(0);
    assert_eq!(rebuilt.json()["products"], 6, "{}", rebuilt.out);
    assert!(finds(&server, query, &boxes).await);
    assert!(server.stop().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_meilisearch_that_cannot_work_is_told_of_at_the_start() {
    let double = Double::start();
    let data = DataDir::new();
    let url = double.url();
    let serve = |words: &[&str]| {
        let usual = ["serve", "--listen", "127.0.0.1:0", "--search", &url];
        finish(&mut command(&data.path(), &[&usual, words].concat()))
    };
    let refused = serve(&["--search-key", "wr0ng-s3cret"]).exits(3);
    assert!(refused.err.contains("key"), "{}", refused.err);
    assert!(!refused.err.contains("wr0ng-s3cret"), "{}", refused.err);
    *double.shared.version.lock().unwrap() = "1.3.0".to_owned();
    let refused = serve(&["--search-key", MASTER_KEY]).exits(3);
    assert!(refused.err.contains("1.3.0") && refused.err.contains("upgrade"), "{}", refused.err);
    assert!(double.shared.requests.load(Ordering::Relaxed) > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_catalogue_built_anew_while_nobody_ran_has_the_index_filled_anew() {
    let double = Double::start();
    let data = DataDir::new();
    let path = data.path();
    let (admin_key, storefront_key) = (key(&path, "admin"), key(&path, "storefront"));
    let words = ["--search", &double.url(), "--search-key", MASTER_KEY];
    let server = Server::start_with(&path, &words);
    let shop = Shop::set_up(&server, admin_key, storefront_key).await;
    let toys: Toys = kites(&server, shop).await;
    let boxes = ["Blue box kite", "Red box kite"];
    let query = "q=box+kite&sort=name&mode=text&brand=Aloft";
    assert_eq!(names(&toys.find(&server, query).await), boxes);
    assert!(server.stop().success());

    let fills = "tillroll_search_fills{of=\"meilisearch\"}";
    let server = Server::start_with(&path, &words);
    assert_eq!(names(&toys.find(&server, query).await), boxes);
    assert_eq!(figure(&server, &toys.shop, fills).await, Some(0), "a start is no reason");
    assert!(server.stop().success());

    finish(&mut command(&path, &["rebuild", "catalogue"])).exits(0);
    let server = Server::start_with(&path, &words);
    let filled = async || figure(&server, &toys.shop, fills).await == Some(1);
    assert!(soon(SOON, filled).await);
    assert_eq!(names(&toys.find(&server, query).await), boxes);
    assert!(server.stop().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_nobody_fills_is_filled_by_whoever_asked() {
    let double = Double::start();
    let data = DataDir::new();
    let path = data.path();
    let (admin_key, storefront_key) = (key(&path, "admin"), key(&path, "storefront"));
    let (url, query) = (double.url(), "q=kite&mode=text");
    let words = ["--search", &url, "--search-key", MASTER_KEY];
    let server = Server::start_with(&path, &words);
    let shop = Shop::set_up(&server, admin_key, storefront_key).await;
    let toys: Toys = kites(&server, shop).await;
    let found = toys.find(&server, query).await;
    let lost = found["products"][0]["product_id"].as_str().unwrap().to_owned();
    assert!(server.stop().success());

    let whole = double.shared.documents("products");
    double.shared.lose("products", &lost);
    let began = Instant::now();
    let rebuild = ["rebuild", "search", "--search", &url, "--search-key", MASTER_KEY, "--json"];
    let rebuilt = finish(&mut command(&path, &rebuild)).exits(0);
    assert!(began.elapsed() >= TAKEN_WITHIN, "a node would have had that long");
    assert_eq!(rebuilt.json()["products"], 4, "{}", rebuilt.out);
    // As many as before: with what was lost, and without the request, which is met.
    assert_eq!(double.shared.documents("products"), whole);
    assert_eq!(double.shared.indexes(), ["products"], "and nothing lies about");

    let server = Server::start_with(&path, &words);
    assert_eq!(toys.find(&server, query).await, found);
    let fills = "tillroll_search_fills{of=\"meilisearch\"}";
    assert_eq!(figure(&server, &toys.shop, fills).await, Some(0), "nothing is left to do");
    assert!(server.stop().success());
}
