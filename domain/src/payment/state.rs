//! The folded state of a payment.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{IdempotencyKey, Operation, PaymentEvent, ProviderOutcome};
use crate::{Currency, OrderId, PaymentId, RefundId, Sealed, Timestamp};

/// One intent and what became of it; `None` is unknown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    pub operation: Operation,
    pub amount_minor: i64,
    pub refund_id: Option<RefundId>,
    pub outcome: Option<ProviderOutcome>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PaymentOnRecord {
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    pub provider: String,
    pub currency: Currency,
    pub amount_minor: i64,
    pub token: Sealed,
    pub authorized_minor: i64,
    pub captured_minor: i64,
    /// Authorized and free again, because it was voided or lapsed.
    pub voided_minor: i64,
    pub refunded_minor: i64,
    pub authorization_expires_at: Option<Timestamp>,
    pub attempts: BTreeMap<IdempotencyKey, Attempt>,
    /// Provider references of refunds on record.
    pub refund_references: BTreeSet<String>,
    /// Refunds taken over from the provider, and their amounts.
    pub adopted_refunds: BTreeMap<RefundId, i64>,
    pub failed: bool,
}

/// `None` until initiated.
pub type PaymentState = Option<Box<PaymentOnRecord>>;

impl PaymentOnRecord {
    fn requested(
        &mut self,
        key: &str,
        operation: Operation,
        amount_minor: i64,
        refund_id: Option<RefundId>,
    ) {
        let attempt = Attempt { operation, amount_minor, refund_id, outcome: None };
        self.attempts.insert(key.to_owned(), attempt);
    }

    fn succeeded(
        &mut self,
        key: &str,
        amount_minor: i64,
        provider_reference: &str,
        expires_at: Option<Timestamp>,
    ) {
        if let Some(attempt) = self.attempts.get_mut(key) {
            attempt.outcome = Some(ProviderOutcome::Succeeded {
                amount_minor,
                provider_reference: provider_reference.to_owned(),
                expires_at,
            });
        }
    }

    fn failed(&mut self, key: &str, code: &str) {
        if let Some(attempt) = self.attempts.get_mut(key) {
            attempt.outcome = Some(ProviderOutcome::Failed { code: code.to_owned() });
        }
    }
}

pub(super) fn evolve(state: &mut PaymentState, event: &PaymentEvent) {
    if let PaymentEvent::Initiated {
        payment_id,
        order_id,
        provider,
        amount_minor,
        currency,
        payment_method_id: _,
        token,
    } = event
    {
        *state = Some(Box::new(PaymentOnRecord {
            payment_id: *payment_id,
            order_id: *order_id,
            provider: provider.clone(),
            currency: *currency,
            amount_minor: *amount_minor,
            token: token.clone(),
            authorized_minor: 0,
            captured_minor: 0,
            voided_minor: 0,
            refunded_minor: 0,
            authorization_expires_at: None,
            attempts: BTreeMap::new(),
            refund_references: BTreeSet::new(),
            adopted_refunds: BTreeMap::new(),
            failed: false,
        }));
    } else if let Some(payment) = state {
        apply(payment, event);
    }
}

fn apply(payment: &mut PaymentOnRecord, event: &PaymentEvent) {
    let add = |sum: &mut i64, amount: i64| *sum = sum.saturating_add(amount);
    match event {
        PaymentEvent::Initiated { .. } => {}
        PaymentEvent::AuthorizationRequested { key, amount_minor, .. } => {
            payment.requested(key, Operation::Authorize, *amount_minor, None)
        }
        PaymentEvent::Authorized { key, amount_minor, provider_reference, expires_at } => {
            payment.succeeded(key, *amount_minor, provider_reference, *expires_at);
            add(&mut payment.authorized_minor, *amount_minor);
            payment.authorization_expires_at = *expires_at;
        }
        PaymentEvent::AuthorizationDeclined { key, decline_code } => {
            payment.failed(key, decline_code);
            payment.failed = true;
        }
        PaymentEvent::AuthorizationExpired {} => {
            let held = payment.held_minor();
            add(&mut payment.voided_minor, held);
        }
        PaymentEvent::CaptureRequested { key, amount_minor, .. } => {
            payment.requested(key, Operation::Capture, *amount_minor, None)
        }
        PaymentEvent::Captured { key, amount_minor, provider_reference } => {
            payment.succeeded(key, *amount_minor, provider_reference, None);
            add(&mut payment.captured_minor, *amount_minor);
        }
        PaymentEvent::CaptureFailed { key, failure_code }
        | PaymentEvent::VoidFailed { key, failure_code }
        | PaymentEvent::RefundFailed { key, failure_code, .. } => payment.failed(key, failure_code),
        PaymentEvent::VoidRequested { key, .. } => {
            let held = payment.held_minor();
            payment.requested(key, Operation::Void, held, None);
        }
        PaymentEvent::Voided { key, amount_minor } => {
            payment.succeeded(key, *amount_minor, "", None);
            add(&mut payment.voided_minor, *amount_minor);
        }
        PaymentEvent::RefundRequested { refund_id, key, amount_minor, .. } => {
            payment.requested(key, Operation::Refund, *amount_minor, Some(*refund_id))
        }
        PaymentEvent::Refunded { key, amount_minor, provider_reference, .. } => {
            payment.succeeded(key, *amount_minor, provider_reference, None);
            add(&mut payment.refunded_minor, *amount_minor);
            payment.refund_references.insert(provider_reference.clone());
        }
        PaymentEvent::RefundAdopted { refund_id, amount_minor, provider_reference } => {
            add(&mut payment.refunded_minor, *amount_minor);
            payment.refund_references.insert(provider_reference.clone());
            payment.adopted_refunds.insert(*refund_id, *amount_minor);
        }
    }
}
