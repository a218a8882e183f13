//! Which entries of the agenda an event sets or clears.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::cart::CartEvent;
use domain::checkout::CheckoutEvent;
use domain::payment::PaymentEvent;
use domain::{CartId, OrderId, PaymentId, Timestamp};
use journal::{Recorded, StreamKey};
use schemas::{DecodeError, StoredEvent, WebhookEvent};
use uuid::Uuid;

/// Entries set (a time) or cleared (`None`), the last word on each.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) carts: BTreeMap<CartId, Option<Timestamp>>,
    pub(super) holds: BTreeMap<OrderId, Option<Timestamp>>,
    pub(super) calls: BTreeMap<String, (PaymentId, Option<Timestamp>)>,
    pub(super) parked: BTreeMap<String, Option<Waiting>>,
}

/// When a parked webhook is tried again, and since when it waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    pub(super) at: Timestamp,
    pub(super) since: Timestamp,
}

/// An event that cannot be read changes nothing: it must not hold up what all others are due.
/// `verify` and the read models name it; here it is logged.
pub(super) fn fold(events: &[Recorded], call_grace: Duration, parked_retry: Duration) -> Changes {
    let mut changes = Changes::default();
    for event in events {
        let folded = match event.stream.category.as_str() {
            "cart" => cart(&mut changes, event),
            "checkout" => checkout(&mut changes, event),
            "payment" => payment(&mut changes, event, call_grace),
            "webhook" => webhook(&mut changes, event, parked_retry),
            // No other stream has anything that is due.
            _ => Ok(()),
        };
        if let Err(error) = folded {
            let (position, stream) = (event.position.0, &event.stream);
            tracing::error!(position, %stream, %error, "agenda: event cannot be read; what it makes due is not done");
        }
    }
    changes
}

fn decode<E: StoredEvent>(event: &Recorded) -> Result<Vec<E>, DecodeError> {
    E::decode_all(event.event_type.as_str(), event.schema_version, &event.payload)
}

fn key_of(event: &Recorded) -> Uuid {
    match &event.stream.key {
        StreamKey::Uuid(id) => *id,
        // These categories are keyed by id; a foreign stream under their name is not ours to time.
        StreamKey::Text(_) => Uuid::nil(),
    }
}

fn cart(changes: &mut Changes, event: &Recorded) -> Result<(), DecodeError> {
    let cart_id = CartId::new(key_of(event));
    for cart in decode::<CartEvent>(event)? {
        let at = match cart {
            CartEvent::Opened { expires_at, .. }
            | CartEvent::ItemAdded { expires_at, .. }
            | CartEvent::QuantitySet { expires_at, .. }
            | CartEvent::ItemRemoved { expires_at, .. }
            | CartEvent::CurrencyChanged { expires_at, .. }
            | CartEvent::Repriced { expires_at, .. }
            | CartEvent::Merged { expires_at, .. }
            | CartEvent::CheckoutReleased { expires_at, .. } => Some(expires_at),
            CartEvent::MergedInto { .. } | CartEvent::Expired { .. } => None,
            CartEvent::CheckoutStarted { .. } | CartEvent::CheckoutCompleted { .. } => continue,
        };
        changes.carts.insert(cart_id, at);
    }
    Ok(())
}

fn checkout(changes: &mut Changes, event: &Recorded) -> Result<(), DecodeError> {
    let order_id = OrderId::new(key_of(event));
    for checkout in decode::<CheckoutEvent>(event)? {
        let at = match checkout {
            CheckoutEvent::Started { hold_expires_at, .. } => Some(hold_expires_at),
            CheckoutEvent::Ended { .. } => None,
            CheckoutEvent::Compensating { .. } => continue,
        };
        changes.holds.insert(order_id, at);
    }
    Ok(())
}

fn payment(changes: &mut Changes, event: &Recorded, grace: Duration) -> Result<(), DecodeError> {
    let payment_id = PaymentId::new(key_of(event));
    for payment in decode::<PaymentEvent>(event)? {
        let (key, at) = match payment {
            PaymentEvent::AuthorizationRequested { key, .. }
            | PaymentEvent::CaptureRequested { key, .. }
            | PaymentEvent::VoidRequested { key, .. }
            | PaymentEvent::RefundRequested { key, .. } => (key, Some(event.recorded + grace)),
            PaymentEvent::Authorized { key, .. }
            | PaymentEvent::AuthorizationDeclined { key, .. }
            | PaymentEvent::Captured { key, .. }
            | PaymentEvent::CaptureFailed { key, .. }
            | PaymentEvent::Voided { key, .. }
            | PaymentEvent::VoidFailed { key, .. }
            | PaymentEvent::Refunded { key, .. }
            | PaymentEvent::RefundFailed { key, .. } => (key, None),
            PaymentEvent::Initiated { .. }
            | PaymentEvent::AuthorizationExpired {}
            | PaymentEvent::RefundAdopted { .. } => continue,
        };
        changes.calls.insert(key, (payment_id, at));
    }
    Ok(())
}

fn webhook(changes: &mut Changes, event: &Recorded, retry: Duration) -> Result<(), DecodeError> {
    for webhook in decode::<WebhookEvent>(event)? {
        let at = match webhook {
            WebhookEvent::Parked { .. } => {
                Some(Waiting { at: event.recorded + retry, since: event.recorded })
            }
            WebhookEvent::Applied {} | WebhookEvent::Ignored { .. } => None,
            WebhookEvent::Received { .. } => continue,
        };
        changes.parked.insert(event.stream.key.to_string(), at);
    }
    Ok(())
}
