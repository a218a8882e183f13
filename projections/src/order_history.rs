//! What happened to an order, in order: its own events and those of its checkout, payment,
//! shipments and returns, each with who did it and one line for people.
//!
//! An entry is filed under its order, or under its payment: most payment events do not name
//! their order. An entry that names a payment links the two.

mod summary;

use crate::sql::{Connection, params};
use domain::checkout::CheckoutEvent;
use domain::order::OrderEvent;
use domain::product_return::ReturnEvent;
use domain::shipment::ShipmentEvent;
use domain::{OrderId, PaymentId, Timestamp};
use journal::Position;
use schemas::AnyEvent;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::id_column::{optional_id, stream_id};
use crate::{Envelope, Projector, ReadModels, StoreError};

/// One thing that happened. The whole event is in the journal at `position`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryEntry {
    pub position: Position,
    /// The stored type name, such as `order.placed`.
    pub event_type: String,
    pub occurred_at: Timestamp,
    /// Who did it, as far as the event's metadata say.
    pub actor: Option<String>,
    /// One line for people.
    pub summary: String,
}

/// Everything on record about an order, oldest first; nothing for an unknown order.
///
/// # Errors
/// The store's.
pub fn history(models: &ReadModels, order: OrderId) -> Result<Vec<HistoryEntry>, StoreError> {
    models.read(OrderHistory::NAME, |connection| {
        let mut entries = Vec::new();
        let payments = read(connection, order.uuid(), &mut entries)?;
        for payment in payments {
            read(connection, payment, &mut entries)?;
        }
        entries.sort_by_key(|entry| entry.position);
        Ok(entries)
    })
}

/// Adds the entries under `subject`; returns the payments they name, each once.
fn read(
    connection: &Connection,
    subject: Uuid,
    entries: &mut Vec<HistoryEntry>,
) -> Result<Vec<Uuid>, StoreError> {
    let mut payments: Vec<Uuid> = Vec::new();
    let mut statement = connection.prepare_cached(
        "SELECT position, type, occurred_us, actor, summary, payment FROM entries
         WHERE subject = ?1 ORDER BY position",
    )?;
    let mut rows = statement.query([subject.as_bytes()])?;
    while let Some(row) = rows.next()? {
        entries.push(HistoryEntry {
            position: Position(row.get(0)?),
            event_type: row.get(1)?,
            occurred_at: Timestamp::from_timestamp_micros(row.get(2)?).unwrap_or_default(),
            actor: row.get(3)?,
            summary: row.get(4)?,
        });
        if let Some(payment) = optional_id::<Uuid>(&row, 5)?.filter(|id| !payments.contains(id)) {
            payments.push(payment);
        }
    }
    Ok(payments)
}

/// The model; see the module.
#[derive(Debug)]
pub struct OrderHistory;

/// An entry's place: the order's or payment's id, and the event's position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryKey {
    subject: Uuid,
    position: u64,
}

#[derive(Debug, Clone)]
pub struct EntryRow {
    event_type: &'static str,
    occurred_us: i64,
    actor: Option<String>,
    summary: String,
    payment: Option<PaymentId>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    actor: Option<String>,
}

impl Projector for OrderHistory {
    type Key = EntryKey;
    type Row = EntryRow;

    const NAME: &'static str = "order_history";
    const VERSION: u32 = 1;
    /// Entries are written once and never again.
    const CACHED_ROWS: usize = 0;

    fn follows(category: &str) -> bool {
        matches!(category, "order" | "payment" | "shipment" | "return" | "checkout")
    }

    fn create_tables(connection: &Connection) -> Result<(), StoreError> {
        connection.execute_batch(
            "CREATE TABLE entries (
                 subject BLOB NOT NULL, position INTEGER NOT NULL, type TEXT NOT NULL,
                 occurred_us INTEGER NOT NULL, actor TEXT, summary TEXT NOT NULL, payment BLOB,
                 PRIMARY KEY (subject, position)) WITHOUT ROWID;",
        )?;
        Ok(())
    }

    fn keys(event: &Envelope, keys: &mut Vec<EntryKey>) {
        let subject = match &event.event {
            AnyEvent::Order(_) | AnyEvent::Payment(_) | AnyEvent::Checkout(_) => stream_id(event),
            AnyEvent::Shipment(
                ShipmentEvent::Dispatched { order_id, .. }
                | ShipmentEvent::Delivered { order_id, .. },
            )
            | AnyEvent::Return(
                ReturnEvent::Requested { order_id, .. }
                | ReturnEvent::Received { order_id, .. }
                | ReturnEvent::Rejected { order_id, .. },
            ) => Some(order_id.uuid()),
            _ => None,
        };
        keys.extend(subject.map(|subject| EntryKey { subject, position: event.position.0 }));
    }

    fn fold(_: &EntryKey, row: Option<EntryRow>, event: &Envelope) -> Option<EntryRow> {
        let Some(summary) = summary::of(&event.event) else {
            return row;
        };
        let payment = match &event.event {
            AnyEvent::Order(OrderEvent::Placed(placed)) => placed.payment_id,
            AnyEvent::Checkout(CheckoutEvent::Started { payment_id, .. }) => Some(*payment_id),
            _ => None,
        };
        let metadata = serde_json::from_str::<Metadata>(&event.metadata).ok();
        Some(EntryRow {
            event_type: event.event_type,
            occurred_us: event.occurred.timestamp_micros(),
            actor: metadata.and_then(|metadata| metadata.actor),
            summary,
            payment,
        })
    }

    /// A position comes once, so there is never an entry to load.
    fn load(_: &Connection, _: &EntryKey) -> Result<Option<EntryRow>, StoreError> {
        Ok(None)
    }

    fn save(
        connection: &Connection,
        key: &EntryKey,
        _: Option<&EntryRow>,
        after: Option<&EntryRow>,
    ) -> Result<(), StoreError> {
        let Some(entry) = after else { return Ok(()) };
        connection
            .prepare_cached(
                "INSERT INTO entries VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (subject, position) DO UPDATE SET
                     type = excluded.type, occurred_us = excluded.occurred_us,
                     actor = excluded.actor, summary = excluded.summary,
                     payment = excluded.payment",
            )?
            .execute(params![
                key.subject.as_bytes(),
                key.position,
                entry.event_type,
                entry.occurred_us,
                entry.actor,
                entry.summary,
                entry.payment.map(|id| id.uuid().into_bytes()),
            ])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{self, Teller};
    use crate::{Directory, Options, Registration, Runner};
    use journal::{Journal, MemoryJournal};
    use std::sync::Arc;

    #[tokio::test]
    async fn an_orders_history_is_complete_in_order_and_says_who() {
        let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
        let mut teller = Teller::new(Arc::clone(&journal));
        for number in [1, 2] {
            teller.tell(story::bought(number, 2)).await;
            teller.tell(story::delivered(number, 2)).await;
            teller.tell(story::returned(number, 2)).await;
        }
        let models = [Registration::of::<OrderHistory>()];
        let mut runner =
            Runner::open(journal, &Directory::in_memory(), &models, Options::default()).unwrap();
        while runner.run_once(5).await.unwrap().events > 0 {}
        let entries = history(&runner.read_models(), story::order(2)).unwrap();
        let types: Vec<&str> = entries.iter().map(|entry| entry.event_type.as_str()).collect();
        assert_eq!(
            types,
            [
                "order.placed",
                "payment.initiated",
                "payment.authorization_requested",
                "checkout.started",
                "payment.authorized",
                "payment.capture_requested",
                "payment.captured",
                "order.confirmed",
                "checkout.ended",
                "order.processing_started",
                "order.lines_shipped",
                "order.shipped",
                "shipment.dispatched",
                "shipment.delivered",
                "order.lines_delivered",
                "order.delivered",
                "return.requested",
                "return.received",
                "order.lines_returned",
                "order.returned",
                "payment.refunded",
            ]
        );
        assert!(entries.iter().all(|entry| entry.actor.as_deref() == Some("customer:7")));
        assert_eq!(entries[0].summary, "placed with 2 lines, 99.95 GBP");
        assert!(history(&runner.read_models(), story::order(9)).unwrap().is_empty());
    }
}
