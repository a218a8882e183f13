//! What changes about an order, and how it is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use domain::order::{
    EndTransition, LineUnits, OrderEndReason, OrderEvent, OrderStatus, OrderTotals, PlacedOrder,
    Transition,
};
use domain::product_return::{ReceivedUnits, ReturnEvent, ReturnReason, ReturnStatus};
use domain::shipment::ShipmentEvent;
use domain::{
    Currency, CustomerId, LineNumber, OrderId, PaymentId, RefundId, ReturnId, SellerId, ShipmentId,
    Timestamp,
};
use schemas::AnyEvent;
use serde::{Deserialize, Serialize};

use crate::Envelope;
use crate::id_column::stream_id;

/// How far the units of one line are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Units {
    pub shipped: u32,
    pub delivered: u32,
    pub returned: u32,
}

/// A parcel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ShipmentView {
    pub lines: Vec<LineUnits>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
    pub dispatched_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
}

/// A return. `refund_minor` is owed for it, in minor units of the order's currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReturnView {
    pub rma_number: String,
    pub status: ReturnStatus,
    pub reason: ReturnReason,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    pub lines: Vec<LineUnits>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub received: Vec<ReceivedUnits>,
    #[serde(default)]
    pub refund_minor: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<RefundId>,
    pub requested_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Everything about an order but what was fixed when it was placed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct OrderRow {
    pub(super) number: u64,
    pub(super) order_id: OrderId,
    pub(super) version: u64,
    pub(super) revision: u64,
    pub(super) status: OrderStatus,
    pub(super) customer_id: Option<CustomerId>,
    pub(super) payment_id: Option<PaymentId>,
    pub(super) currency: Currency,
    pub(super) totals: OrderTotals,
    pub(super) line_count: u32,
    pub(super) sellers: BTreeSet<SellerId>,
    pub(super) reference: Option<String>,
    pub(super) end_reason: Option<OrderEndReason>,
    pub(super) placed_at: Timestamp,
    pub(super) updated_at: Timestamp,
    /// Lines that have begun to move.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) units: BTreeMap<LineNumber, Units>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) shipments: BTreeMap<ShipmentId, ShipmentView>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) returns: BTreeMap<ReturnId, ReturnView>,
    /// The placed order as JSON; taken out when it is saved, so that rows kept in memory are
    /// small however many lines their orders have.
    #[serde(skip)]
    pub(super) facts: Arc<Mutex<String>>,
}

impl OrderRow {
    pub(super) fn placed(placed: &PlacedOrder, event: &Envelope) -> Self {
        // An order made of numbers and texts always has a JSON form; should it not, reading the
        // empty text fails for this order alone.
        let facts = serde_json::to_string(placed).unwrap_or_default();
        Self {
            number: event.position.0,
            order_id: placed.order_id,
            version: event.version,
            revision: event.position.0,
            status: OrderStatus::Pending,
            customer_id: placed.customer_id,
            payment_id: placed.payment_id,
            currency: placed.currency,
            totals: placed.totals,
            line_count: u32::try_from(placed.lines.len()).unwrap_or(u32::MAX),
            sellers: placed.lines.iter().map(|line| line.seller_id).collect(),
            reference: placed.reference.clone(),
            end_reason: None,
            placed_at: placed.placed_at,
            updated_at: event.occurred,
            units: BTreeMap::new(),
            shipments: BTreeMap::new(),
            returns: BTreeMap::new(),
            facts: Arc::new(Mutex::new(facts)),
        }
    }

    pub(super) fn apply(&mut self, event: &Envelope) {
        self.revision = event.position.0;
        self.updated_at = event.occurred;
        match &event.event {
            AnyEvent::Order(order) => {
                self.version = event.version;
                self.apply_order(order, event.occurred);
            }
            AnyEvent::Shipment(shipment) => self.apply_shipment(shipment, event),
            AnyEvent::Return(returned) => self.apply_return(returned, event),
            _ => {}
        }
    }

    fn apply_order(&mut self, event: &OrderEvent, occurred: Timestamp) {
        match event {
            OrderEvent::Placed(_) => {}
            OrderEvent::Confirmed(Transition { new_state, .. })
            | OrderEvent::ProcessingStarted(Transition { new_state, .. })
            | OrderEvent::Shipped(Transition { new_state, .. })
            | OrderEvent::Delivered(Transition { new_state, .. })
            | OrderEvent::Returned(Transition { new_state, .. }) => self.status = *new_state,
            OrderEvent::LinesShipped { shipment_id, lines } => {
                self.count(lines, |units| &mut units.shipped);
                self.shipment(*shipment_id, occurred).lines.clone_from(lines);
            }
            OrderEvent::LinesDelivered { shipment_id, lines } => {
                self.count(lines, |units| &mut units.delivered);
                let shipment = self.shipment(*shipment_id, occurred);
                shipment.delivered_at = shipment.delivered_at.or(Some(occurred));
            }
            OrderEvent::LinesReturned { lines, .. } => {
                self.count(lines, |units| &mut units.returned);
            }
            OrderEvent::Cancelled(EndTransition { new_state, reason, .. })
            | OrderEvent::Failed(EndTransition { new_state, reason, .. }) => {
                self.status = *new_state;
                self.end_reason = Some(reason.clone());
            }
        }
    }

    /// The order's and the shipment's own events come in either order.
    fn shipment(&mut self, id: ShipmentId, occurred: Timestamp) -> &mut ShipmentView {
        self.shipments
            .entry(id)
            .or_insert_with(|| ShipmentView { dispatched_at: occurred, ..ShipmentView::default() })
    }

    fn apply_shipment(&mut self, event: &ShipmentEvent, envelope: &Envelope) {
        match event {
            ShipmentEvent::Dispatched { shipment_id, lines, carrier, tracking_number, .. } => {
                let shipment = self.shipment(*shipment_id, envelope.occurred);
                shipment.lines.clone_from(lines);
                shipment.carrier.clone_from(carrier);
                shipment.tracking_number.clone_from(tracking_number);
                shipment.dispatched_at = envelope.occurred;
            }
            ShipmentEvent::Delivered { delivered_at, .. } => {
                if let Some(id) = stream_id(envelope) {
                    self.shipment(id, envelope.occurred).delivered_at = Some(*delivered_at);
                }
            }
        }
    }

    fn apply_return(&mut self, event: &ReturnEvent, envelope: &Envelope) {
        if let ReturnEvent::Requested { return_id, rma_number, lines, reason, note, .. } = event {
            let requested = ReturnView {
                rma_number: rma_number.clone(),
                status: ReturnStatus::Requested,
                reason: *reason,
                note: note.clone(),
                lines: lines.clone(),
                received: Vec::new(),
                refund_minor: 0,
                refund_id: None,
                requested_at: envelope.occurred,
                updated_at: envelope.occurred,
            };
            self.returns.insert(*return_id, requested);
        }
        let id = stream_id::<ReturnId>(envelope);
        let Some(view) = id.and_then(|id| self.returns.get_mut(&id)) else {
            return;
        };
        view.updated_at = envelope.occurred;
        match event {
            ReturnEvent::Requested { .. } => {}
            ReturnEvent::Received { lines, refund_minor, refund_id, .. } => {
                view.status = ReturnStatus::Received;
                view.received.clone_from(lines);
                view.refund_minor = *refund_minor;
                view.refund_id = *refund_id;
            }
            ReturnEvent::Rejected { note, .. } => {
                view.status = ReturnStatus::Rejected;
                view.note.clone_from(note);
            }
        }
    }

    fn count(&mut self, lines: &[LineUnits], counter: impl Fn(&mut Units) -> &mut u32) {
        for line in lines {
            let counted = counter(self.units.entry(line.line).or_default());
            *counted = counted.saturating_add(line.quantity.get());
        }
    }
}
