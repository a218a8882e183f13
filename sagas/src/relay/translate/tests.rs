//! Every kind of event, by its frozen samples.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::DateTime;
use domain::{Currency, OrderId};
use journal::{Category, Position, StreamId};
use schemas::{CatalogueEntry, catalogue};

use super::*;

const METADATA: &str = r#"{"correlation_id":"01920000-0000-7000-8000-000000000030",
    "actor":"customer:ada@example.com","request":"r-1","traceparent":"00-a-b-01"}"#;

fn recorded(entry: &CatalogueEntry, version: u16, payload: &str) -> Recorded {
    Recorded {
        position: Position(17),
        stream: StreamId::of_uuid(Category::from_static(entry.category), Uuid::from_u128(8)),
        version: 4,
        id: Uuid::from_u128(9),
        event_type: Category::from_static(entry.event_type),
        schema_version: version,
        payload: Arc::from(payload),
        metadata: Arc::from(METADATA),
        occurred: DateTime::UNIX_EPOCH,
        recorded: DateTime::UNIX_EPOCH,
    }
}

fn facts() -> PaymentFacts {
    PaymentFacts {
        order_id: OrderId::new(Uuid::from_u128(7)),
        currency: Currency::GBP,
        provider: "sandbox".to_owned(),
    }
}

fn told(event: &Recorded) -> Option<PublicMessage> {
    translate(Uuid::from_u128(1), event, Some(&facts())).unwrap()
}

/// All samples of all versions of all events.
fn samples() -> Vec<Recorded> {
    let mut all = Vec::new();
    for entry in catalogue() {
        for version in &entry.versions {
            for sample in [version.full_sample, version.minimal_sample] {
                all.push(recorded(&entry, version.version, sample));
            }
        }
    }
    all
}

#[test]
fn exactly_the_events_in_the_list_are_told_and_every_kind_of_message_is_sent() {
    let told: Vec<(String, &str)> = samples()
        .iter()
        .filter_map(|event| Some((event.event_type.to_string(), told(event)?)))
        .map(|(event_type, message)| (event_type, message.data.entry().message_type))
        .collect();
    let events: BTreeSet<&str> = told.iter().map(|(event_type, _)| event_type.as_str()).collect();
    assert_eq!(events, TOLD.iter().copied().collect());
    let messages: BTreeSet<&str> = told.iter().map(|(_, message)| *message).collect();
    let all = schemas::public::messages().iter().map(|entry| entry.message_type);
    assert_eq!(messages, all.collect());
}

#[test]
fn what_is_personal_secret_or_somebodys_own_words_stays_inside() {
    for event in samples() {
        let Some(message) = told(&event) else { continue };
        let text = message.encode();
        let inside = [
            "s1.",
            "ada@",
            "r-1",
            "customer:",
            "support:",
            "the lid",
            "not ours",
            "damage\"",
            "yearly",
            "on display",
            ":authorize:",
            ":capture:",
            ":refund:",
        ];
        for word in inside {
            assert!(!text.contains(word), "{}: {word} in {text}", event.event_type);
        }
    }
}

#[test]
fn a_message_carries_the_events_id_place_and_context() {
    let entry = catalogue().into_iter().find(|e| e.event_type == "order.confirmed").unwrap();
    let message = told(&recorded(&entry, 1, entry.versions[0].full_sample)).unwrap();
    assert_eq!(message.id, Uuid::from_u128(9));
    assert_eq!((message.position, message.stream_version), (17, 4));
    assert_eq!(message.subject, Uuid::from_u128(8).to_string());
    assert_eq!(message.stream, format!("order-{}", message.subject));
    assert_eq!(
        message.correlation_id,
        Some(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0030))
    );
    assert_eq!(message.traceparent.as_deref(), Some("00-a-b-01"));
    assert_eq!(PublicMessage::decode(&message.encode()).unwrap(), message);
}

#[test]
fn a_payment_is_about_the_order_of_its_first_event() {
    let entries = catalogue();
    let find = |event_type: &str| entries.iter().find(|e| e.event_type == event_type).unwrap();
    let initiated = find("payment.initiated");
    let first = recorded(initiated, 1, initiated.versions[0].full_sample);
    let facts = PaymentFacts::of(&first).unwrap().unwrap();
    assert_eq!(facts.provider, "sandbox");
    let captured = find("payment.captured");
    let event = recorded(captured, 1, captured.versions[0].full_sample);
    assert!(wants_payment(&event) && !wants_payment(&first));
    let message = translate(Uuid::nil(), &event, Some(&facts)).unwrap().unwrap();
    assert_eq!(message.subject, facts.order_id.to_string());
    assert_eq!(PaymentFacts::of(&event).unwrap(), None);
    assert!(matches!(translate(Uuid::nil(), &event, None), Err(Untold::Foreign(_))));
}

#[test]
fn what_a_newer_release_wrote_is_told_apart_from_what_nobody_can_read() {
    let entry = catalogue().into_iter().find(|e| e.event_type == "order.confirmed").unwrap();
    let translate = |event: &Recorded| translate(Uuid::nil(), event, None);
    let newer = recorded(&entry, 99, "{}");
    assert!(matches!(translate(&newer), Err(Untold::Newer(_))));
    let unknown = Recorded { event_type: Category::from_static("order.eaten"), ..newer.clone() };
    assert!(matches!(translate(&unknown), Err(Untold::Newer(_))));
    let broken = Recorded { schema_version: 1, ..newer.clone() };
    assert!(matches!(translate(&broken), Err(Untold::Unreadable(_))));
    let elsewhere = StreamId::of_uuid(Category::from_static("parcel_shop"), Uuid::nil());
    let foreign = Recorded { stream: elsewhere, ..unknown };
    assert!(translate(&foreign).unwrap().is_none());
}

#[test]
fn stock_changes_add_up_by_warehouse() {
    let id = |n: u128| Uuid::from_u128(n);
    let units = |n| domain::Quantity::new(n).unwrap();
    let at = |warehouse: u128, n| domain::inventory::Allocation {
        warehouse_id: domain::WarehouseId::new(id(warehouse)),
        quantity: units(n),
    };
    let shipped = domain::inventory::InventoryEvent::Shipped {
        order_id: OrderId::new(id(1)),
        shipment_id: domain::ShipmentId::new(id(2)),
        allocations: vec![at(5, 2), at(6, 1), at(5, 3)],
    };
    let Some(PublicData::StockChanged(told)) = goods::stock(id(9), shipped) else {
        panic!("stock that leaves is told");
    };
    let changes: Vec<_> = told.changes.iter().map(|c| (c.on_hand, c.held)).collect();
    assert_eq!(changes, [(-5, -5), (-1, -1)]);
}
