//! Events as the journal has them become events as models see them, once for all models.

use journal::{Position, Recorded, StreamId};
use schemas::{AnyEvent, DecodeError, decode_any, decode_any_all};

use crate::Envelope;

/// One event, decoded, or the reason why it cannot be.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) position: Position,
    pub(crate) stream: StreamId,
    pub(crate) event: Result<Envelope, String>,
}

/// Decodes a batch. An old event that stands for several now gives several items at its position.
pub(crate) fn decode(recorded: Vec<Recorded>) -> Vec<Item> {
    let mut items = Vec::with_capacity(recorded.len());
    for event in recorded {
        match decode_any(event.event_type.as_str(), event.schema_version, &event.payload) {
            Ok(decoded) => items.push(item(event, decoded)),
            Err(DecodeError::NotOneEvent { .. }) => several(&event, &mut items),
            Err(error) => items.push(undecodable(&event, &error)),
        }
    }
    items
}

#[cold]
fn several(event: &Recorded, items: &mut Vec<Item>) {
    match decode_any_all(event.event_type.as_str(), event.schema_version, &event.payload) {
        Ok(all) => items.extend(all.into_iter().map(|one| item(event.clone(), one))),
        Err(error) => items.push(undecodable(event, &error)),
    }
}

fn item(recorded: Recorded, event: AnyEvent) -> Item {
    Item {
        position: recorded.position,
        stream: recorded.stream.clone(),
        event: Ok(Envelope {
            position: recorded.position,
            stream: recorded.stream,
            version: recorded.version,
            event_id: recorded.id,
            event_type: event.event_type(),
            event,
            payload: recorded.payload,
            metadata: recorded.metadata,
            occurred: recorded.occurred,
            recorded: recorded.recorded,
        }),
    }
}

fn undecodable(event: &Recorded, error: &DecodeError) -> Item {
    let mut why = error.to_string();
    if let Some(source) = std::error::Error::source(error) {
        why = format!("{why}: {source}");
    }
    Item { position: event.position, stream: event.stream.clone(), event: Err(why) }
}
