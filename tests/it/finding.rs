//! Finding things, as a storefront does it: over HTTP, from a running server.

#[cfg(feature = "meilisearch")]
mod engines;
mod rebuilt;
mod recommended;

use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::process::{Server, run};
use crate::shop::{Article, Shop};

/// A small shop with something to find.
struct Toys {
    shop: Shop,
    toys: String,
    kites: String,
}

impl Toys {
    async fn set_up(server: &Server, shop: Shop) -> Self {
        let mut admin = shop.admin(server).await;
        let mut category = async |name: &str, slug: &str, parent: Option<&str>| {
            let body = json!({"name": name, "slug": slug, "parent_id": parent});
            admin.post("/categories", body).await.is(201).id("category_id")
        };
        let toys = category("Toys", "toys", None).await;
        let kites = category("Kites", "kites", Some(&toys)).await;
        Self { shop, toys, kites }
    }

    /// A product with one SKU and so many units on hand.
    async fn product(&self, server: &Server, about: &Value, colour: &str, units: u32) -> Article {
        let mut admin = self.shop.admin(server).await;
        let mut body = json!({"seller_id": self.shop.seller_id});
        body.as_object_mut().unwrap().extend(about.as_object().unwrap().clone());
        let product_id = admin.post("/products", body).await.is(201).id("product_id");
        let path = format!("/products/{product_id}/skus");
        let body = json!({"attributes": {"colour": colour}});
        let sku_id = admin.post(&path, body).await.is(201).id("sku_id");
        if units > 0 {
            let path = format!("/inventory/{sku_id}/receipts");
            let body = json!({"warehouse_id": self.shop.warehouse_id, "quantity": units});
            admin.post(&path, body).await.is(200);
        }
        Article { product_id, sku_id }
    }

    /// What everybody finds, with everything seen that was done before.
    async fn find(&self, server: &Server, query: &str) -> Value {
        let seen = self.shop.position(server).await;
        let mut nobody = Client::nobody(&server.address).await;
        let path = format!("/products?{query}");
        nobody.get_with(&path, &[("tillroll-min-position", &seen)]).await.is(200).body
    }
}

impl Shop {
    /// The position of everything that was done.
    async fn position(&self, server: &Server) -> String {
        let mut admin = self.admin(server).await;
        let path = format!("/warehouses/{}/activate", self.warehouse_id);
        admin.post(&path, json!({})).await.is(200).header("tillroll-position")
    }
}

fn names(found: &Value) -> Vec<&str> {
    let products = found["products"].as_array().unwrap();
    products.iter().map(|product| product["name"].as_str().unwrap()).collect()
}

fn counts(facet: &Value) -> Vec<(String, u64)> {
    let values = facet.as_array().unwrap_or_else(|| panic!("no facet: {facet}"));
    let count = |one: &Value| {
        let name = one.get("value").or(one.get("name")).unwrap().as_str().unwrap().to_owned();
        (name, one["count"].as_u64().unwrap())
    };
    values.iter().map(count).collect()
}

async fn kites(server: &Server, shop: Shop) -> Toys {
    let toys = Toys::set_up(server, shop).await;
    let [kites, all] = [&toys.kites, &toys.toys];
    for (name, brand, category, minor, colour, units) in [
        ("Red box kite", "Aloft", kites, 1_500, "red", 5),
        ("Blue box kite", "Aloft", kites, 1_700, "blue", 0),
        ("Stunt kite", "Gale", kites, 4_200, "red", 5),
        ("Wooden train set", "Gale", all, 2_500, "brown", 5),
    ] {
        let about = json!({
            "name": name, "brand": brand, "category_id": category,
            "base_prices": {"GBP": minor}, "tags": ["toy"],
        });
        toys.product(server, &about, colour, units).await;
    }
    toys
}

#[tokio::test]
async fn products_are_found_by_words_and_narrowed_down_by_facets() {
    let (_data, server, shop) = Shop::open().await;
    let toys = kites(&server, shop).await;
    let found = toys.find(&server, "q=box+kites&currency=GBP").await;
    assert_eq!(names(&found), ["Blue box kite", "Red box kite", "Stunt kite"]);
    assert_eq!(found["total"], 3, "{found}");
    assert_eq!(
        counts(&found["facets"]["brand"]),
        [("Aloft".to_owned(), 2), ("Gale".to_owned(), 1)]
    );
    assert_eq!(
        counts(&found["facets"]["category"]),
        [("Toys".to_owned(), 3), ("Kites".to_owned(), 3)]
    );
    let prices = found["prices"]["buckets"].as_array().unwrap();
    assert_eq!(prices.iter().map(|bucket| bucket["count"].as_u64().unwrap()).sum::<u64>(), 3);

    // Chosen, a facet still shows its alternatives.
    let found = toys.find(&server, "q=kite&brand=Aloft&facets=brand,attributes.colour").await;
    assert_eq!(names(&found).len(), 2, "{found}");
    assert_eq!(
        counts(&found["facets"]["brand"]),
        [("Aloft".to_owned(), 2), ("Gale".to_owned(), 1)]
    );
    let colours = counts(&found["facets"]["attributes"]["colour"]);
    assert_eq!(colours, [("blue".to_owned(), 1), ("red".to_owned(), 1)]);

    let misspelt = toys.find(&server, "q=wodden+trian").await;
    assert_eq!(
        (names(&misspelt), &misspelt["corrected"]),
        (vec!["Wooden train set"], &json!("wooden train"))
    );
    assert_eq!(names(&toys.find(&server, "q=stu").await), ["Stunt kite"]);
    let in_stock = toys.find(&server, "q=kite&in_stock=true&sort=price&currency=GBP").await;
    assert_eq!(names(&in_stock), ["Red box kite", "Stunt kite"]);
    let below = toys.find(&server, &format!("category={}&sort=name", toys.toys)).await;
    assert_eq!((below["total"].as_u64(), names(&below).len()), (Some(4), 4));
    let dear = toys.find(&server, "price_min=1700&price_max=2500&currency=GBP&sort=-price").await;
    assert_eq!(names(&dear), ["Wooden train set", "Blue box kite"]);
    assert_eq!(toys.find(&server, "q=zeppelin&mode=text").await["total"], 0);
    assert!(server.stop().success());
}

#[tokio::test]
async fn what_changes_is_found_at_once_by_whoever_changed_it() {
    let (_data, server, shop) = Shop::open().await;
    let toys = kites(&server, shop).await;
    let about = json!({"name": "Paper glider", "base_prices": {"GBP": 100}});
    let glider = toys.product(&server, &about, "white", 1).await;
    let mut admin = toys.shop.admin(&server).await;
    let mut nobody = Client::nobody(&server.address).await;
    let mut see = async |answer: &Answer, query: &str| {
        let position = answer.header("tillroll-position");
        let path = format!("/products?q=glider&currency=GBP&{query}");
        nobody.get_with(&path, &[("tillroll-min-position", &position)]).await.is(200).body
    };
    for round in 1..=20 {
        let minor = 100 + round;
        let path = format!("/products/{}/prices", glider.product_id);
        let body = json!({"base_prices": {"GBP": minor}}).to_string();
        let repriced = admin.ask(Method::PUT, &path, &[], &body).await.is(200);
        let seen = see(&repriced, &format!("price_min={minor}&price_max={minor}")).await;
        assert_eq!(seen["total"], 1, "{seen}");

        let counted = async |admin: &mut Client, on_hand: u32, expected: u32| {
            let path = format!("/inventory/{}/counts", glider.sku_id);
            let warehouse = &toys.shop.warehouse_id;
            let body = json!({
                "warehouse_id": warehouse, "on_hand": on_hand, "expected": expected,
                "reason": "counted",
            });
            admin.post(&path, body).await.is(200)
        };
        let gone = counted(&mut admin, 0, 1).await;
        assert_eq!(see(&gone, "in_stock=true").await["total"], 0);
        let back = counted(&mut admin, 1, 0).await;
        assert_eq!(see(&back, "in_stock=true").await["total"], 1);

        let path = format!("/products/{}", glider.product_id);
        let name = format!("Paper glider mark{round}");
        let body = json!({"name": name}).to_string();
        let renamed = admin.ask(Method::PATCH, &path, &[], &body).await.is(200);
        assert_eq!(names(&see(&renamed, "").await), [name]);
    }
    let path = format!("/products/{}/status", glider.product_id);
    let deleted = admin.post(&path, json!({"status": "deleted"})).await.is(200);
    assert_eq!(see(&deleted, "mode=text").await["total"], 0);
    assert!(server.stop().success());
}

#[tokio::test]
async fn the_index_is_filled_anew_while_it_serves_and_after_a_kill() {
    let (data, server, shop) = Shop::open().await;
    let toys = kites(&server, shop).await;
    let before = toys.find(&server, "q=kite").await;
    let rebuilding = {
        let path = data.path();
        std::thread::spawn(move || run(&path, &["rebuild", "search", "--json"]))
    };
    let mut asked = 0;
    while !rebuilding.is_finished() {
        assert_eq!(toys.find(&server, "q=kite").await, before, "while it is filled");
        asked += 1;
    }
    let rebuilt = rebuilding.join().unwrap().exits(0);
    assert_eq!(rebuilt.json()["products"], 4, "{}", rebuilt.out);
    assert!(asked > 0);
    assert_eq!(toys.find(&server, "q=kite").await, before, "afterwards");

    server.kill();
    let server = Server::start(&data.path());
    let about = json!({"name": "Kite line", "base_prices": {"GBP": 300}});
    toys.product(&server, &about, "white", 1).await;
    assert_eq!(toys.find(&server, "q=kite").await["total"], 4);
    assert!(server.stop().success());

    // Nobody serves, and the index is gone altogether.
    std::fs::remove_dir_all(data.path().join("search")).unwrap();
    let rebuilt = run(&data.path(), &["rebuild", "search"]).exits(0);
    assert!(rebuilt.out.contains("5 products"), "{}", rebuilt.out);
    let server = Server::start(&data.path());
    assert_eq!(toys.find(&server, "q=kite").await["total"], 4);
    assert!(server.stop().success());
}

/// Tries until it is so, at most `patience`.
async fn soon(patience: Duration, mut is_so: impl AsyncFnMut() -> bool) -> bool {
    let began = Instant::now();
    while began.elapsed() < patience {
        if is_so().await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}
