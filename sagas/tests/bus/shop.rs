//! A journal with orders in it, and what a stream should hold of them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_nats::jetstream::consumer::pull::OrderedConfig;
use async_nats::jetstream::stream::ConsumerErrorKind;
use commands::{Clock, SystemClock};
use futures::StreamExt;
use journal::{
    Category, Group, Journal, MemoryJournal, NewEvent, Position, Storage, StreamId, Unit, Verdict,
};
use sagas::relay::JetStreamOptions;
use sagas::relay::translate::{PaymentFacts, translate};
use schemas::catalogue;
use schemas::public::PublicMessage;
use uuid::Uuid;

pub fn memory() -> Arc<MemoryJournal> {
    Arc::new(MemoryJournal::over(Arc::new(Storage::new(Uuid::now_v7()))))
}

/// An event as its frozen sample has it.
pub fn sample(event_type: &'static str) -> NewEvent {
    thread_local! {
        static SAMPLES: HashMap<&'static str, (u16, Arc<str>)> = catalogue()
            .into_iter()
            .map(|entry| {
                let newest = entry.versions.last().unwrap();
                (entry.event_type, (newest.version, Arc::from(newest.full_sample)))
            })
            .collect();
    }
    let (schema_version, payload) = SAMPLES.with(|samples| samples[event_type].clone());
    NewEvent {
        id: Uuid::now_v7(),
        event_type: Category::from_static(event_type),
        schema_version,
        payload,
        occurred: SystemClock.now(),
    }
}

fn of(category: &'static str, id: Uuid) -> StreamId {
    StreamId::of_uuid(Category::from_static(category), id)
}

/// Appends to one stream and tells the position.
pub async fn append(
    journal: &dyn Journal,
    category: &'static str,
    id: Uuid,
    types: &[&'static str],
) -> Position {
    let stream = of(category, id);
    let expected = journal.stream_version(&stream).await.unwrap();
    let events = types.iter().map(|event_type| sample(event_type)).collect();
    let unit = Unit::new(vec![Group { stream, expected, events }], Arc::from("{}"));
    match journal.append(vec![unit]).await.unwrap().remove(0) {
        Verdict::Committed { last, .. } => last,
        other => panic!("{other:?}"),
    }
}

/// An order from cart to delivery: 12 events, of which 10 are told.
pub async fn one_order(journal: &dyn Journal) -> Position {
    let (order, payment, sku) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    append(journal, "cart", Uuid::now_v7(), &["cart.item_added"]).await;
    append(journal, "order", order, &["order.placed"]).await;
    append(journal, "inventory", sku, &["inventory.held"]).await;
    append(journal, "payment", payment, &["payment.initiated"]).await;
    append(journal, "payment", payment, &["payment.authorized", "payment.captured"]).await;
    append(journal, "order", order, &["order.confirmed", "order.processing_started"]).await;
    append(journal, "inventory", sku, &["inventory.shipped"]).await;
    append(journal, "order", order, &["order.lines_shipped", "order.shipped"]).await;
    append(journal, "order", order, &["order.delivered"]).await
}

/// What the outside should be told of `journal`, worked out without a relay.
pub async fn expected(journal: &dyn Journal) -> Vec<PublicMessage> {
    let mut payments = BTreeMap::new();
    let mut messages = Vec::new();
    let mut at = Position(0);
    loop {
        let events = journal.read_all(at, 1_000).await.unwrap();
        let Some(last) = events.last() else { return messages };
        at = last.position;
        for event in &events {
            if let Some(facts) = PaymentFacts::of(event).unwrap() {
                payments.insert(event.stream.clone(), facts);
            }
            let facts = payments.get(&event.stream);
            messages.extend(translate(journal.id(), event, facts).unwrap());
        }
    }
}

/// A message as it came out of the stream.
#[derive(Debug, Clone)]
pub struct Delivered {
    pub subject: String,
    pub id: String,
    pub message: PublicMessage,
}

/// Stream, prefix and bucket that nobody else uses.
pub fn options(url: &str) -> JetStreamOptions {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let name = format!("t{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    JetStreamOptions {
        prefix: name.clone(),
        stream: format!("{name}-stream"),
        bucket: format!("{name}-relay"),
        ..JetStreamOptions::new(url)
    }
}

/// What somebody else may put into the stream.
pub const OTHERS: &str = "hello";

/// All of ours in the stream, in its order.
pub async fn delivered(options: &JetStreamOptions) -> Vec<Delivered> {
    let client = async_nats::connect(&options.servers).await.unwrap();
    let context = async_nats::jetstream::new(client);
    let stream = context.get_stream(&options.stream).await.unwrap();
    let last = stream.cached_info().state.last_sequence;
    let mut all = Vec::new();
    if last == 0 {
        return all;
    }
    let consumer = loop {
        // A cluster that has just lost a server takes its time.
        match stream.create_consumer(OrderedConfig::default()).await {
            Ok(consumer) => break consumer,
            Err(error) => assert_eq!(error.kind(), ConsumerErrorKind::TimedOut),
        }
    };
    let mut messages = consumer.messages().await.unwrap();
    while let Some(message) = messages.next().await {
        let message = message.unwrap();
        let sequence = message.info().unwrap().stream_sequence;
        if message.payload != OTHERS {
            all.push(Delivered {
                subject: message.subject.to_string(),
                id: message.headers.as_ref().unwrap().get("Nats-Msg-Id").unwrap().to_string(),
                message: PublicMessage::decode(std::str::from_utf8(&message.payload).unwrap())
                    .unwrap(),
            });
        }
        if sequence >= last {
            break;
        }
    }
    all
}

/// Every message is there, in order and with its own id; a repeat says the same again.
pub fn complete(expected: &[PublicMessage], delivered: &[PublicMessage]) {
    let mut seen: HashMap<Uuid, &PublicMessage> = HashMap::new();
    let mut firsts = Vec::new();
    for message in delivered {
        match seen.insert(message.id, message) {
            Some(before) => assert_eq!(before, message, "a repeat is the same message"),
            None => firsts.push(message),
        }
    }
    let ids = |messages: &[PublicMessage]| -> HashSet<Uuid> {
        messages.iter().map(|message| message.id).collect()
    };
    let missing = ids(expected).difference(&ids(delivered)).count();
    assert_eq!(missing, 0, "of {} messages", expected.len());
    assert_eq!(firsts.len(), expected.len(), "messages nobody expects");
    for (first, expected) in firsts.iter().zip(expected) {
        assert_eq!(*first, expected, "in the order of the journal");
    }
}

/// As [`complete`], and nothing is in the stream twice.
pub async fn exactly_once(journal: &dyn Journal, options: &JetStreamOptions) {
    let expected = expected(journal).await;
    let delivered = delivered(options).await;
    let messages: Vec<PublicMessage> = delivered.iter().map(|d| d.message.clone()).collect();
    complete(&expected, &messages);
    assert_eq!(messages.len(), expected.len(), "something is in the stream twice");
    for one in &delivered {
        assert_eq!(one.id, one.message.id.to_string());
        let topic = one.message.data.entry().topic;
        assert_eq!(one.subject, format!("{}.{topic}", options.prefix));
    }
}
