//! A shop's events: orders which overlap, and stock that all of them use.

use std::sync::Arc;

use chrono::DateTime;
use journal::{Category, EventType, Group, NewEvent, StreamId, Unit};
use uuid::{Builder, Uuid};

/// Streams of stock, which live as long as the journal.
const SKUS: usize = 1_000;
/// How many orders later one is placed, paid and shipped.
const PLACED: u64 = 50;
const PAID: u64 = 100;
const SHIPPED: u64 = 2_000;
/// The first order's time, in milliseconds since 1970; each order comes 20 ms after the last.
const OPENED: u64 = 1_760_000_000_000;

#[derive(Debug, Default)]
pub(crate) struct Shop {
    ticks: u64,
    stock: Vec<u64>,
    made: u64,
}

impl Shop {
    /// Orders begun so far.
    pub(crate) fn ticks(&self) -> u64 {
        self.ticks
    }

    /// What happens while `ticks` more orders begin. No order is remembered: names and
    /// versions follow from an order's number.
    pub(crate) fn units(&mut self, ticks: u64) -> Vec<Unit> {
        let mut units = Vec::new();
        for _ in 0..ticks {
            let now = self.ticks;
            units.push(self.unit(&[("cart", now, 0, 5)]));
            if let Some(order) = now.checked_sub(PLACED) {
                units.push(self.placing(order));
            }
            if let Some(order) = now.checked_sub(PAID) {
                units.push(self.unit(&[("payment", order, 0, 2), ("order", order, 2, 1)]));
            }
            if let Some(order) = now.checked_sub(SHIPPED) {
                units.push(self.unit(&[("order", order, 3, 1)]));
            }
            self.ticks += 1;
        }
        units
    }

    fn placing(&mut self, order: u64) -> Unit {
        let parts = [("checkout", order, 0, 2), ("order", order, 0, 2), ("request", order, 0, 1)];
        let mut unit = self.unit(&parts);
        let group = self.reservation(scramble(order) as usize % SKUS);
        unit.groups.push(group);
        unit
    }

    /// One more event of a stock item's long stream.
    pub(crate) fn reservation(&mut self, sku: usize) -> Group {
        self.stock.resize(SKUS, 0);
        let expected = self.stock[sku];
        self.stock[sku] += 1;
        self.group(sku_stream(sku), expected, 1)
    }

    pub(crate) fn sku_version(&self, sku: usize) -> u64 {
        self.stock[sku]
    }

    fn unit(&mut self, parts: &[(&'static str, u64, u64, usize)]) -> Unit {
        let groups = parts
            .iter()
            .map(|(category, order, expected, events)| {
                self.group(stream(category, *order), *expected, *events)
            })
            .collect();
        unit(groups)
    }

    pub(crate) fn group(&mut self, stream: StreamId, expected: u64, events: usize) -> Group {
        let events = (0..events).map(|_| self.event(&stream)).collect();
        Group { stream, expected, events }
    }

    fn event(&mut self, stream: &StreamId) -> NewEvent {
        self.made += 1;
        let (made, random) = (self.made, scramble(self.made));
        let sku = random as usize % SKUS;
        let payload = format!(
            r#"{{"stream":"{stream}","lines":[{{"sku":"sku-{sku}","title":"Tea glass, green, set of {made}","quantity":{},"unit_price":{{"amount":{},"currency":"EUR"}},"tax":"standard"}},{{"sku":"sku-{random}","title":"Gift box with ribbon","quantity":1,"unit_price":{{"amount":990,"currency":"EUR"}},"tax":"standard"}}],"ship_to":{{"country":"DE","postcode":"{:05}","sealed":"{random:032x}{made:032x}"}},"note":null}}"#,
            random % 4 + 1,
            random % 10_000,
            random % 100_000,
        );
        NewEvent {
            id: order_id(made, 9),
            event_type: EventType::from_static("order.line_added"),
            schema_version: 1,
            payload: Arc::from(payload),
            occurred: DateTime::UNIX_EPOCH,
        }
    }
}

pub(crate) fn unit(groups: Vec<Group>) -> Unit {
    let id = Uuid::now_v7();
    let metadata = format!(
        r#"{{"actor":"customer:{id}","request":"{id}","correlation":"{}"}}"#,
        &id.to_string()[..23]
    );
    Unit::new(groups, Arc::from(metadata))
}

pub(crate) fn stream(category: &'static str, order: u64) -> StreamId {
    // One id per kind: the streams of an order begin at different times.
    let (delay, kind) = match category {
        "cart" => (0, 1),
        "payment" => (PAID, 2),
        "checkout" => (PLACED, 3),
        "request" => (PLACED, 4),
        _ => (PLACED, 5),
    };
    StreamId::of_uuid(Category::from_static(category), order_id(order + delay, kind))
}

pub(crate) fn sku_stream(sku: usize) -> StreamId {
    StreamId::of_uuid(Category::from_static("inventory"), order_id(sku as u64, 0))
}

/// A time-ordered id which looks like any other and can be made again.
fn order_id(number: u64, kind: u64) -> Uuid {
    let random = u128::from(scramble(number * 16 + kind)) << 64 | u128::from(number);
    let mut bytes = [0; 10];
    bytes.copy_from_slice(&random.to_be_bytes()[..10]);
    Builder::from_unix_timestamp_millis(OPENED + number * 20, &bytes).into_uuid()
}

/// A number that looks random (SplitMix64).
pub(crate) fn scramble(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
