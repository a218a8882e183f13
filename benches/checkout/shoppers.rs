//! Shoppers in a closed loop: two adds, the order placed and confirmed, then read with all read
//! models at least that far.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::connection::Connection;
use crate::process::{self, Engine, Use};
use crate::seed::Shop;

pub(crate) const HEADING: &str = "shoppers  orders/s  whole checkout p50/p95/p99 ms  place call p50/p99 ms  engine CPU ms/order  load CPU ms/order  engine RSS MiB  commits/order  events/order  bytes/order";

pub(crate) struct Row {
    shoppers: usize,
    orders_per_s: f64,
    whole: Vec<f64>,
    place: Vec<f64>,
    engine: Option<Use>,
    load: Use,
    orders: usize,
    journal: Option<(f64, f64, f64)>,
}

#[derive(Default)]
struct Times {
    whole_ms: Vec<f64>,
    place_ms: Vec<f64>,
}

pub(crate) async fn run(
    address: &str,
    shop: &Shop,
    count: usize,
    lasting: Duration,
    engine: Option<&Engine>,
) -> Row {
    let journal_before = counters(address, shop).await;
    let engine_before = engine.map(Engine::used);
    let load_before = process::used_by_me();
    let times = Rc::new(RefCell::new(Times::default()));
    let started = Instant::now();
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let loops: Vec<_> = (0..count)
                .map(|number| {
                    let times = Rc::clone(&times);
                    let (address, until) = (address.to_owned(), started + lasting);
                    shop_until(address, shop, number, until, times)
                })
                .collect();
            futures::future::join_all(loops).await;
        })
        .await;
    let seconds = started.elapsed().as_secs_f64();
    let times = times.take();
    let orders = times.whole_ms.len();
    let journal = match (journal_before, counters(address, shop).await) {
        (Some(before), Some(after)) => {
            let each = |from: f64, to: f64| (to - from) / orders as f64;
            Some((each(before.0, after.0), each(before.1, after.1), each(before.2, after.2)))
        }
        _ => None,
    };
    Row {
        shoppers: count,
        orders_per_s: orders as f64 / seconds,
        whole: sorted(times.whole_ms),
        place: sorted(times.place_ms),
        engine: engine.zip(engine_before).map(|(engine, before)| engine.used().since(before)),
        load: process::used_by_me().since(load_before),
        orders,
        journal,
    }
}

async fn shop_until(
    address: String,
    shop: &Shop,
    number: usize,
    until: Instant,
    times: Rc<RefCell<Times>>,
) {
    let mut link = Connection::open(&address).await;
    let shopper = &shop.shoppers[number];
    let by =
        [("authorization", shop.storefront.as_str()), ("tillroll-customer", &shopper.customer_id)];
    let order = json!({
        "shipping_address_id": shopper.address_id, "payment_method_id": shopper.payment_method_id,
    });
    // A stride of its own keeps the shoppers from buying in step.
    let mut next = number * 7;
    let run = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
    let mut turn = 0;
    while Instant::now() < until {
        let started = Instant::now();
        for _ in 0..2 {
            next = (next + 31) % shop.skus.len();
            let body = json!({"sku_id": shop.skus[next], "quantity": 1});
            let added = link.post("/cart/items", &by, body).await;
            assert!(added.status.is_success(), "{}", String::from_utf8_lossy(&added.body));
        }
        let placing = Instant::now();
        turn += 1;
        // The counter alone would repeat the keys of an earlier run against the same engine.
        let key = format!("{run}-{number}-{turn}");
        let headers = [by[0], by[1], ("idempotency-key", key.as_str())];
        let placed = link.post("/orders", &headers, order.clone()).await.expect(201);
        let placed_ms = placing.elapsed().as_secs_f64() * 1e3;
        let path = format!("/orders/{}", placed.id("order_id"));
        let position = placed.position.unwrap();
        let headers = [by[0], by[1], ("tillroll-min-position", position.as_str())];
        let read = link.get(&path, &headers).await.expect(200);
        assert_eq!(read.json()["status"], "confirmed");
        let mut times = times.borrow_mut();
        times.whole_ms.push(started.elapsed().as_secs_f64() * 1e3);
        times.place_ms.push(placed_ms);
    }
}

/// Commits, events and bytes of the journal so far.
async fn counters(address: &str, shop: &Shop) -> Option<(f64, f64, f64)> {
    let mut link = Connection::open(address).await;
    let by = [("authorization", shop.admin.as_str())];
    let answer = link.get("/metrics", &by).await;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let value = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name) && !line.starts_with('#'))?;
        line.rsplit(' ').next()?.parse::<f64>().ok()
    };
    Some((
        value("tillroll_journal_commits_total")?,
        value("tillroll_journal_events_total")?,
        value("tillroll_journal_bytes_total")?,
    ))
}

fn sorted(mut times: Vec<f64>) -> Vec<f64> {
    times.sort_by(f64::total_cmp);
    times
}

fn percentile(times: &[f64], percent: usize) -> f64 {
    times.get(times.len().saturating_sub(1) * percent / 100).copied().unwrap_or(f64::NAN)
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = percentile;
        write!(
            f,
            "{:>8}  {:>8.0}  {:>12.2} / {:>6.2} / {:>6.2}  {:>12.2} / {:>6.2}",
            self.shoppers,
            self.orders_per_s,
            of(&self.whole, 50),
            of(&self.whole, 95),
            of(&self.whole, 99),
            of(&self.place, 50),
            of(&self.place, 99),
        )?;
        let orders = self.orders.max(1) as f64;
        match &self.engine {
            Some(used) => write!(f, "  {:>19.3}", used.cpu_ms / orders)?,
            None => write!(f, "  {:>19}", "-")?,
        }
        write!(f, "  {:>17.3}", self.load.cpu_ms / orders)?;
        match &self.engine {
            Some(used) => write!(f, "  {:>14.0}", used.rss_mib)?,
            None => write!(f, "  {:>14}", "-")?,
        }
        match self.journal {
            Some((commits, events, bytes)) => {
                write!(f, "  {commits:>13.2}  {events:>12.1}  {bytes:>11.0}")
            }
            None => write!(f, "  {:>13}  {:>12}  {:>11}", "-", "-", "-"),
        }
    }
}
