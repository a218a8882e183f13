//! What consumers outside were told.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream::{self, consumer::pull};
use futures::StreamExt;
use serde_json::Value;

/// Nothing came for so long: that is all.
const QUIET: Duration = Duration::from_secs(3);

/// Types of the messages about each order, in the order in which they came; and nothing twice.
pub(crate) async fn about_orders(url: &str) -> BTreeMap<String, Vec<String>> {
    let context = jetstream::new(async_nats::connect(url).await.unwrap());
    let stream = context.get_stream("TILLROLL").await.unwrap();
    let config = pull::OrderedConfig {
        filter_subject: "tillroll.orders.>".to_owned(),
        ..pull::OrderedConfig::default()
    };
    let mut messages = stream.create_consumer(config).await.unwrap().messages().await.unwrap();
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut last = 0;
    while let Ok(Some(message)) = tokio::time::timeout(QUIET, messages.next()).await {
        let message: Value = serde_json::from_slice(&message.unwrap().payload).unwrap();
        let position: u64 = message["position"].as_str().unwrap().parse().unwrap();
        assert!(position > last, "{position} after {last}");
        last = position;
        let text = |name: &str| message[name].as_str().unwrap().to_owned();
        told.entry(text("subject")).or_default().push(text("type"));
    }
    told
}
