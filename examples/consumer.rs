//! A consumer of Tillroll's public messages, as somebody else's program would be written: it knows
//! NATS, JSON and `docs/messages.md`, and nothing of the engine.
//!
//! ```sh
//! cargo run --example consumer -- nats://127.0.0.1:4222 bookkeeping ./bookkeeping.position
//! ```
//!
//! It prints one line for each message, once. The third argument is the file in which it keeps how
//! far it is; a real consumer keeps that in the same transaction as what the message made it do.

#![expect(clippy::print_stdout, reason = "this is what it does with messages")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::{self, AckKind};
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;

const STREAM: &str = "TILLROLL";

/// As much of a message as this consumer wants to know.
#[derive(Debug, Deserialize)]
struct Message {
    source: String,
    #[serde(rename = "type")]
    what: String,
    subject: String,
    time: String,
    /// Up to 64 bits, so it is text.
    position: String,
    data: Value,
}

/// How far this consumer is. A position means nothing without its source.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Progress {
    source: String,
    position: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), async_nats::Error> {
    let mut words = std::env::args().skip(1);
    let (Some(server), Some(name), Some(file)) = (words.next(), words.next(), words.next()) else {
        return Err("usage: consumer nats://HOST NAME FILE [SUBJECT]".into());
    };
    let file = PathBuf::from(file);
    let context = jetstream::new(async_nats::connect(server).await?);
    let stream = context.get_stream(STREAM).await?;
    let config = pull::Config {
        durable_name: Some(name.clone()),
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::Explicit,
        // Longer than one message takes; so long it waits too when a consumer dies in the middle.
        ack_wait: Duration::from_secs(5),
        // One at a time: what could not be taken comes again before anything after it.
        max_ack_pending: 1,
        // Such as `tillroll.orders.>`; all there is if none is given.
        filter_subject: words.next().unwrap_or_default(),
        ..pull::Config::default()
    };
    let consumer = stream.get_or_create_consumer(&name, config).await?;
    let mut progress = read(&file)?;
    let mut deliveries = consumer.messages().await?;
    while let Some(delivery) = deliveries.next().await {
        // A server that is away for a while: the subscription goes on when it is back.
        let Ok(delivery) = delivery else { continue };
        let message: Message = match serde_json::from_slice(&delivery.payload) {
            Ok(message) => message,
            Err(error) => {
                // It will not be readable the next time either.
                println!("{} cannot be read and is left out: {error}", delivery.subject);
                delivery.ack_with(AckKind::Term).await?;
                continue;
            }
        };
        let position = message.position.parse()?;
        if is_new(&progress, &message.source, position) {
            take(&message);
            progress = Progress { source: message.source, position };
            keep(&file, &progress)?;
        }
        // Not before: what is not acknowledged comes again.
        delivery.ack().await?;
    }
    Ok(())
}

/// Positions rise from message to message, so what is not above the highest taken is a repeat,
/// however long ago it was taken.
fn is_new(progress: &Progress, source: &str, position: u64) -> bool {
    progress.source != source || position > progress.position
}

fn take(message: &Message) {
    let Message { time, what, subject, position, .. } = message;
    let sum = &message.data["totals"]["total_minor"];
    let currency = message.data["currency"].as_str().unwrap_or_default();
    let sum = if sum.is_null() { String::new() } else { format!(" {sum} {currency}") };
    println!("{time} {position:>8} {what} {subject}{sum}");
}

fn read(file: &Path) -> Result<Progress, async_nats::Error> {
    match std::fs::read(file) {
        Ok(content) => Ok(serde_json::from_slice(&content)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Progress::default()),
        Err(error) => Err(error.into()),
    }
}

fn keep(file: &Path, progress: &Progress) -> Result<(), async_nats::Error> {
    let beside = file.with_extension("new");
    std::fs::write(&beside, serde_json::to_vec(progress)?)?;
    Ok(std::fs::rename(beside, file)?)
}
