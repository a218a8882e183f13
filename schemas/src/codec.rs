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
        Self::Malformed {
            event_type: event_type.to_owned(),
            version,
            source,
        }
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
                Err(DecodeError::UnknownType {
                    event_type: stored.event_type.to_owned(),
                })
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::error::Error as _;

    use domain::inventory::InventoryEvent;
    use domain::warehouse::WarehouseEvent;
    use domain::{Quantity, WarehouseId};
    use uuid::Uuid;

    use super::*;
    use crate::{RequestEvent, WebhookEvent, current_version, decode_any, decode_any_all, events};

    const WAREHOUSE: &str = "01920000-0000-7000-8000-000000000001";

    fn received(reference: Option<&str>) -> InventoryEvent {
        InventoryEvent::Received {
            warehouse_id: WarehouseId::new(Uuid::parse_str(WAREHOUSE).unwrap()),
            quantity: Quantity::new(5).unwrap(),
            reference: reference.map(str::to_owned),
        }
    }

    #[test]
    fn a_payload_is_the_content_without_the_variants_name() {
        let payload = received(Some("DN-1")).encode();
        let expected =
            format!(r#"{{"warehouse_id":"{WAREHOUSE}","quantity":5,"reference":"DN-1"}}"#);
        assert_eq!(payload, expected);
    }

    #[test]
    fn an_event_without_fields_is_an_empty_object() {
        assert_eq!(WarehouseEvent::Activated {}.encode(), "{}");
        assert_eq!(
            WarehouseEvent::decode("warehouse.activated", 1, "{}").unwrap(),
            WarehouseEvent::Activated {}
        );
    }

    #[test]
    fn fields_of_a_later_release_are_ignored() {
        let payload = format!(r#"{{"warehouse_id":"{WAREHOUSE}","quantity":5,"colour":[1,{{}}]}}"#);
        assert_eq!(
            InventoryEvent::decode("inventory.received", 2, &payload).unwrap(),
            received(None)
        );
        WarehouseEvent::decode("warehouse.activated", 1, r#"{"by":"ann"}"#).unwrap();
    }

    #[test]
    fn an_old_version_is_read_as_the_current_one() {
        let payload = format!(r#"{{"warehouse_id":"{WAREHOUSE}","units":5}}"#);
        assert_eq!(
            decode_any("inventory.received", 1, &payload).unwrap(),
            AnyEvent::Inventory(received(None))
        );
        assert_eq!(
            InventoryEvent::decode_all("inventory.received", 1, &payload).unwrap(),
            [received(None)]
        );
        assert_eq!(
            decode_any_all("inventory.received", 1, &payload).unwrap(),
            [received(None).into_any()]
        );
    }

    #[test]
    fn a_later_version_is_refused_with_both_numbers() {
        let error = decode_any("inventory.received", 3, "{}").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`inventory.received` has version 3, this release reads up to 2"
        );
    }

    #[test]
    fn unknown_types_and_versions_are_refused_by_name() {
        for unknown in ["order.eaten", "planet.landed", "order", "", "."] {
            assert!(
                matches!(decode_any(unknown, 1, "{}"), Err(DecodeError::UnknownType { event_type }) if event_type == unknown)
            );
        }
        assert!(matches!(
            decode_any("order.placed", 0, "{}"),
            Err(DecodeError::UnknownVersion { version: 0, .. })
        ));
        // Of another category than the reader's.
        assert!(matches!(
            WarehouseEvent::decode("inventory.received", 2, "{}"),
            Err(DecodeError::UnknownType { .. })
        ));
    }

    #[test]
    fn a_malformed_payload_names_the_type_and_the_cause() {
        for (payload, cause) in [
            (r#"{"quantity":5}"#, "missing field `warehouse_id`"),
            ("{} {}", "missing field"),
            (r#"["w",5]"#, "a payload is a JSON object"),
            ("", "a payload is a JSON object"),
            (r#"{"quantity""#, "EOF"),
        ] {
            let error = InventoryEvent::decode("inventory.received", 2, payload).unwrap_err();
            assert!(error.to_string().contains("`inventory.received` version 2"));
            let source = error.source().unwrap().to_string();
            assert!(source.contains(cause), "{payload}: {source}");
        }
        let trailing = WarehouseEvent::decode("warehouse.activated", 1, "{} {}").unwrap_err();
        assert!(trailing.source().unwrap().to_string().contains("trailing"));
        let old = decode_any("inventory.received", 1, "{}").unwrap_err();
        assert!(old.to_string().contains("version 1"));
    }

    #[test]
    fn an_answer_and_a_message_are_kept_byte_for_byte() {
        let text = r#"{ "b":1.10, "a":[ ] }"#;
        let outcome = crate::RawJson::parse(text.to_owned()).unwrap();
        let recorded = RequestEvent::Recorded {
            caller: "c".into(),
            key: "k".into(),
            digest: "d".into(),
            outcome: outcome.clone(),
        };
        let payload = recorded.encode();
        assert!(payload.contains(text));
        assert_eq!(
            RequestEvent::decode("request.recorded", 1, &payload).unwrap(),
            recorded
        );
        let received = WebhookEvent::Received {
            provider: "sandbox".into(),
            event_id: "e".into(),
            event_type: "t".into(),
            payload: outcome,
        };
        let read = decode_any("webhook.received", 1, &received.encode()).unwrap();
        assert_eq!(read, AnyEvent::from(received.clone()));
        assert_eq!(WebhookEvent::from_any(read), Some(received));
    }

    #[test]
    fn stored_names_are_unique_snake_case_and_begin_with_their_category() {
        let mut seen = BTreeSet::new();
        for event in events() {
            let (category, name) = event.event_type.split_once('.').unwrap();
            assert_eq!(category, event.category);
            assert!(name.bytes().all(|b| b == b'_' || b.is_ascii_lowercase()));
            assert!(seen.insert(event.event_type), "{} twice", event.event_type);
            assert_eq!(current_version(event.event_type), Some(event.version));
            assert!(event.doc.ends_with('.'));
        }
    }
}
