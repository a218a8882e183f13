//! Payments. Their later events do not say which order and currency they are about: the first does.

use domain::payment::PaymentEvent;
use domain::{Currency, OrderId, PaymentId};
use journal::Recorded;
use schemas::public::PublicData;
use schemas::public::money::{
    PaymentExpired, PaymentFailed, PaymentMoved, PaymentRefunded, RefundFailed,
};
use schemas::{DecodeError, StoredEvent};
use uuid::Uuid;

/// What a payment's first event says and none changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentFacts {
    pub order_id: OrderId,
    pub currency: Currency,
    pub provider: String,
}

impl PaymentFacts {
    /// Reads them from the first event of a payment's stream; `None` if it is another event.
    pub fn of(event: &Recorded) -> Result<Option<Self>, DecodeError> {
        let event_type = event.event_type.as_str();
        if event_type != "payment.initiated" {
            return Ok(None);
        }
        Ok(match PaymentEvent::decode(event_type, event.schema_version, &event.payload)? {
            PaymentEvent::Initiated { order_id, currency, provider, .. } => {
                Some(Self { order_id, currency, provider })
            }
            _ => None,
        })
    }
}

pub(super) fn payment(key: Uuid, event: PaymentEvent, facts: &PaymentFacts) -> Option<PublicData> {
    let payment_id = PaymentId::new(key);
    let PaymentFacts { order_id, currency, .. } = *facts;
    let provider = facts.provider.clone();
    let moved = |amount_minor, provider_reference| PaymentMoved {
        payment_id,
        order_id,
        provider: provider.clone(),
        currency,
        amount_minor,
        provider_reference,
    };
    let failed = |provider_code| PaymentFailed {
        payment_id,
        order_id,
        provider: provider.clone(),
        provider_code,
    };
    let refunded = |refund_id, amount_minor, provider_reference, made_at_provider| {
        PublicData::PaymentRefunded(PaymentRefunded {
            payment_id,
            order_id,
            refund_id,
            provider: provider.clone(),
            currency,
            amount_minor,
            provider_reference,
            made_at_provider,
        })
    };
    Some(match event {
        PaymentEvent::Authorized { amount_minor, provider_reference, .. } => {
            PublicData::PaymentAuthorized(moved(amount_minor, Some(provider_reference)))
        }
        PaymentEvent::AuthorizationDeclined { decline_code, .. } => {
            PublicData::PaymentDeclined(failed(decline_code))
        }
        PaymentEvent::AuthorizationExpired {} => PublicData::PaymentExpired(PaymentExpired {
            payment_id,
            order_id,
            provider: provider.clone(),
        }),
        PaymentEvent::Captured { amount_minor, provider_reference, .. } => {
            PublicData::PaymentCaptured(moved(amount_minor, Some(provider_reference)))
        }
        PaymentEvent::CaptureFailed { failure_code, .. } => {
            PublicData::PaymentCaptureFailed(failed(failure_code))
        }
        PaymentEvent::Voided { amount_minor, .. } => {
            PublicData::PaymentVoided(moved(amount_minor, None))
        }
        // The same refund was adopted before: no more money moved, and that has been told.
        PaymentEvent::Refunded { amount_minor: 0, .. } => return None,
        PaymentEvent::Refunded { refund_id, amount_minor, provider_reference, .. } => {
            refunded(refund_id, amount_minor, provider_reference, false)
        }
        PaymentEvent::RefundAdopted { refund_id, amount_minor, provider_reference } => {
            refunded(refund_id, amount_minor, provider_reference, true)
        }
        PaymentEvent::RefundFailed { refund_id, failure_code, .. } => {
            PublicData::PaymentRefundFailed(RefundFailed {
                payment_id,
                order_id,
                refund_id,
                provider: provider.clone(),
                provider_code: failure_code,
            })
        }
        PaymentEvent::Initiated { .. }
        | PaymentEvent::AuthorizationRequested { .. }
        | PaymentEvent::CaptureRequested { .. }
        | PaymentEvent::VoidRequested { .. }
        | PaymentEvent::VoidFailed { .. }
        | PaymentEvent::RefundRequested { .. } => return None,
    })
}
