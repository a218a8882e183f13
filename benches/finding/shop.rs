//! A made-up shop with many products, made over HTTP.

use serde_json::json;

use crate::connection::Connection;
use crate::process::Engine;

/// Connections that products are made by.
const MAKERS: usize = 16;
const WORDS: usize = 20_000;
const CUSTOMERS: usize = 50;

pub(crate) struct Shop {
    pub(crate) admin: String,
    pub(crate) storefront: String,
    pub(crate) products: Vec<String>,
    pub(crate) customers: Vec<String>,
    pub(crate) categories: Vec<String>,
}

/// Numbers that look random and are the same every time (Steele, Lea, Flood 2014: SplitMix64).
pub(crate) fn random(seed: usize) -> usize {
    let mut z =
        (seed as u64).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    usize::try_from((z ^ (z >> 31)) >> 8).unwrap()
}

/// A word: low numbers are frequent, by Zipf's law but for the most frequent, which no shop repeats in
/// every product.
pub(crate) fn word(seed: usize) -> String {
    let share = (random(seed) % 1_000_000) as f64 / 1e6;
    let rank = 30.0 * ((WORDS as f64 / 30.0 + 1.0).powf(share) - 1.0);
    spell(rank as usize)
}

fn spell(mut number: usize) -> String {
    const SYLLABLES: [&str; 20] = [
        "ba", "ke", "li", "mo", "nu", "pa", "re", "si", "to", "vu", "da", "fe", "gi", "ho", "ju",
        "la", "me", "ni", "ro", "su",
    ];
    let mut word = String::new();
    for _ in 0..4 {
        word.push_str(SYLLABLES[number % 20]);
        number /= 20;
    }
    word
}

fn words(seed: usize, count: usize) -> String {
    (0..count).map(|place| word(seed * 64 + place)).collect::<Vec<_>>().join(" ")
}

pub(crate) async fn make(address: &str, engine: &Engine, products: usize) -> Shop {
    let admin = format!("Bearer {}", engine.admin_key);
    let storefront = format!("Bearer {}", engine.storefront_key);
    let mut link = Connection::open(address).await;
    let by = [("authorization", admin.as_str())];
    let body = json!({"name": "Bench & Sons", "email": "sales@example.com"});
    let seller = link.post("/sellers", &by, body).await.expect(201).id("seller_id");
    let body = json!({"name": "North", "rank": 1});
    let warehouse = link.post("/warehouses", &by, body).await.expect(201).id("warehouse_id");
    let mut categories: Vec<String> = Vec::new();
    for number in 0..200 {
        let parent = (number >= 20).then(|| categories[number % 20].clone());
        let body =
            json!({"name": spell(number + 7), "slug": format!("c{number}"), "parent_id": parent});
        categories.push(link.post("/categories", &by, body).await.expect(201).id("category_id"));
    }
    let makers = (0..MAKERS).map(|maker| {
        let (admin, seller, warehouse) = (admin.clone(), seller.clone(), warehouse.clone());
        let categories = &categories;
        async move {
            let mut link = Connection::open(address).await;
            let by = [("authorization", admin.as_str())];
            let mut made = Vec::new();
            for number in (maker..products).step_by(MAKERS) {
                let body = json!({
                    "seller_id": seller, "name": words(number, 3 + number % 4),
                    "description": words(number + products, 30),
                    "brand": format!("{} & Co", spell(random(number) % 300)),
                    "category_id": categories[random(number + 1) % 200],
                    "tags": [spell(random(number + 2) % 50)],
                    "base_prices": {"GBP": 99 + random(number + 3) % 20_000},
                });
                let product = link.post("/products", &by, body).await.expect(201).id("product_id");
                let colour = ["red", "blue", "green", "white", "black"][random(number + 4) % 5];
                let path = format!("/products/{product}/skus");
                let body = json!({"attributes": {"colour": colour}});
                let sku = link.post(&path, &by, body).await.expect(201).id("sku_id");
                if number % 10 > 0 {
                    let path = format!("/inventory/{sku}/receipts");
                    let body = json!({"warehouse_id": warehouse, "quantity": 1_000});
                    link.post(&path, &by, body).await.expect(200);
                }
                made.push(product);
            }
            made
        }
    });
    let products = futures::future::join_all(makers).await.concat();
    let mut customers = Vec::new();
    // The first one was idle for too long to be kept.
    let mut link = Connection::open(address).await;
    let by = [("authorization", storefront.as_str())];
    for number in 0..CUSTOMERS {
        let body =
            json!({"name": format!("Shopper {number}"), "email": format!("s{number}@example.com")});
        let customer = link.post("/customers", &by, body).await.expect(201).id("customer_id");
        let by = [by[0], ("tillroll-customer", customer.as_str())];
        for view in 0..10 {
            let product: &String = &products[random(number * 10 + view) % products.len()];
            let path = format!("/products/{product}/views");
            link.post(&path, &by, json!({})).await.expect(202);
        }
        customers.push(customer);
    }
    Shop { admin, storefront, products, customers, categories }
}
