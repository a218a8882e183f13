//! Whole journeys over HTTP, each from an empty shop.

mod customer;
mod guest;
mod restart;

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::{Answer, Client};
use crate::process::PATIENCE;

/// Reads what is at least as new as `write`.
async fn read_after(client: &mut Client, path: &str, write: &Answer) -> Answer {
    let position = write.header("tillroll-position");
    client.get_with(path, &[("tillroll-min-position", position.as_str())]).await.is(200)
}

/// Types of the events of a history, in order.
fn event_types(history: &Value) -> Vec<&str> {
    let entries = history["entries"].as_array().unwrap();
    entries.iter().map(|entry| entry["event_type"].as_str().unwrap()).collect()
}

/// Reads the order until it is as it should be, for what follows by itself.
async fn until(client: &mut Client, order_id: &str, wanted: impl Fn(&Value) -> bool) -> Answer {
    let end = Instant::now() + PATIENCE;
    loop {
        let read = client.get(&format!("/orders/{order_id}")).await.is(200);
        if wanted(&read.body) {
            return read;
        }
        assert!(Instant::now() < end, "never so: {}", read.text);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn until_status(client: &mut Client, order_id: &str, status: &str) -> Answer {
    until(client, order_id, |order| order["status"] == status).await
}

async fn until_refunded(client: &mut Client, order_id: &str, minor: i64) -> Answer {
    until(client, order_id, |order| order["payment"]["refunded_minor"] == minor).await
}
