//! From durable in the journal's file to delivered to a consumer, at a steady rate.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::push::OrderedConfig;
use futures::StreamExt;
use journal::{Category, Group, Journal, SqliteJournal, StreamId, Unit};
use sagas::relay::{JetStreamBus, Relay, RelayOptions};
use uuid::Uuid;

use crate::shop;

pub(crate) async fn measure(url: &str, per_second: u32, run: Duration) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let journal = Arc::new(SqliteJournal::open(&path, journal::Options::default()).unwrap());
    let options = shop::options(url);
    let bus = Arc::new(JetStreamBus::new(options.clone()).unwrap());
    let relay = Relay::open(Arc::clone(&journal) as _, bus, RelayOptions::default());
    relay.check().await.unwrap();
    let relay = tokio::spawn(relay.run(std::future::pending()));

    let client = async_nats::connect(url).await.unwrap();
    let inbox = client.new_inbox();
    let context = async_nats::jetstream::new(client);
    let stream = context.get_stream(&options.stream).await.unwrap();
    let config = OrderedConfig { deliver_subject: inbox, ..OrderedConfig::default() };
    let consumer = stream.create_consumer(config).await.unwrap();
    let mut delivered = consumer.messages().await.unwrap();
    let total = per_second as usize * run.as_secs() as usize;
    let arrivals = tokio::spawn(async move {
        let mut arrivals = HashMap::with_capacity(total);
        while arrivals.len() < total {
            let message = delivered.next().await.unwrap().unwrap();
            let id = message.headers.as_ref().unwrap().get("Nats-Msg-Id").unwrap().to_string();
            arrivals.insert(id.parse::<Uuid>().unwrap(), Instant::now());
        }
        arrivals
    });

    let commits = Arc::new(Mutex::new(HashMap::with_capacity(total)));
    let mut tick = tokio::time::interval(Duration::from_secs(1) / per_second);
    let mut tasks = Vec::new();
    for _ in 0..total {
        tick.tick().await;
        let (journal, commits) = (Arc::clone(&journal), Arc::clone(&commits));
        tasks.push(tokio::spawn(async move {
            let event = shop::sample("order.confirmed");
            let id = event.id;
            let stream = StreamId::of_uuid(Category::from_static("order"), Uuid::now_v7());
            let groups = vec![Group { stream, expected: 0, events: vec![event] }];
            journal.append(vec![Unit::new(groups, Arc::from("{}"))]).await.unwrap();
            commits.lock().unwrap().insert(id, Instant::now());
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let arrivals = arrivals.await.unwrap();
    relay.abort();
    let commits = commits.lock().unwrap();
    // One may be delivered before whoever committed it is told.
    let delay = |id: &Uuid, at: &Instant| at.saturating_duration_since(commits[id]);
    let mut delays: Vec<Duration> = arrivals.iter().map(|(id, at)| delay(id, at)).collect();
    delays.sort();
    let at = |share: usize| delays[(delays.len() - 1) * share / 1_000].as_secs_f64() * 1_000.0;
    println!(
        "commit to delivery at {per_second} events/s, ms: p50 {:.2}, p95 {:.2}, p99 {:.2}, most {:.2}",
        at(500),
        at(950),
        at(990),
        at(1_000)
    );
}
