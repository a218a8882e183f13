//! How soon a change is found by whoever does not ask for its position, while many are made.

use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::json;

use crate::connection::Connection;
use crate::percentile;
use crate::shop::{Shop, random};

const CHANGERS: usize = 4;
const LOOKS: usize = 200;

/// Changes prices and names all the time, and looks for a change of its own now and then.
pub(crate) async fn measure(address: &str, shop: &Shop) {
    let over = std::cell::Cell::new(false);
    let changers = futures::future::join_all((0..CHANGERS).map(|changer| {
        let over = &over;
        async move {
            let mut link = Connection::open(address).await;
            let mut changes = 0;
            while !over.get() {
                change(&mut link, shop, changer * 100_000 + changes).await;
                changes += 1;
            }
            changes
        }
    }));
    let began = Instant::now();
    let looker = async {
        let mut times = look(address, shop).await;
        over.set(true);
        times.sort_by(f64::total_cmp);
        times
    };
    let (changes, times) = futures::future::join(changers, looker).await;
    let changes: usize = changes.iter().sum();
    println!(
        "a change found without a position, at {:.0} changes/s: p50/p95/p99/most {:.0} / {:.0} / {:.0} / {:.0} ms",
        changes as f64 / began.elapsed().as_secs_f64(),
        percentile(&times, 0.50),
        percentile(&times, 0.95),
        percentile(&times, 0.99),
        percentile(&times, 1.0),
    );
}

async fn change(link: &mut Connection, shop: &Shop, number: usize) {
    let by = [("authorization", shop.admin.as_str())];
    // Not the first, whose changes are looked for.
    let product = &shop.products[1 + random(number) % (shop.products.len() - 1)];
    if !number.is_multiple_of(4) {
        let body = json!({"base_prices": {"GBP": 100 + random(number) % 9_000}}).to_string();
        let path = format!("/products/{product}/prices");
        link.send(Method::PUT, &path, &by, Some(body)).await.expect(200);
    } else {
        let body = json!({"description": format!("changed {number}")}).to_string();
        let path = format!("/products/{product}");
        link.send(Method::PATCH, &path, &by, Some(body)).await.expect(200);
    }
}

/// Milliseconds from the answer to a change until it is found, price and name in turn.
async fn look(address: &str, shop: &Shop) -> Vec<f64> {
    let mut link = Connection::open(address).await;
    let by = [("authorization", shop.admin.as_str())];
    let product = &shop.products[0];
    let mut times = Vec::new();
    for turn in 0..LOOKS {
        let (method, path, body, query) = if turn % 2 == 0 {
            let minor = 1_000_000 + turn;
            (
                Method::PUT,
                format!("/products/{product}/prices"),
                json!({"base_prices": {"GBP": minor}}),
                format!("currency=GBP&price_min={minor}&price_max={minor}&facets=none"),
            )
        } else {
            let name = format!("zyx{turn}");
            let query = format!("mode=text&facets=none&q={name}");
            (Method::PATCH, format!("/products/{product}"), json!({"name": name}), query)
        };
        link.send(method, &path, &by, Some(body.to_string())).await.expect(200);
        let changed = Instant::now();
        loop {
            let found = link.get(&format!("/products?{query}"), &[]).await.expect(200);
            if found.json()["total"] == 1 {
                break;
            }
            assert!(changed.elapsed() < Duration::from_secs(30), "not found: {query}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        times.push(changed.elapsed().as_secs_f64() * 1e3);
    }
    times
}
