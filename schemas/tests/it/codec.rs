//! What is written, what is read, and what is refused.

use std::collections::BTreeSet;
use std::error::Error as _;

use domain::inventory::InventoryEvent;
use domain::warehouse::WarehouseEvent;
use domain::{Quantity, WarehouseId};
use uuid::Uuid;

use schemas::{
    AnyEvent, DecodeError, RawJson, RequestEvent, StoredEvent, WebhookEvent, current_version,
    decode_any, decode_any_all, events,
};

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
    let expected = format!(r#"{{"warehouse_id":"{WAREHOUSE}","quantity":5,"reference":"DN-1"}}"#);
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
    assert_eq!(InventoryEvent::decode("inventory.received", 2, &payload).unwrap(), received(None));
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
    assert_eq!(error.to_string(), "`inventory.received` has version 3, this release reads up to 2");
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
    let outcome = RawJson::parse(text.to_owned()).unwrap();
    let recorded = RequestEvent::Recorded {
        caller: "c".into(),
        key: "k".into(),
        digest: "d".into(),
        outcome: outcome.clone(),
    };
    let payload = recorded.encode();
    assert!(payload.contains(text));
    assert_eq!(RequestEvent::decode("request.recorded", 1, &payload).unwrap(), recorded);
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
