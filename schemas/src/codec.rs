//! The promise between an event in memory and the same event as named, versioned JSON.

use crate::{AnyEvent, upcast};

/// One kind of event: its stored name is a promise and never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventEntry {
    /// Category of the streams it is in, such as `order`.
    pub category: &'static str,
    /// Name of the variant in Rust; may change, is not stored.
    pub variant: &'static str,
    /// Stored name, such as `order.placed`.
    pub event_type: &'static str,
    /// The version written now; all from 1 up to it can be read.
    pub version: u16,
    /// One sentence on what happened.
    pub doc: &'static str,
}

/// An event that can be stored and read back.
pub trait StoredEvent: Sized + Clone + Send + Sync + 'static {
    /// Category of its streams.
    const CATEGORY: &'static str;

    /// All kinds of this category.
    const EVENTS: &'static [EventEntry];

    /// The stored name, such as `order.placed`.
    fn event_type(&self) -> &'static str;

    /// The version [`encode`](Self::encode) writes.
    fn schema_version(&self) -> u16;

    /// The payload: one JSON object, without the variant's name.
    fn encode(&self) -> String;

    /// Reads a payload of this or any earlier version. Fields it does not know are ignored.
    ///
    /// Fails with [`DecodeError::NotOneEvent`] where an old event became several or none; a
    /// reader that can take those uses [`decode_all`](Self::decode_all).
    fn decode(event_type: &str, schema_version: u16, payload: &str) -> Result<Self, DecodeError>;

    /// Like [`decode`](Self::decode), for old events that became several or none.
    fn decode_all(
        event_type: &str,
        schema_version: u16,
        payload: &str,
    ) -> Result<Vec<Self>, DecodeError>;

    /// The event as one of all categories.
    fn into_any(self) -> AnyEvent;

    /// The event if it is of this category.
    fn from_any(event: AnyEvent) -> Option<Self>;
}

/// Why a stored event cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Nobody here ever wrote such an event.
    #[error("unknown event type `{event_type}`")]
    UnknownType {
        /// As stored.
        event_type: String,
    },
    /// A later release wrote it.
    #[error("`{event_type}` has version {version}, this release reads up to {known}")]
    VersionTooNew {
        /// As stored.
        event_type: String,
        /// As stored.
        version: u16,
        /// The latest version this release knows.
        known: u16,
    },
    /// The version is older than the current one and has no upcaster: versions start at 1 and
    /// every old one has an upcaster, so the number itself is wrong.
    #[error("`{event_type}` never had a version {version}")]
    UnknownVersion {
        /// As stored.
        event_type: String,
        /// As stored.
        version: u16,
    },
    /// The payload does not have the form its type and version promise.
    #[error("malformed payload of `{event_type}` version {version}")]
    Malformed {
        /// As stored, or as upcast.
        event_type: String,
        /// As stored, or as upcast.
        version: u16,
        /// What was wrong, and where.
        #[source]
        source: serde_json::Error,
    },
    /// An old event that stands for several events now, or for none.
    #[error("`{event_type}` version {version} stands for {count} events now")]
    NotOneEvent {
        /// As stored.
        event_type: String,
        /// As stored.
        version: u16,
        /// How many.
        count: usize,
    },
}

impl DecodeError {
    pub(crate) fn malformed(event_type: &str, version: u16, source: serde_json::Error) -> Self {
        Self::Malformed { event_type: event_type.to_owned(), version, source }
    }
}

/// Reads a payload if it is of a type and version written now; `None` if it is not.
pub(crate) type DecodeCurrent<E> = fn(&str, u16, &str) -> Option<Result<E, DecodeError>>;

/// Reads one event. The current version takes one look-up and no detour.
#[inline]
pub(crate) fn decode_one<E>(
    event_type: &str,
    version: u16,
    payload: &str,
    current: impl Fn(&str, u16, &str) -> Option<Result<E, DecodeError>>,
) -> Result<E, DecodeError> {
    match current(event_type, version, payload) {
        Some(event) => event,
        None => {
            let mut all = decode_old(event_type, version, payload, &current)?;
            let count = all.len();
            match all.pop() {
                Some(event) if count == 1 => Ok(event),
                _ => Err(DecodeError::NotOneEvent {
                    event_type: event_type.to_owned(),
                    version,
                    count,
                }),
            }
        }
    }
}

pub(crate) fn decode_all<E>(
    event_type: &str,
    version: u16,
    payload: &str,
    current: DecodeCurrent<E>,
) -> Result<Vec<E>, DecodeError> {
    match current(event_type, version, payload) {
        Some(event) => event.map(|event| vec![event]),
        None => decode_old(event_type, version, payload, &current),
    }
}

#[cold]
fn decode_old<E>(
    event_type: &str,
    version: u16,
    payload: &str,
    current: &impl Fn(&str, u16, &str) -> Option<Result<E, DecodeError>>,
) -> Result<Vec<E>, DecodeError> {
    upcast::to_current(event_type, version, payload)?
        .into_iter()
        .map(|stored| {
            current(stored.event_type, stored.version, &stored.payload).unwrap_or_else(|| {
                Err(DecodeError::UnknownType { event_type: stored.event_type.to_owned() })
            })
        })
        .collect()
}
