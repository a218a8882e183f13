//! The payment of an order, as its buyer and its support see it: amounts, no tokens.

use domain::payment::{PaymentEvent, PaymentStatus};
use domain::{Currency, OrderId, PaymentId, Timestamp};
use journal::Position;
use serde::{Deserialize, Serialize};

/// Amounts in minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PaymentView {
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    pub provider: String,
    pub currency: Currency,
    pub status: PaymentStatus,
    pub amount_minor: i64,
    pub authorized_minor: i64,
    pub captured_minor: i64,
    /// Authorized and free again, because it was voided or lapsed.
    pub voided_minor: i64,
    pub refunded_minor: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_expires_at: Option<Timestamp>,
    /// Why the provider declined, in its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decline_code: Option<String>,
    /// Position of the last event in this.
    pub revision: u64,
}

impl PaymentView {
    pub(super) fn fold(
        row: Option<Box<Self>>,
        event: &PaymentEvent,
        position: Position,
    ) -> Option<Box<Self>> {
        if let PaymentEvent::Initiated {
            payment_id,
            order_id,
            provider,
            amount_minor,
            currency,
            ..
        } = event
        {
            return Some(Box::new(Self {
                payment_id: *payment_id,
                order_id: *order_id,
                provider: provider.clone(),
                currency: *currency,
                status: PaymentStatus::Initiated,
                amount_minor: *amount_minor,
                authorized_minor: 0,
                captured_minor: 0,
                voided_minor: 0,
                refunded_minor: 0,
                authorization_expires_at: None,
                decline_code: None,
                revision: position.0,
            }));
        }
        let mut row = row?;
        row.apply(event);
        row.status = row.status_now();
        row.revision = position.0;
        Some(row)
    }

    fn apply(&mut self, event: &PaymentEvent) {
        let add = |sum: &mut i64, amount: &i64| *sum = sum.saturating_add(*amount);
        match event {
            PaymentEvent::Authorized { amount_minor, expires_at, .. } => {
                add(&mut self.authorized_minor, amount_minor);
                self.authorization_expires_at = *expires_at;
            }
            PaymentEvent::AuthorizationDeclined { decline_code, .. } => {
                self.decline_code = Some(decline_code.clone());
            }
            PaymentEvent::AuthorizationExpired {} => {
                let held = self.authorized_minor - self.captured_minor - self.voided_minor;
                add(&mut self.voided_minor, &held.max(0));
            }
            PaymentEvent::Captured { amount_minor, .. } => {
                add(&mut self.captured_minor, amount_minor);
            }
            PaymentEvent::Voided { amount_minor, .. } => add(&mut self.voided_minor, amount_minor),
            PaymentEvent::Refunded { amount_minor, .. }
            | PaymentEvent::RefundAdopted { amount_minor, .. } => {
                add(&mut self.refunded_minor, amount_minor);
            }
            PaymentEvent::Initiated { .. }
            | PaymentEvent::AuthorizationRequested { .. }
            | PaymentEvent::CaptureRequested { .. }
            | PaymentEvent::CaptureFailed { .. }
            | PaymentEvent::VoidRequested { .. }
            | PaymentEvent::VoidFailed { .. }
            | PaymentEvent::RefundRequested { .. }
            | PaymentEvent::RefundFailed { .. } => {}
        }
    }

    /// As `PaymentOnRecord::status`, from the same amounts.
    fn status_now(&self) -> PaymentStatus {
        if self.refunded_minor > 0 {
            if self.refunded_minor >= self.captured_minor {
                PaymentStatus::Refunded
            } else {
                PaymentStatus::PartiallyRefunded
            }
        } else if self.captured_minor > 0 {
            PaymentStatus::Captured
        } else if self.decline_code.is_some() {
            PaymentStatus::Failed
        } else if self.authorized_minor == 0 {
            PaymentStatus::Initiated
        } else if self.voided_minor >= self.authorized_minor {
            PaymentStatus::Voided
        } else {
            PaymentStatus::Authorized
        }
    }
}
