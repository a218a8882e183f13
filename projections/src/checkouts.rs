//! Checkouts in flight: what each one waits for. A row is gone when its checkout has ended.
//!
//! Calls to a payment provider that have no answer yet are kept under the payment, which most of
//! its events name alone.

use std::collections::BTreeSet;

use crate::sql::{Connection, OptionalExtension, params};
use domain::checkout::{CheckoutEvent, CheckoutOutcome};
use domain::order::OrderEndReason;
use domain::payment::{IdempotencyKey, PaymentEvent};
use domain::{CartId, OrderId, PaymentId, Timestamp};
use schemas::AnyEvent;
use serde::{Deserialize, Serialize};

use crate::id_column::stream_id;
use crate::{Envelope, Projector, ReadModels, StoreError};

/// A checkout that has not ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckoutInFlight {
    pub order_id: OrderId,
    pub cart_id: CartId,
    pub payment_id: PaymentId,
    pub started_at: Timestamp,
    /// When its holds end unless the money is certain or unknown by then.
    pub hold_expires_at: Timestamp,
    /// Calls to the provider of which nobody knows the outcome.
    pub unknown: BTreeSet<IdempotencyKey>,
    /// Why it is being taken back, and how it is to end.
    pub compensating: Option<(OrderEndReason, CheckoutOutcome)>,
}

/// Checkouts in flight that were started at `older_than` or before, the oldest first, at most
/// `limit`.
///
/// # Errors
/// The store's.
pub fn in_flight(
    models: &ReadModels,
    older_than: Timestamp,
    limit: usize,
) -> Result<Vec<CheckoutInFlight>, StoreError> {
    models.read(Checkouts::NAME, |connection| {
        let mut statement = connection.prepare_cached(
            "SELECT checkout FROM checkouts WHERE started_us <= ?1
             ORDER BY started_us, order_id LIMIT ?2",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![older_than.timestamp_micros(), limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(complete(connection, &row.get::<String>(0)?)?);
        }
        Ok(found)
    })
}

/// The checkout of this order, while it is in flight.
///
/// # Errors
/// The store's.
pub fn by_order(
    models: &ReadModels,
    order: OrderId,
) -> Result<Option<CheckoutInFlight>, StoreError> {
    models.read(Checkouts::NAME, |connection| {
        let text = text(connection, &CheckoutKey::Checkout(order))?;
        text.map(|text| complete(connection, &text)).transpose()
    })
}

fn complete(connection: &Connection, text: &str) -> Result<CheckoutInFlight, StoreError> {
    let started: Started = serde_json::from_str(text)?;
    let unknown = self::text(connection, &CheckoutKey::Payment(started.payment_id))?;
    Ok(CheckoutInFlight {
        order_id: started.order_id,
        cart_id: started.cart_id,
        payment_id: started.payment_id,
        started_at: started.started_at,
        hold_expires_at: started.hold_expires_at,
        unknown: unknown.map(|keys| serde_json::from_str(&keys)).transpose()?.unwrap_or_default(),
        compensating: started.compensating,
    })
}

/// The model; see the module.
#[derive(Debug)]
pub struct Checkouts;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckoutKey {
    Checkout(OrderId),
    Payment(PaymentId),
}

#[derive(Debug, Clone)]
pub struct CheckoutRow(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Checkout(Box<Started>),
    Unknown(BTreeSet<IdempotencyKey>),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Started {
    order_id: OrderId,
    cart_id: CartId,
    payment_id: PaymentId,
    started_at: Timestamp,
    hold_expires_at: Timestamp,
    compensating: Option<(OrderEndReason, CheckoutOutcome)>,
}

impl Projector for Checkouts {
    type Key = CheckoutKey;
    type Row = CheckoutRow;

    const NAME: &'static str = "checkouts";
    const VERSION: u32 = 1;

    fn follows(category: &str) -> bool {
        matches!(category, "checkout" | "payment")
    }

    fn create_tables(connection: &Connection) -> Result<(), StoreError> {
        connection.execute_batch(
            "CREATE TABLE checkouts (
                 order_id BLOB PRIMARY KEY, started_us INTEGER NOT NULL, checkout TEXT NOT NULL)
                 WITHOUT ROWID;
             CREATE INDEX checkouts_by_start ON checkouts (started_us, order_id);
             CREATE TABLE unknown (payment_id BLOB PRIMARY KEY, keys TEXT NOT NULL) WITHOUT ROWID;",
        )?;
        Ok(())
    }

    fn keys(event: &Envelope, keys: &mut Vec<CheckoutKey>) {
        match &event.event {
            AnyEvent::Checkout(_) => keys.extend(stream_id(event).map(CheckoutKey::Checkout)),
            AnyEvent::Payment(payment) if call(payment).is_some() => {
                keys.extend(stream_id(event).map(CheckoutKey::Payment));
            }
            _ => {}
        }
    }

    fn fold(_: &CheckoutKey, row: Option<CheckoutRow>, event: &Envelope) -> Option<CheckoutRow> {
        match &event.event {
            AnyEvent::Checkout(checkout) => fold_checkout(row, checkout, event.occurred),
            AnyEvent::Payment(payment) => fold_payment(row, payment),
            _ => row,
        }
    }

    fn load(connection: &Connection, key: &CheckoutKey) -> Result<Option<CheckoutRow>, StoreError> {
        let Some(text) = text(connection, key)? else {
            return Ok(None);
        };
        Ok(Some(CheckoutRow(match key {
            CheckoutKey::Checkout(_) => Kind::Checkout(serde_json::from_str(&text)?),
            CheckoutKey::Payment(_) => Kind::Unknown(serde_json::from_str(&text)?),
        })))
    }

    fn save(
        connection: &Connection,
        key: &CheckoutKey,
        before: Option<&CheckoutRow>,
        after: Option<&CheckoutRow>,
    ) -> Result<(), StoreError> {
        match (key, after.map(|row| &row.0)) {
            (CheckoutKey::Checkout(order), Some(Kind::Checkout(started))) => {
                connection
                    .prepare_cached(
                        "INSERT INTO checkouts VALUES (?1, ?2, ?3)
                         ON CONFLICT (order_id) DO UPDATE SET checkout = excluded.checkout",
                    )?
                    .execute(params![
                        order.uuid().as_bytes(),
                        started.started_at.timestamp_micros(),
                        serde_json::to_string(started)?
                    ])?;
            }
            (CheckoutKey::Payment(payment), Some(Kind::Unknown(keys))) => {
                connection
                    .prepare_cached(
                        "INSERT INTO unknown VALUES (?1, ?2)
                         ON CONFLICT (payment_id) DO UPDATE SET keys = excluded.keys",
                    )?
                    .execute(params![payment.uuid().as_bytes(), serde_json::to_string(keys)?])?;
            }
            // Most begin and end within one batch and never touch the file.
            _ if before.is_none() => {}
            (CheckoutKey::Checkout(order), _) => {
                connection
                    .prepare_cached("DELETE FROM checkouts WHERE order_id = ?1")?
                    .execute([order.uuid().as_bytes()])?;
            }
            (CheckoutKey::Payment(payment), _) => {
                connection
                    .prepare_cached("DELETE FROM unknown WHERE payment_id = ?1")?
                    .execute([payment.uuid().as_bytes()])?;
            }
        }
        Ok(())
    }
}

fn fold_checkout(
    row: Option<CheckoutRow>,
    event: &CheckoutEvent,
    occurred: Timestamp,
) -> Option<CheckoutRow> {
    let row = row.and_then(|row| match row.0 {
        Kind::Checkout(started) => Some(started),
        Kind::Unknown(_) => None,
    });
    let row = match event {
        CheckoutEvent::Started { order_id, cart_id, payment_id, hold_expires_at, .. } => {
            Some(Box::new(Started {
                order_id: *order_id,
                cart_id: *cart_id,
                payment_id: *payment_id,
                started_at: occurred,
                hold_expires_at: *hold_expires_at,
                compensating: None,
            }))
        }
        CheckoutEvent::Compensating { reason, outcome } => row.map(|mut started| {
            started.compensating = Some((reason.clone(), *outcome));
            started
        }),
        CheckoutEvent::Ended { .. } => None,
    };
    row.map(|started| CheckoutRow(Kind::Checkout(started)))
}

/// A row ends with its last unanswered call, whether or not the checkout has ended by then.
fn fold_payment(row: Option<CheckoutRow>, event: &PaymentEvent) -> Option<CheckoutRow> {
    let mut keys = match row.map(|row| row.0) {
        Some(Kind::Unknown(keys)) => keys,
        Some(Kind::Checkout(_)) | None => BTreeSet::new(),
    };
    match call(event) {
        Some(Call::Asked(key)) => {
            keys.insert(key.clone());
        }
        Some(Call::Answered(key)) => {
            keys.remove(key);
        }
        None => {}
    }
    (!keys.is_empty()).then_some(CheckoutRow(Kind::Unknown(keys)))
}

enum Call<'a> {
    Asked(&'a IdempotencyKey),
    Answered(&'a IdempotencyKey),
}

fn call(event: &PaymentEvent) -> Option<Call<'_>> {
    match event {
        PaymentEvent::AuthorizationRequested { key, .. }
        | PaymentEvent::CaptureRequested { key, .. }
        | PaymentEvent::VoidRequested { key, .. }
        | PaymentEvent::RefundRequested { key, .. } => Some(Call::Asked(key)),
        PaymentEvent::Authorized { key, .. }
        | PaymentEvent::AuthorizationDeclined { key, .. }
        | PaymentEvent::Captured { key, .. }
        | PaymentEvent::CaptureFailed { key, .. }
        | PaymentEvent::Voided { key, .. }
        | PaymentEvent::VoidFailed { key, .. }
        | PaymentEvent::Refunded { key, .. }
        | PaymentEvent::RefundFailed { key, .. } => Some(Call::Answered(key)),
        PaymentEvent::Initiated { .. }
        | PaymentEvent::AuthorizationExpired {}
        | PaymentEvent::RefundAdopted { .. } => None,
    }
}

fn text(connection: &Connection, key: &CheckoutKey) -> Result<Option<String>, StoreError> {
    let (sql, id) = match key {
        CheckoutKey::Checkout(id) => {
            ("SELECT checkout FROM checkouts WHERE order_id = ?1", id.uuid())
        }
        CheckoutKey::Payment(id) => ("SELECT keys FROM unknown WHERE payment_id = ?1", id.uuid()),
    };
    connection.prepare_cached(sql)?.query_row([id.as_bytes()], |row| row.get(0)).optional()
}
