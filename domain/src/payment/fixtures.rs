//! Payments for tests: 1000 pence for order 1.

use super::{
    IdempotencyKey, Operation, Payment, PaymentCommand, PaymentEvent, PaymentOnRecord,
    ProviderOutcome,
};
use crate::testing::{Given, given, id};
use crate::{Currency, Sealed};

pub(super) const AMOUNT: i64 = 1_000;
const ORDER: &str = "00000000-0000-0000-0000-000000000001";

pub(super) fn initiate() -> PaymentCommand {
    PaymentCommand::Initiate {
        payment_id: id(5),
        order_id: id(1),
        provider: "sandbox".to_owned(),
        amount_minor: AMOUNT,
        currency: Currency::GBP,
        payment_method_id: Some(id(4)),
        token: Sealed::from_ciphertext("sealed".to_owned()),
    }
}

/// The key of an attempt, spelled out: the format is a promise to providers.
pub(super) fn key(operation: &str, attempt: u32) -> IdempotencyKey {
    format!("{ORDER}:{operation}:{attempt}")
}

pub(super) fn refund_key(refund: u128, attempt: u32) -> IdempotencyKey {
    format!("{ORDER}:refund:00000000-0000-0000-0000-{refund:012x}:{attempt}")
}

pub(super) fn initiated_events() -> [PaymentEvent; 2] {
    [
        PaymentEvent::Initiated {
            payment_id: id(5),
            order_id: id(1),
            provider: "sandbox".to_owned(),
            amount_minor: AMOUNT,
            currency: Currency::GBP,
            payment_method_id: Some(id(4)),
            token: Sealed::from_ciphertext("sealed".to_owned()),
        },
        PaymentEvent::AuthorizationRequested {
            key: key("authorize", 1),
            attempt: 1,
            amount_minor: AMOUNT,
        },
    ]
}

pub(super) fn authorized_event() -> PaymentEvent {
    PaymentEvent::Authorized {
        key: key("authorize", 1),
        amount_minor: AMOUNT,
        provider_reference: "auth_1".to_owned(),
        expires_at: None,
    }
}

pub(super) fn capture_requested(attempt: u32) -> PaymentEvent {
    PaymentEvent::CaptureRequested { key: key("capture", attempt), attempt, amount_minor: AMOUNT }
}

pub(super) fn captured_event() -> PaymentEvent {
    PaymentEvent::Captured {
        key: key("capture", 1),
        amount_minor: AMOUNT,
        provider_reference: "cap_1".to_owned(),
    }
}

pub(super) fn refund_requested(refund: u128, attempt: u32, amount_minor: i64) -> PaymentEvent {
    PaymentEvent::RefundRequested {
        refund_id: id(refund),
        key: refund_key(refund, attempt),
        attempt,
        amount_minor,
        reason: "damaged".to_owned(),
    }
}

pub(super) fn adopted(refund: u128, amount_minor: i64, reference: &str) -> PaymentEvent {
    PaymentEvent::RefundAdopted {
        refund_id: id(refund),
        amount_minor,
        provider_reference: reference.to_owned(),
    }
}

/// Its authorization is unknown.
pub(super) fn initiated() -> Given<Payment> {
    given::<Payment>(initiated_events())
}

pub(super) fn authorized() -> Given<Payment> {
    initiated().and([authorized_event()])
}

pub(super) fn captured() -> Given<Payment> {
    authorized().and([capture_requested(1), captured_event()])
}

pub(super) fn declined() -> Given<Payment> {
    initiated().and([PaymentEvent::AuthorizationDeclined {
        key: key("authorize", 1),
        decline_code: "insufficient_funds".to_owned(),
    }])
}

pub(super) fn refund(refund: u128, amount_minor: i64) -> PaymentCommand {
    PaymentCommand::RequestRefund {
        refund_id: id(refund),
        amount_minor,
        reason: "damaged".to_owned(),
    }
}

pub(super) fn adopt(refund: u128, amount_minor: i64, reference: &str) -> PaymentCommand {
    PaymentCommand::AdoptRefund {
        refund_id: id(refund),
        amount_minor,
        provider_reference: reference.to_owned(),
    }
}

pub(super) fn success(
    operation: Operation,
    key: IdempotencyKey,
    amount_minor: i64,
    reference: &str,
) -> PaymentCommand {
    PaymentCommand::RecordOutcome {
        operation,
        key,
        outcome: ProviderOutcome::Succeeded {
            amount_minor,
            provider_reference: reference.to_owned(),
            expires_at: None,
        },
    }
}

pub(super) fn failure(operation: Operation, key: IdempotencyKey) -> PaymentCommand {
    PaymentCommand::RecordOutcome {
        operation,
        key,
        outcome: ProviderOutcome::Failed { code: "refused".to_owned() },
    }
}

pub(super) fn on_record(given: &Given<Payment>) -> &PaymentOnRecord {
    given.state().as_deref().unwrap()
}
