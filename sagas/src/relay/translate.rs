//! Which public message an event on record gives: a pure function of the event, and for payments
//! of what their first event says.
//!
//! One event gives one message or none, so the event's id is the message's, and the same journal
//! gives the same messages in the same order, whoever works them out.

mod goods;
mod orders;
mod payments;

use journal::{JournalId, Recorded, StreamKey};
use schemas::public::{PublicData, PublicMessage};
use schemas::{AnyEvent, DecodeError, current_version, decode_any};
use serde::Deserialize;
use uuid::Uuid;

pub use payments::PaymentFacts;

/// Categories of streams that the outside is told of.
const TOLD_CATEGORIES: &[&str] =
    &["order", "payment", "shipment", "return", "product", "inventory"];

/// Stored names of the events that give a message.
const TOLD: &[&str] = &[
    "order.placed",
    "order.confirmed",
    "order.processing_started",
    "order.lines_shipped",
    "order.shipped",
    "order.lines_delivered",
    "order.delivered",
    "order.lines_returned",
    "order.returned",
    "order.cancelled",
    "order.failed",
    "payment.authorized",
    "payment.authorization_declined",
    "payment.authorization_expired",
    "payment.captured",
    "payment.capture_failed",
    "payment.voided",
    "payment.refunded",
    "payment.refund_failed",
    "payment.refund_adopted",
    "shipment.dispatched",
    "shipment.delivered",
    "return.requested",
    "return.received",
    "return.rejected",
    "product.created",
    "product.details_changed",
    "product.repriced",
    "product.status_changed",
    "product.sku_added",
    "product.sku_details_changed",
    "product.sku_repriced",
    "product.sku_withdrawn",
    "inventory.received",
    "inventory.counted",
    "inventory.written_off",
    "inventory.unavailable_set",
    "inventory.held",
    "inventory.released",
    "inventory.shipped",
    "inventory.returned",
];

/// Why an event that may have to be told cannot be.
#[derive(Debug, thiserror::Error)]
pub enum Untold {
    /// A later release wrote it and knows what to tell: it must not be passed over.
    #[error("{0}: a newer release wrote it")]
    Newer(#[source] DecodeError),
    /// It will never be read, by whatever release.
    #[error(transparent)]
    Unreadable(DecodeError),
    /// A payment's stream does not begin as one, or its key is none.
    #[error("stream {0} is not that of its category")]
    Foreign(journal::StreamId),
}

impl From<DecodeError> for Untold {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::VersionTooNew { .. } | DecodeError::UnknownType { .. } => {
                Self::Newer(error)
            }
            DecodeError::UnknownVersion { .. }
            | DecodeError::Malformed { .. }
            | DecodeError::NotOneEvent { .. } => Self::Unreadable(error),
        }
    }
}

/// Whether the event may give a message; cheap, without reading it.
#[must_use]
pub fn concerns(event: &Recorded) -> bool {
    let event_type = event.event_type.as_str();
    TOLD.contains(&event_type)
        // A name nobody here knows under a category of ours: a later release's, or an old one's.
        || (TOLD_CATEGORIES.contains(&event.stream.category.as_str())
            && current_version(event_type).is_none())
}

/// Whether [`translate`] wants to know what the event's payment is about.
#[must_use]
pub fn wants_payment(event: &Recorded) -> bool {
    event.stream.category.as_str() == "payment" && concerns(event)
}

/// The message for an event, if there is one. `payment` is for those that [`wants_payment`] names.
pub fn translate(
    journal: JournalId,
    event: &Recorded,
    payment: Option<&PaymentFacts>,
) -> Result<Option<PublicMessage>, Untold> {
    if !concerns(event) {
        return Ok(None);
    }
    let decoded = decode_any(event.event_type.as_str(), event.schema_version, &event.payload)?;
    let StreamKey::Uuid(key) = event.stream.key else {
        return Err(Untold::Foreign(event.stream.clone()));
    };
    let told = match decoded {
        AnyEvent::Order(order) => Some((key, orders::order(key, order))),
        AnyEvent::Shipment(shipment) => Some(orders::shipment(key, shipment)),
        AnyEvent::Return(returned) => Some(orders::product_return(key, returned)),
        AnyEvent::Payment(payment_event) => {
            let facts = payment.ok_or_else(|| Untold::Foreign(event.stream.clone()))?;
            let data = payments::payment(key, payment_event, facts);
            data.map(|data| (facts.order_id.uuid(), data))
        }
        AnyEvent::Product(product) => Some((key, goods::product(key, product))),
        AnyEvent::Inventory(stock) => goods::stock(key, stock).map(|data| (key, data)),
        AnyEvent::Category(_)
        | AnyEvent::Rating(_)
        | AnyEvent::Customer(_)
        | AnyEvent::Seller(_)
        | AnyEvent::Warehouse(_)
        | AnyEvent::Cart(_)
        | AnyEvent::Checkout(_)
        | AnyEvent::Browsing(_)
        | AnyEvent::Request(_)
        | AnyEvent::Webhook(_) => None,
    };
    Ok(told.map(|(subject, data)| message(journal, event, subject, data)))
}

fn message(journal: JournalId, event: &Recorded, subject: Uuid, data: PublicData) -> PublicMessage {
    #[derive(Default, Deserialize)]
    struct Context {
        correlation_id: Option<Uuid>,
        traceparent: Option<String>,
    }
    // Metadata of another program, or none: the message goes without.
    let context: Context = serde_json::from_str(&event.metadata).unwrap_or_default();
    PublicMessage {
        id: event.id,
        journal,
        position: event.position.0,
        stream: event.stream.to_string(),
        stream_version: event.version,
        subject: subject.to_string(),
        time: event.occurred,
        correlation_id: context.correlation_id,
        traceparent: context.traceparent,
        data,
    }
}

/// `customer:0190…` is a `customer`: who it is in person stays inside.
fn role(actor: &domain::order::Actor) -> String {
    actor.0.split(':').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
