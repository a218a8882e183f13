//! The envelope: a CloudEvent 1.0 in its JSON format, structured mode.

use domain::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::table::PublicData;

const SOURCE: &str = "urn:tillroll:journal:";

/// One message, ready to be sent or as received.
#[derive(Debug, Clone, PartialEq)]
pub struct PublicMessage {
    /// The event's own id: a repeat of the message has the same one.
    pub id: Uuid,
    /// The journal the event is in; a position means nothing without it.
    pub journal: Uuid,
    /// The event's place in the journal: every message's is higher than that of the one before.
    pub position: u64,
    /// The stream the event is in, such as `order-0190…`.
    pub stream: String,
    /// The event's place in its stream, from 1. Events nobody outside is told of leave gaps.
    pub stream_version: u64,
    /// What it is about: the order's id, and where there is no order the SKU's or product's.
    pub subject: String,
    /// When it happened.
    pub time: Timestamp,
    /// The request, and all that followed from it.
    pub correlation_id: Option<Uuid>,
    /// W3C trace context of the request.
    pub traceparent: Option<String>,
    /// What happened.
    pub data: PublicData,
}

/// Where a message belongs, whatever it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessagePlace {
    pub journal: Uuid,
    pub position: u64,
    pub id: Uuid,
}

/// Text that is no message of a kind this release knows.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    #[error("no message: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("no message of a Tillroll: {field} is `{value}`")]
    Foreign { field: &'static str, value: String },
    /// A later release may have sent it.
    #[error("unknown message type `{0}`")]
    UnknownType(String),
}

/// A message as it is on the wire.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Envelope<D> {
    /// Version of CloudEvents.
    pub(crate) specversion: String,
    /// The event's own id. A repeat has the same one.
    pub(crate) id: Uuid,
    /// `urn:tillroll:journal:` and the id of the journal that `position` belongs to.
    pub(crate) source: String,
    /// `tillroll.`, the message's type, `.v` and its version.
    pub(crate) r#type: String,
    /// Id of the order it is about; where there is none, of the SKU or product.
    pub(crate) subject: String,
    /// When it happened, RFC 3339.
    pub(crate) time: Timestamp,
    pub(crate) datacontenttype: String,
    /// Names the schema of the whole message.
    pub(crate) dataschema: String,
    /// The event's place in its journal, a whole number of up to 64 bits in decimal digits. It rises from message to message: what is not above the highest seen is a repeat.
    pub(crate) position: String,
    /// The stream the event is in, such as `order-0190…`.
    pub(crate) stream: String,
    /// The event's place in its stream, from 1, in decimal digits. It rises from message to message of the stream; numbers in between belong to events that are not told.
    pub(crate) streamversion: String,
    /// Names the request and all that followed from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) correlationid: Option<Uuid>,
    /// W3C trace context of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) traceparent: Option<String>,
    pub(crate) data: D,
}

impl PublicMessage {
    /// The media type of [`encode`](Self::encode)'s text.
    pub const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";

    /// The message as one JSON object.
    #[must_use]
    pub fn encode(&self) -> String {
        let entry = self.data.entry();
        let envelope = Envelope {
            specversion: "1.0".to_owned(),
            id: self.id,
            source: format!("{SOURCE}{}", self.journal),
            r#type: entry.cloud_event_type(),
            subject: self.subject.clone(),
            time: self.time,
            datacontenttype: "application/json".to_owned(),
            dataschema: entry.data_schema(),
            position: self.position.to_string(),
            stream: self.stream.clone(),
            streamversion: self.stream_version.to_string(),
            correlationid: self.correlation_id,
            traceparent: self.traceparent.clone(),
            data: &self.data,
        };
        serde_json::to_string(&envelope)
            .expect("a test encodes every message; only map keys that are no strings could fail")
    }

    /// Reads only where a message belongs, of any type, also of one a later release sent.
    pub fn place(text: &str) -> Result<MessagePlace, MessageError> {
        let envelope: Envelope<&RawValue> = serde_json::from_str(text)?;
        envelope.place()
    }

    /// Reads a message. Fields it does not know are ignored.
    pub fn decode(text: &str) -> Result<Self, MessageError> {
        let envelope: Envelope<&RawValue> = serde_json::from_str(text)?;
        let MessagePlace { journal, position, id } = envelope.place()?;
        let stream_version = number("streamversion", &envelope.streamversion)?;
        Ok(Self {
            id,
            journal,
            position,
            stream: envelope.stream,
            stream_version,
            subject: envelope.subject,
            time: envelope.time,
            correlation_id: envelope.correlationid,
            traceparent: envelope.traceparent,
            data: PublicData::decode(&envelope.r#type, envelope.data)?,
        })
    }
}

impl<D> Envelope<D> {
    fn place(&self) -> Result<MessagePlace, MessageError> {
        let journal = self.source.strip_prefix(SOURCE).and_then(|id| Uuid::parse_str(id).ok());
        Ok(MessagePlace {
            journal: journal.ok_or_else(|| foreign("source", &self.source))?,
            position: number("position", &self.position)?,
            id: self.id,
        })
    }
}

fn foreign(field: &'static str, value: &str) -> MessageError {
    MessageError::Foreign { field, value: value.to_owned() }
}

fn number(field: &'static str, digits: &str) -> Result<u64, MessageError> {
    digits.parse().map_err(|_| foreign(field, digits))
}
