//! A made-up shop's log: orders from cart to delivery, the same in every run. Shared by the
//! benchmark and the tests, each of which uses a part.
#![allow(dead_code, unreachable_pub, reason = "each user of this file uses a part of it")]

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::cart::{CartEvent, CartItem, CartOwner};
use domain::checkout::{CheckoutEvent, CheckoutOutcome};
use domain::inventory::{Allocation, InventoryEvent};
use domain::order::{
    Actor, EndTransition, LineUnits, OrderEndReason, OrderEvent, OrderLine, OrderStatus,
    OrderTotals, PlacedOrder, Transition,
};
use domain::payment::PaymentEvent;
use domain::pricing::PriceRule;
use domain::product_return::{ReceivedUnits, ReturnEvent, ReturnReason};
use domain::shipment::ShipmentEvent;
use domain::{
    CartId, Currency, CustomerId, OrderId, PaymentId, ProductId, Quantity, RefundId, ReturnId,
    Sealed, SellerId, ShipmentId, SkuId, WarehouseId,
};
use journal::{Category, Group, Journal, NewEvent, StreamId, Unit, Verdict};
use schemas::AnyEvent;
use uuid::Uuid;

/// Events that are appended together.
pub type Together = Vec<(Uuid, AnyEvent)>;

pub const SKUS: u64 = 5_000;
pub const SELLERS: u64 = 200;
pub const CUSTOMERS: u64 = 20_000;
pub const HOLD_MINUTES: i64 = 15;

/// A time-ordered id; `kind` keeps ids of different things apart.
pub fn id<T: From<Uuid>>(kind: u8, number: u64) -> T {
    let bits = (u128::from(number) << 64) | (0x8000_0000_0000_0000 | u128::from(kind));
    T::from(Uuid::from_u128(bits))
}

/// The instant at which the order with this number was placed.
pub fn at(number: u64) -> DateTime<Utc> {
    DateTime::<Utc>::UNIX_EPOCH
        + TimeDelta::days(20_000)
        + TimeDelta::milliseconds(number.cast_signed())
}

pub fn sku(number: u64) -> SkuId {
    id(1, number % SKUS)
}

pub fn product(number: u64) -> ProductId {
    id(2, number % SKUS / 2)
}

pub fn seller(number: u64) -> SellerId {
    id(3, number % SELLERS)
}

pub fn warehouse() -> WarehouseId {
    id(4, 1)
}

pub fn order(number: u64) -> OrderId {
    id(5, number)
}

pub fn payment(number: u64) -> PaymentId {
    id(6, number)
}

/// The customer of an order, and so the cart.
pub fn customer(number: u64) -> CustomerId {
    id(7, number.wrapping_mul(2_654_435_761) % CUSTOMERS)
}

pub fn shipment(number: u64) -> ShipmentId {
    id(8, number)
}

pub fn units(units: u32) -> Quantity {
    Quantity::new(units).unwrap_or(Quantity::ONE)
}

fn order_lines(number: u64, lines: u32) -> Vec<OrderLine> {
    (1..=lines)
        .map(|line| {
            let nth = number.wrapping_mul(31).wrapping_add(u64::from(line) * 7);
            OrderLine {
                line,
                sku_id: sku(nth),
                product_id: product(nth % SKUS),
                seller_id: seller(nth),
                name: format!("A thing somebody may want, number {nth}"),
                quantity: units(1 + line % 3),
                unit_minor: 1_999,
                price_rule: PriceRule::Sku,
            }
        })
        .collect()
}

pub fn placed(number: u64, lines: u32) -> PlacedOrder {
    let lines = order_lines(number, lines);
    let total_minor =
        lines.iter().map(|line| line.unit_minor * i64::from(line.quantity.get())).sum();
    PlacedOrder {
        order_id: order(number),
        cart_id: CartId::of_customer(customer(number)),
        customer_id: Some(customer(number)),
        currency: Currency::GBP,
        lines,
        totals: OrderTotals { lines_minor: total_minor, total_minor, ..OrderTotals::default() },
        shipping_address: None,
        guest_contact: None,
        payment_method_id: Some(id(9, number)),
        payment_id: Some(payment(number)),
        reference: None,
        placed_at: at(number),
        actor: Actor("customer".to_owned()),
    }
}

fn transition(number: u64, from: OrderStatus, to: OrderStatus) -> Transition {
    Transition {
        order_id: order(number),
        previous_state: from,
        new_state: to,
        timestamp: at(number),
        actor: Actor::system(),
    }
}

fn allocations(line: &OrderLine) -> Vec<Allocation> {
    vec![Allocation { warehouse_id: warehouse(), quantity: line.quantity }]
}

/// The first units of stock of every SKU.
pub fn stocked() -> Vec<Together> {
    (0..SKUS)
        .map(|number| {
            let opened =
                InventoryEvent::Opened { sku_id: sku(number), product_id: product(number) };
            let received = InventoryEvent::Received {
                warehouse_id: warehouse(),
                quantity: units(1_000_000),
                reference: None,
            };
            let stream = sku(number).uuid();
            vec![(stream, opened.into()), (stream, received.into())]
        })
        .collect()
}

/// A cart is filled and ordered, the money is held and taken: 16 events with two lines.
pub fn bought(number: u64, lines: u32) -> Vec<Together> {
    let mut all = vec![filled(number, lines)];
    all.extend(checked_out(number, lines));
    all
}

pub fn filled(number: u64, lines: u32) -> Together {
    let cart_id = CartId::of_customer(customer(number));
    let expires_at = at(number) + TimeDelta::days(30);
    let opened = CartEvent::Opened {
        cart_id,
        owner: CartOwner::Customer(customer(number)),
        currency: Currency::GBP,
        expires_at,
    };
    let mut events: Together = vec![(cart_id.uuid(), opened.into())];
    for line in order_lines(number, lines) {
        let item = CartItem {
            sku_id: line.sku_id,
            product_id: line.product_id,
            quantity: line.quantity,
            unit_minor: line.unit_minor,
            price_rule: line.price_rule,
        };
        let added = CartEvent::ItemAdded { item, expires_at };
        events.push((cart_id.uuid(), added.into()));
    }
    events
}

pub fn ordered(number: u64, lines: u32) -> Together {
    let placed = placed(number, lines);
    let (order_id, payment_id) = (placed.order_id, payment(number));
    let mut events: Together = vec![
        (placed.cart_id.uuid(), CartEvent::CheckoutStarted { order_id }.into()),
        (
            payment_id.uuid(),
            PaymentEvent::Initiated {
                payment_id,
                order_id,
                provider: "sandbox".to_owned(),
                amount_minor: placed.totals.total_minor,
                currency: placed.currency,
                payment_method_id: placed.payment_method_id,
                token: Sealed::from_ciphertext("c2VhbGVkIHRva2VuIG9mIGEgY2FyZA".to_owned()),
            }
            .into(),
        ),
        (
            payment_id.uuid(),
            PaymentEvent::AuthorizationRequested {
                key: format!("{order_id}:authorize:1"),
                attempt: 1,
                amount_minor: placed.totals.total_minor,
            }
            .into(),
        ),
        (
            order_id.uuid(),
            CheckoutEvent::Started {
                order_id,
                cart_id: placed.cart_id,
                payment_id,
                skus: placed.lines.iter().map(|line| line.sku_id).collect(),
                hold_expires_at: at(number) + TimeDelta::minutes(HOLD_MINUTES),
            }
            .into(),
        ),
    ];
    for line in &placed.lines {
        let held = InventoryEvent::Held { order_id, allocations: allocations(line) };
        events.push((line.sku_id.uuid(), held.into()));
    }
    events.insert(0, (order_id.uuid(), OrderEvent::Placed(Box::new(placed)).into()));
    events
}

fn checked_out(number: u64, lines: u32) -> Vec<Together> {
    let (order_id, payment_id) = (order(number), payment(number));
    let amount_minor = placed(number, lines).totals.total_minor;
    let authorized = vec![
        (
            payment_id.uuid(),
            PaymentEvent::Authorized {
                key: format!("{order_id}:authorize:1"),
                amount_minor,
                provider_reference: format!("auth_{number}"),
                expires_at: Some(at(number) + TimeDelta::days(7)),
            }
            .into(),
        ),
        (
            payment_id.uuid(),
            PaymentEvent::CaptureRequested {
                key: format!("{order_id}:capture:1"),
                attempt: 1,
                amount_minor,
            }
            .into(),
        ),
    ];
    let confirmed = transition(number, OrderStatus::Pending, OrderStatus::Confirmed);
    let captured = vec![
        (
            payment_id.uuid(),
            PaymentEvent::Captured {
                key: format!("{order_id}:capture:1"),
                amount_minor,
                provider_reference: format!("capture_{number}"),
            }
            .into(),
        ),
        (order_id.uuid(), OrderEvent::Confirmed(confirmed).into()),
        (customer(number).uuid(), CartEvent::CheckoutCompleted { order_id }.into()),
        (order_id.uuid(), CheckoutEvent::Ended { outcome: CheckoutOutcome::Confirmed }.into()),
    ];
    vec![ordered(number, lines), authorized, captured]
}

/// A bought order goes out in one parcel and arrives.
pub fn delivered(number: u64, lines: u32) -> Vec<Together> {
    let (order_id, shipment_id) = (order(number), shipment(number));
    let placed = placed(number, lines);
    let all: Vec<LineUnits> = line_units(&placed);
    let stream = order_id.uuid();
    let order = |from, to, event: fn(Transition) -> OrderEvent| {
        (stream, event(transition(number, from, to)).into())
    };
    let mut shipped: Together = vec![
        order(OrderStatus::Confirmed, OrderStatus::Processing, OrderEvent::ProcessingStarted),
        (stream, OrderEvent::LinesShipped { shipment_id, lines: all.clone() }.into()),
        order(OrderStatus::Processing, OrderStatus::Shipped, OrderEvent::Shipped),
        (
            shipment_id.uuid(),
            ShipmentEvent::Dispatched {
                shipment_id,
                order_id,
                lines: all.clone(),
                carrier: Some("UPS".to_owned()),
                tracking_number: Some(format!("1Z{number:09}")),
            }
            .into(),
        ),
    ];
    for line in &placed.lines {
        let event =
            InventoryEvent::Shipped { order_id, shipment_id, allocations: allocations(line) };
        shipped.push((line.sku_id.uuid(), event.into()));
    }
    let arrived = vec![
        (
            shipment_id.uuid(),
            ShipmentEvent::Delivered { order_id, delivered_at: at(number) + TimeDelta::days(2) }
                .into(),
        ),
        (stream, OrderEvent::LinesDelivered { shipment_id, lines: all }.into()),
        order(OrderStatus::Shipped, OrderStatus::Delivered, OrderEvent::Delivered),
    ];
    vec![shipped, arrived]
}

pub fn line_units(placed: &PlacedOrder) -> Vec<LineUnits> {
    let units =
        placed.lines.iter().map(|line| LineUnits { line: line.line, quantity: line.quantity });
    units.collect()
}

/// A delivered order comes back whole, is refunded, and can be sold again.
pub fn returned(number: u64, lines: u32) -> Vec<Together> {
    let order_id = order(number);
    let (return_id, refund_id): (ReturnId, RefundId) = (id(10, number), id(11, number));
    let placed = placed(number, lines);
    let refund_minor = placed.totals.total_minor;
    let requested = ReturnEvent::Requested {
        return_id,
        order_id,
        rma_number: format!("RMA-{number}"),
        lines: line_units(&placed),
        reason: ReturnReason::ChangedMind,
        note: String::new(),
    };
    let received = placed.lines.iter().map(|line| ReceivedUnits {
        line: line.line,
        quantity: line.quantity,
        resellable: line.quantity.get(),
    });
    let mut back: Together = vec![
        (
            return_id.uuid(),
            ReturnEvent::Received {
                order_id,
                lines: received.collect(),
                refund_minor,
                refund_id: Some(refund_id),
            }
            .into(),
        ),
        (
            order_id.uuid(),
            OrderEvent::LinesReturned { return_id, lines: line_units(&placed) }.into(),
        ),
        (
            order_id.uuid(),
            OrderEvent::Returned(transition(number, OrderStatus::Delivered, OrderStatus::Returned))
                .into(),
        ),
        (
            payment(number).uuid(),
            PaymentEvent::Refunded {
                refund_id,
                key: format!("{order_id}:refund:{refund_id}:1"),
                amount_minor: refund_minor,
                provider_reference: format!("refund_{number}"),
            }
            .into(),
        ),
    ];
    for line in &placed.lines {
        let event = InventoryEvent::Returned {
            order_id,
            return_id,
            warehouse_id: warehouse(),
            resellable: line.quantity.get(),
            scrapped: 0,
        };
        back.push((line.sku_id.uuid(), event.into()));
    }
    vec![vec![(return_id.uuid(), requested.into())], back]
}

/// A pending order is cancelled before any money moved; its holds end.
pub fn cancelled(number: u64, lines: u32) -> Together {
    let placed = placed(number, lines);
    let order_id = placed.order_id;
    let end = EndTransition {
        order_id,
        previous_state: OrderStatus::Pending,
        new_state: OrderStatus::Cancelled,
        timestamp: at(number),
        actor: Actor("support:ann".to_owned()),
        reason: OrderEndReason::Requested { note: "changed their mind".to_owned() },
    };
    let mut events: Together = vec![
        (order_id.uuid(), OrderEvent::Cancelled(end).into()),
        (
            placed.cart_id.uuid(),
            CartEvent::CheckoutReleased { order_id, expires_at: at(number) + TimeDelta::days(30) }
                .into(),
        ),
        (order_id.uuid(), CheckoutEvent::Ended { outcome: CheckoutOutcome::Cancelled }.into()),
    ];
    for line in &placed.lines {
        let released = InventoryEvent::Released { order_id, allocations: allocations(line) };
        events.push((line.sku_id.uuid(), released.into()));
    }
    events
}

/// Appends to a journal, keeping the streams' versions.
pub struct Teller {
    journal: Arc<dyn Journal>,
    versions: std::collections::BTreeMap<StreamId, u64>,
    events: u64,
}

impl Teller {
    pub fn new(journal: Arc<dyn Journal>) -> Self {
        Self { journal, versions: std::collections::BTreeMap::new(), events: 0 }
    }

    pub async fn tell(&mut self, units: Vec<Together>) {
        let units = units.into_iter().map(|events| self.unit(events)).collect();
        let verdicts = self.journal.append(units).await;
        let all_there = verdicts.is_ok_and(|verdicts| {
            let committed = |verdict: &Verdict| matches!(verdict, Verdict::Committed { .. });
            verdicts.iter().all(committed)
        });
        assert!(all_there, "the story does not fit the journal");
    }

    /// Appends one event whose payload no release can read.
    pub async fn tell_nonsense(&mut self, stream: Uuid, event_type: &'static str) {
        let category = event_type.split('.').next().unwrap_or_default();
        let mut unit = self.unit(vec![]);
        let stream = StreamId::of_uuid(Category::new(category), stream);
        let version = self.versions.entry(stream.clone()).or_default();
        unit.groups.push(Group {
            stream,
            expected: *version,
            events: vec![NewEvent {
                id: id(250, self.events),
                event_type: Category::from_static(event_type),
                schema_version: 1,
                payload: Arc::from("{\"nonsense\":true}"),
                occurred: at(0),
            }],
        });
        *version += 1;
        self.events += 1;
        assert!(self.journal.append(vec![unit]).await.is_ok());
    }

    fn unit(&mut self, events: Together) -> Unit {
        let mut groups: Vec<Group> = Vec::new();
        for (key, event) in events {
            let stream = StreamId::of_uuid(Category::from_static(event.category()), key);
            self.events += 1;
            let new = NewEvent {
                id: id(251, self.events),
                event_type: Category::from_static(event.event_type()),
                schema_version: event.schema_version(),
                payload: Arc::from(event.encode()),
                occurred: at(self.events),
            };
            let version = self.versions.entry(stream.clone()).or_default();
            match groups.iter_mut().find(|group| group.stream == stream) {
                Some(group) => group.events.push(new),
                None => groups.push(Group { stream, expected: *version, events: vec![new] }),
            }
            *version += 1;
        }
        Unit::new(groups, Arc::from("{\"actor\":\"customer:7\",\"command_id\":\"c-1\"}"))
    }
}
