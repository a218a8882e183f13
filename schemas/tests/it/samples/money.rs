//! Payments, webhooks, idempotent requests.

use domain::Currency;
use domain::payment::PaymentEvent;
use schemas::{RawJson, RequestEvent, WebhookEvent};

use super::people::sealed;
use super::*;

pub(crate) fn samples() -> Vec<Sample> {
    let mut all = reserved();
    all.extend(taken());
    all.extend(given_back());
    all.extend(messages());
    all
}

const KEY: &str = "01920000-0000-7000-8000-000000000008:authorize:1";
const REFERENCE: &str = "pay_7Q2";

fn reserved() -> Vec<Sample> {
    let initiated = |payment_method_id| PaymentEvent::Initiated {
        payment_id: id(PAYMENT),
        order_id: id(ORDER),
        provider: "sandbox".into(),
        amount_minor: 3897,
        currency: Currency::GBP,
        payment_method_id,
        token: sealed(),
    };
    let authorized = |expires_at| PaymentEvent::Authorized {
        key: KEY.into(),
        amount_minor: 3897,
        provider_reference: REFERENCE.into(),
        expires_at,
    };
    vec![
        pair(initiated(Some(id(PAYMENT_METHOD))), initiated(None)),
        whole(PaymentEvent::AuthorizationRequested {
            key: KEY.into(),
            attempt: 1,
            amount_minor: 3897,
        }),
        pair(authorized(Some(at("23:00:00"))), authorized(None)),
        whole(PaymentEvent::AuthorizationDeclined {
            key: KEY.into(),
            decline_code: "insufficient_funds".into(),
        }),
        whole(PaymentEvent::AuthorizationExpired {}),
    ]
}

fn taken() -> Vec<Sample> {
    let key = || "01920000-0000-7000-8000-000000000008:capture:1".to_owned();
    let void_key = || "01920000-0000-7000-8000-000000000008:void:1".to_owned();
    vec![
        whole(PaymentEvent::CaptureRequested { key: key(), attempt: 1, amount_minor: 3897 }),
        whole(PaymentEvent::Captured {
            key: key(),
            amount_minor: 3897,
            provider_reference: REFERENCE.into(),
        }),
        whole(PaymentEvent::CaptureFailed { key: key(), failure_code: "expired".into() }),
        whole(PaymentEvent::VoidRequested { key: void_key(), attempt: 1 }),
        whole(PaymentEvent::Voided { key: void_key(), amount_minor: 3897 }),
        whole(PaymentEvent::VoidFailed {
            key: void_key(),
            failure_code: "already_captured".into(),
        }),
    ]
}

fn given_back() -> Vec<Sample> {
    let key = || {
        "01920000-0000-7000-8000-000000000008:refund:01920000-0000-7000-8000-00000000000a:1"
            .to_owned()
    };
    vec![
        whole(PaymentEvent::RefundRequested {
            refund_id: id(REFUND),
            key: key(),
            attempt: 1,
            amount_minor: 2998,
            reason: "return".into(),
        }),
        whole(PaymentEvent::Refunded {
            refund_id: id(REFUND),
            key: key(),
            amount_minor: 2998,
            provider_reference: REFERENCE.into(),
        }),
        whole(PaymentEvent::RefundFailed {
            refund_id: id(REFUND),
            key: key(),
            failure_code: "account_closed".into(),
        }),
        whole(PaymentEvent::RefundAdopted {
            refund_id: id(REFUND),
            amount_minor: 500,
            provider_reference: "re_19".into(),
        }),
    ]
}

fn messages() -> Vec<Sample> {
    let raw = |text: &str| RawJson::parse(text.to_owned()).unwrap();
    vec![
        whole(RequestEvent::Recorded {
            caller: "customer:7".into(),
            key: "3f1c".into(),
            digest: "sha256:9f86d081884c7d65".into(),
            outcome: raw(r#"{"status":201,"body":{"order_id":"8"}}"#),
        }),
        whole(WebhookEvent::Received {
            provider: "sandbox".into(),
            event_id: "evt_1".into(),
            event_type: "charge.captured".into(),
            payload: raw(r#"{"id":"evt_1","amount":3897}"#),
        }),
        whole(WebhookEvent::Applied {}),
        whole(WebhookEvent::Parked { reason: "no such payment".into() }),
        whole(WebhookEvent::Ignored { reason: "not about money".into() }),
    ]
}
