//! Many publishes in flight, confirmed in order.

use std::collections::VecDeque;

use async_nats::HeaderMap;
use async_nats::header::{
    NATS_EXPECTED_LAST_MESSAGE_ID, NATS_EXPECTED_LAST_SEQUENCE, NATS_EXPECTED_STREAM,
    NATS_MESSAGE_ID,
};
use async_nats::jetstream::Error as ServerError;
use async_nats::jetstream::context::{PublishAckFuture, PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use schemas::public::PublicMessage;
use std::error::Error as _;

use super::refusals::{answered, no_answer};
use super::{BusError, JetStreamOptions, Link};

struct Outgoing {
    subject: String,
    id: String,
    position: u64,
    payload: String,
}

/// Publishes all, each right after the one before.
pub(super) async fn publish(
    link: &mut Link,
    options: &JetStreamOptions,
    messages: Vec<PublicMessage>,
) -> Result<(), BusError> {
    let outgoing: Vec<Outgoing> = messages
        .into_iter()
        .map(|message| Outgoing {
            subject: format!("{}.{}", options.prefix, message.data.entry().topic),
            id: message.id.to_string(),
            position: message.position,
            payload: message.encode(),
        })
        .collect();
    let mut flight = Flight { acks: VecDeque::new(), bytes: 0 };
    let mut confirmed = 0;
    while let Some(first) = outgoing.get(confirmed) {
        while let Some(next) = outgoing.get(confirmed + flight.acks.len())
            && flight.has_room(next, options)
        {
            let before = (confirmed + flight.acks.len()).checked_sub(1);
            let before = match before {
                // What is before the first of a run is what the server last confirmed.
                Some(before) if !flight.acks.is_empty() => Some(outgoing[before].id.clone()),
                _ => link.last_id.clone(),
            };
            let after = After { sequence: link.sequence + flight.acks.len() as u64, id: before };
            flight.send(link, options, next, after).await?;
        }
        let Some(ack) = flight.land().await else { break };
        let ack = ack.map_err(|error| failed(link, options, first, &error))?;
        confirmed += 1;
        if ack.sequence == link.sequence + 1 {
            link.sequence += 1;
            link.last_id = Some(first.id.clone());
        } else if ack.duplicate {
            // It is in the stream already, further back. What was sent after it expected another
            // sequence and is refused, so it is sent again.
            while flight.land().await.is_some() {}
            link.last_id = None;
        } else {
            // Nothing that was sent after it can be taken to be where it belongs.
            return Err(BusError::Overtaken);
        }
    }
    Ok(())
}

/// What a message must come right after.
///
/// The sequence alone would not do for those in flight: if somebody else's message takes the place
/// of one, the sequence that the next one names is reached nevertheless.
struct After {
    sequence: u64,
    id: Option<String>,
}

struct Flight {
    acks: VecDeque<(PublishAckFuture, usize)>,
    bytes: usize,
}

type Ack = Result<async_nats::jetstream::publish::PublishAck, PublishError>;

impl Flight {
    fn has_room(&self, next: &Outgoing, options: &JetStreamOptions) -> bool {
        self.acks.is_empty()
            || (self.acks.len() < options.window_messages
                && self.bytes + next.payload.len() <= options.window_bytes)
    }

    async fn send(
        &mut self,
        link: &Link,
        options: &JetStreamOptions,
        message: &Outgoing,
        after: After,
    ) -> Result<(), BusError> {
        let mut headers = HeaderMap::new();
        headers.insert(NATS_MESSAGE_ID, message.id.as_str());
        headers.insert(NATS_EXPECTED_STREAM, options.stream.as_str());
        headers.insert(NATS_EXPECTED_LAST_SEQUENCE, after.sequence.to_string().as_str());
        if let Some(id) = &after.id {
            headers.insert(NATS_EXPECTED_LAST_MESSAGE_ID, id.as_str());
        }
        headers.insert("Content-Type", PublicMessage::CONTENT_TYPE);
        let size = message.payload.len();
        let publish =
            PublishMessage::build().payload(message.payload.clone().into()).headers(headers);
        let ack = link.context.send_publish(message.subject.clone(), publish).await;
        let ack = ack.map_err(|error| failed(link, options, message, &error))?;
        self.acks.push_back((ack, size));
        self.bytes += size;
        Ok(())
    }

    /// The verdict on the oldest in flight; `None` if there is none.
    async fn land(&mut self) -> Option<Ack> {
        let (ack, size) = self.acks.pop_front()?;
        self.bytes -= size;
        Some(ack.await)
    }
}

fn failed(
    link: &Link,
    options: &JetStreamOptions,
    message: &Outgoing,
    error: &PublishError,
) -> BusError {
    match error.kind() {
        PublishErrorKind::WrongLastSequence | PublishErrorKind::WrongLastMessageId => {
            BusError::Overtaken
        }
        PublishErrorKind::MaxPayloadExceeded => BusError::SetUp(format!(
            "the message of event {} has {} bytes, and the NATS server takes {} at most: raise its \
             `max_payload`",
            message.position,
            message.payload.len(),
            link.client.max_payload()
        )),
        PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe => no_answer(),
        PublishErrorKind::StreamNotFound => {
            BusError::Unavailable(format!("stream {} has gone", options.stream))
        }
        PublishErrorKind::MaxAckPending | PublishErrorKind::Other => {
            match error.source().and_then(|source| source.downcast_ref::<ServerError>()) {
                Some(error) => answered(options, error),
                None => BusError::Unavailable(format!("publishing failed: {error}")),
            }
        }
    }
}
