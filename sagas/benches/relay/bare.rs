//! What one would write first: publishes with as many in flight, each confirmed, nothing else.

use std::collections::VecDeque;
use std::time::Instant;

use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::Config;
use sagas::relay::JetStreamOptions;
use schemas::public::PublicMessage;

/// Messages a second. The text of each is worked out before the clock starts.
pub(crate) async fn publish(options: &JetStreamOptions, messages: &[PublicMessage]) -> f64 {
    let client = async_nats::connect(&options.servers).await.unwrap();
    let context = async_nats::jetstream::new(client);
    let config = Config {
        name: options.stream.clone(),
        subjects: vec![options.subjects()],
        ..Config::default()
    };
    context.create_stream(config).await.unwrap();
    let ready: Vec<_> = messages
        .iter()
        .map(|message| {
            let subject = format!("{}.{}", options.prefix, message.data.entry().topic);
            (subject, message.id.to_string(), message.encode())
        })
        .collect();
    let began = Instant::now();
    let mut flight = VecDeque::new();
    for (subject, id, text) in ready {
        let publish = PublishMessage::build().message_id(id).payload(text.into());
        flight.push_back(context.send_publish(subject, publish).await.unwrap());
        if flight.len() == options.window_messages {
            flight.pop_front().unwrap().await.unwrap();
        }
    }
    for ack in flight {
        ack.await.unwrap();
    }
    messages.len() as f64 / began.elapsed().as_secs_f64()
}
