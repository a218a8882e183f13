//! Search in Meilisearch instead of the node's own index.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};
use test_servers::meilisearch::{Double, MASTER_KEY};

use super::rebuilt::figure;
use super::{Toys, kites, names, soon};
use crate::client::Client;
use crate::process::{DataDir, Server, command, finish, key};
use crate::shop::{Shop, add};

const SOON: Duration = Duration::from_secs(30);
/// How long `rebuild search` waits for a node that begins with what it was asked for.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);

async fn found(server: &Server, query: &str) -> (u16, Value) {
    let mut nobody = Client::nobody(&server.address).await;
    let answer = nobody.get(&format!("/products?{query}")).await;
    (answer.status, answer.body)
}

async fn readiness(server: &Server) -> (u16, String) {
    let answer = Client::nobody(&server.address).await.get("/readyz").await;
    (answer.status, answer.text)
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
async fn a_node_is_ready_without_its_meilisearch_and_tells_how_far_that_is() {
    let mut double = Double::start();
    double.stop();
    let data = DataDir::new();
    let path = data.path();
    let (admin_key, storefront_key) = (key(&path, "admin"), key(&path, "storefront"));
    let url = double.url();
    let server = Server::start_with(&path, &["--search", &url, "--search-key", MASTER_KEY]);
    let shop = Shop::set_up(&server, admin_key, storefront_key).await;
    let about = json!({"name": "Box kite", "brand": "Aloft", "base_prices": {"GBP": 900}});
    let toys = Toys::set_up(&server, shop).await;
    let kite = toys.product(&server, &about, "red", 5).await;
    let shop = &toys.shop;

    let mut nobody = Client::nobody(&server.address).await;
    let is_ready = soon(SOON, async || nobody.get("/readyz").await.status == 200);
    assert!(is_ready.await, "{}", nobody.get("/readyz").await.text);
    let failed = figure(&server, shop, "tillroll_search_failed_total").await.unwrap();
    let asked = nobody.get("/products?q=kite&mode=text").await.is(503);
    assert_eq!(asked.body["code"], "search_not_available", "{}", asked.text);
    assert_eq!(figure(&server, shop, "tillroll_search_failed_total").await.unwrap(), failed + 1);
    let seen = shop.position(&server).await;
    let page = format!("/products/{}", kite.product_id);
    nobody.get_with(&page, &[("tillroll-min-position", &seen)]).await.is(200);
    let (memory, engine) =
        ("tillroll_search_position{of=\"memory\"}", "tillroll_search_position{of=\"meilisearch\"}");
    let fills = "tillroll_search_fills{of=\"meilisearch\"}";
    let seen = async || figure(&server, shop, memory).await.unwrap() > 0;
    assert!(soon(SOON, seen).await, "the shelf needs no engine");
    for name in [engine, fills] {
        assert_eq!(figure(&server, shop, name).await.unwrap(), 0, "{name}");
    }

    double.run();
    assert!(soon(SOON, async || finds(&server, "q=kite&mode=text", &["Box kite"]).await).await);
    // Said once the index is in its place, which is when it may be searched already.
    assert!(soon(SOON, async || figure(&server, shop, fills).await.unwrap() == 1).await);
    for part in ["done", "total"] {
        let name = format!("tillroll_search_fill_{part}{{of=\"meilisearch\"}}");
        assert_eq!(figure(&server, shop, &name).await.unwrap(), 1, "{name}");
    }
    let caught_up = async || {
        figure(&server, shop, engine).await.unwrap() >= figure(&server, shop, memory).await.unwrap()
    };
    assert!(soon(SOON, caught_up).await);
    let vectors = async || {
        let of = async |which| {
            let name = format!("tillroll_search_vectors{{which=\"{which}\"}}");
            figure(&server, shop, &name).await.unwrap()
        };
        (of("up_to_date").await, of("all").await) == (1, 1)
    };
    assert!(soon(SOON, vectors).await);

    // Not filled any more: no answer until it is, and the node stays ready.
    double.shared.lose_everything();
    let filled_anew = soon(SOON, async || {
        let ready = Client::nobody(&server.address).await.get("/readyz").await.status;
        assert_eq!(ready, 200);
        figure(&server, shop, fills).await.unwrap() == 2
    });
    assert!(filled_anew.await);
    assert!(soon(SOON, async || finds(&server, "q=kite&mode=text", &["Box kite"]).await).await);
    assert!(server.stop().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_meilisearch_that_hangs_keeps_nobody_waiting() {
    let double = Double::start();
    double.shared.hang_at(Some(""));
    let data = DataDir::new();
    let path = data.path();
    let (admin_key, storefront_key) = (key(&path, "admin"), key(&path, "storefront"));
    let url = double.url();
    let server = Server::start_with(&path, &["--search", &url, "--search-key", MASTER_KEY]);
    let shop = Shop::set_up(&server, admin_key, storefront_key).await;
    let article = shop.article(&server, 1_000, 10).await;
    let query = "q=kite&mode=text&facets=category";
    let refused = async |patience: Duration| {
        let began = Instant::now();
        let asked = (0..8).map(|_| found(&server, query));
        for answer in join_all(asked).await {
            assert_eq!(answer.0, 503, "{}", answer.1);
        }
        assert!(began.elapsed() < patience, "{:?}", began.elapsed());
    };
    // One that was never reached is not even asked.
    refused(Duration::from_secs(2)).await;
    let mut guest = shop.storefront(&server).await;
    let page = format!("/products/{}", article.product_id);
    let sales_go_on = async |guest: &mut Client| {
        let began = Instant::now();
        let seen = add(guest, &article, 1).await.header("tillroll-position");
        guest.get_with(&page, &[("tillroll-min-position", &seen)]).await.is(200);
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    };
    sales_go_on(&mut guest).await;
    assert!(soon(SOON, async || readiness(&server).await.0 == 200).await);

    double.shared.hang_at(None);
    assert!(soon(SOON, async || found(&server, query).await.0 == 200).await);
    double.shared.hang_at(Some(""));
    // One that was there is given two seconds, by all who ask at once.
    refused(Duration::from_secs(4)).await;
    sales_go_on(&mut guest).await;
    double.shared.hang_at(None);
    assert!(soon(SOON, async || found(&server, query).await.0 == 200).await);
    assert!(server.stop().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_shops_do_not_fight_over_one_index() {
    let double = Double::start();
    let url = double.url();
    let at = ["--search", &url, "--search-key", MASTER_KEY];
    let (one, other) = (DataDir::new(), DataDir::new());
    let open = async |data: &DataDir| {
        let path = data.path();
        let (admin_key, storefront_key) = (key(&path, "admin"), key(&path, "storefront"));
        let server = Server::start_with(&path, &at);
        let shop = Shop::set_up(&server, admin_key, storefront_key).await;
        (server, shop)
    };
    let (first, shop) = open(&one).await;
    let toys: Toys = kites(&first, shop).await;
    let stunt = "q=stunt&mode=text";
    assert_eq!(names(&toys.find(&first, stunt).await), ["Stunt kite"]);

    let (second, shop) = open(&other).await;
    shop.article(&second, 1_000, 10).await;
    let is_told = async || {
        let (status, why) = readiness(&second).await;
        status == 503 && why.contains("search: ") && why.contains("filled from another journal")
    };
    assert!(soon(SOON, is_told).await, "{}", readiness(&second).await.1);
    assert_eq!(found(&second, "q=kite&mode=text").await.0, 503);
    assert!(finds(&first, stunt, &["Stunt kite"]).await);

    // Whoever means it takes the index over, and keeps it.
    let words = [&["rebuild", "search"][..], &at].concat();
    finish(&mut command(&other.path(), &words)).exits(0);
    let has_it = async || {
        let (status, body) = found(&second, "q=kite&mode=text").await;
        status == 200 && body["total"] == 1 && readiness(&second).await.0 == 200
    };
    assert!(soon(SOON, has_it).await);
    assert!(soon(SOON, async || found(&first, stunt).await.0 == 503).await);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(has_it().await);
    assert_eq!(readiness(&first).await.0, 200, "it sells on");
    assert!(first.stop().success() && second.stop().success());
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
