//! What the sandbox sends, when, and what survives.

#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use journal::{Journal, MemoryJournal};

use super::sandbox_tests::{TestTime, authorize, capture, gbp, reference_of};
use super::*;
use crate::standard_webhooks::{SignedHeaders, TOLERANCE_SECONDS, Verified, WebhookSecrets};

/// Answers with the statuses it was given, then with 200, and keeps what was delivered.
#[derive(Default)]
struct Inbox {
    statuses: Mutex<VecDeque<Result<u16, WebhookSinkError>>>,
    taken: Mutex<Vec<(SignedHeaders, PaymentWebhook)>>,
    attempts: Mutex<Vec<SignedHeaders>>,
}

#[async_trait]
impl WebhookSink for Inbox {
    async fn deliver(&self, headers: &SignedHeaders, body: &[u8]) -> Result<u16, WebhookSinkError> {
        self.attempts.lock().unwrap().push(headers.clone());
        let status = self.statuses.lock().unwrap().pop_front().unwrap_or(Ok(200))?;
        if status == 200 {
            let webhook = serde_json::from_slice(body).unwrap();
            self.taken.lock().unwrap().push((headers.clone(), webhook));
        }
        Ok(status)
    }
}

impl Inbox {
    fn kinds(&self) -> Vec<String> {
        self.taken.lock().unwrap().iter().map(|(_, webhook)| webhook.kind.clone()).collect()
    }

    async fn wait_for(&self, count: usize) {
        for _ in 0..2_000 {
            if self.taken.lock().unwrap().len() >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("{:?} instead of {count} webhooks", self.kinds());
    }
}

fn secrets() -> WebhookSecrets {
    WebhookSecrets::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()
}

fn sandbox(
    journal: &Arc<MemoryJournal>,
    timer: Arc<dyn Timer>,
    clock: Clock,
    inbox: &Arc<Inbox>,
) -> Arc<SandboxProvider> {
    let options = SandboxOptions {
        out_of_order_hold: Duration::from_millis(40),
        ..SandboxOptions::default()
    };
    let journal: Arc<dyn Journal> = journal.clone();
    let sink: Arc<dyn WebhookSink> = inbox.clone();
    let sandbox = SandboxProvider::new(journal, clock, timer, options).unwrap();
    Arc::new(sandbox.with_webhooks(sink, secrets()))
}

struct Setup {
    time: Arc<TestTime>,
    journal: Arc<MemoryJournal>,
    inbox: Arc<Inbox>,
    sandbox: Arc<SandboxProvider>,
}

/// `waits`: on the real timer, for what depends on the order in time.
fn setup(waits: bool) -> Setup {
    let (time, journal) = (TestTime::new(), Arc::new(MemoryJournal::new()));
    let inbox = Arc::new(Inbox::default());
    let timer: Arc<dyn Timer> = if waits { Arc::new(TokioTimer) } else { time.clone() };
    let sandbox = sandbox(&journal, timer, time.clock(), &inbox);
    Setup { time, journal, inbox, sandbox }
}

impl Setup {
    fn send(&self) -> tokio::task::JoinHandle<Result<(), journal::JournalError>> {
        let sandbox = Arc::clone(&self.sandbox);
        tokio::spawn(async move { sandbox.send_webhooks().await })
    }

    async fn pay(&self, token: &str) -> String {
        let reply = self.sandbox.authorize(authorize("a", 100, token)).await.unwrap();
        let reference = reference_of(&reply);
        self.sandbox.capture(capture("c", &reference, 100)).await.unwrap();
        reference
    }
}

#[tokio::test]
async fn plain_payments_send_none_and_a_refund_at_the_provider_sends_one() {
    let setup = setup(false);
    let sending = setup.send();
    let reference = setup.pay("tok_ok").await;
    let reply = setup.sandbox.refund_directly(&reference, gbp(30)).await.unwrap();
    setup.inbox.wait_for(1).await;
    let (headers, webhook) = setup.inbox.taken.lock().unwrap()[0].clone();
    assert_eq!(webhook.kind, "payment.refunded");
    assert_eq!(webhook.data.key, None, "nobody here asked for it");
    assert_eq!(webhook.data.amount_minor, 30);
    assert_eq!(webhook.data.provider_reference, reference_of(&reply));
    assert_eq!(webhook.data.payment_reference, reference);
    let body = serde_json::to_vec(&webhook).unwrap();
    let now = (setup.time.clock())();
    let verified = secrets().verify(&headers.received(), &body, now, TOLERANCE_SECONDS).unwrap();
    assert!(matches!(verified, Verified { id, .. } if id.starts_with("msg_")));
    setup.journal.close().await.unwrap();
    assert!(sending.await.unwrap().is_ok(), "closing the ledger ends the sender");
}

#[tokio::test]
async fn a_webhook_told_to_come_first_is_there_before_the_reply() {
    let setup = setup(false);
    setup.sandbox.authorize(authorize("a", 100, "tok_webhook_first")).await.unwrap();
    assert_eq!(setup.inbox.kinds(), ["payment.authorized"]);
}

#[tokio::test]
async fn a_webhook_told_to_come_twice_has_one_id() {
    let setup = setup(false);
    let _sending = setup.send();
    setup.pay("tok_webhook_twice").await;
    setup.inbox.wait_for(4).await;
    let taken = setup.inbox.taken.lock().unwrap();
    let mut ids: Vec<&str> = taken.iter().map(|(headers, _)| headers.id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids[0], ids[1]);
    assert_eq!(ids[2], ids[3]);
    assert_ne!(ids[1], ids[2]);
}

#[tokio::test]
async fn webhooks_out_of_order_tell_the_capture_first() {
    let setup = setup(true);
    let _sending = setup.send();
    setup.pay("tok_webhook_out_of_order").await;
    setup.inbox.wait_for(2).await;
    assert_eq!(setup.inbox.kinds(), ["payment.captured", "payment.authorized"]);
}

#[tokio::test]
async fn a_pending_answer_comes_by_webhook() {
    let setup = setup(false);
    let _sending = setup.send();
    let reply = setup.sandbox.authorize(authorize("a", 100, "tok_pending_60")).await.unwrap();
    assert_eq!(reply, GatewayReply::Pending);
    setup.inbox.wait_for(1).await;
    let (_, webhook) = setup.inbox.taken.lock().unwrap()[0].clone();
    assert_eq!(webhook.data.key.as_deref(), Some("a"));
    let known = setup.sandbox.lookup("a").await.unwrap().unwrap();
    assert_eq!(reference_of(&known), webhook.data.provider_reference);
}

#[tokio::test]
async fn a_declined_payment_is_told_with_its_code() {
    let setup = setup(false);
    setup.sandbox.rules().set_token(
        "tok_told",
        Behaviour {
            decline: Some(code::DECLINED.to_owned()),
            webhook: WebhookManner::BeforeReply,
            ..Behaviour::default()
        },
    );
    setup.sandbox.authorize(authorize("a", 100, "tok_told")).await.unwrap();
    let (_, webhook) = setup.inbox.taken.lock().unwrap()[0].clone();
    assert_eq!(webhook.kind, "payment.declined");
    assert_eq!(webhook.data.code.as_deref(), Some(code::DECLINED));
    assert_eq!(webhook.data.amount_minor, 100);
}

#[tokio::test]
async fn a_refused_webhook_is_tried_again_with_its_id_and_a_fresh_timestamp() {
    let setup = setup(false);
    let lost = WebhookSinkError("reset".to_owned());
    setup.inbox.statuses.lock().unwrap().extend([Ok(500), Err(lost), Ok(404)]);
    let _sending = setup.send();
    setup.sandbox.authorize(authorize("a", 100, "tok_webhook_after")).await.unwrap();
    setup.inbox.wait_for(1).await;
    let attempts = setup.inbox.attempts.lock().unwrap();
    assert_eq!(attempts.len(), 4);
    assert!(attempts.iter().all(|headers| headers.id == attempts[0].id));
    assert_ne!(attempts[3].timestamp, attempts[0].timestamp);
}

#[tokio::test]
async fn a_webhook_owed_at_a_crash_is_sent_after_the_restart_and_then_no_more() {
    let setup = setup(false);
    setup.pay("tok_webhook_after").await;
    assert!(setup.inbox.kinds().is_empty(), "no sender ran");
    let sending = setup.send();
    setup.inbox.wait_for(2).await;
    // Until the cursor is saved.
    let cursor =
        journal::StreamId::of_text(journal::Category::from_static("webhook_cursor"), "sandbox");
    while setup.journal.stream_version(&cursor).await.unwrap() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    sending.abort();
    let _ = sending.await;
    let again = sandbox(&setup.journal, setup.time.clone(), setup.time.clock(), &setup.inbox);
    let running = Arc::clone(&again);
    let _sending = tokio::spawn(async move { running.send_webhooks().await });
    again.authorize(authorize("b", 100, "tok_webhook_after")).await.unwrap();
    setup.inbox.wait_for(3).await;
    assert_eq!(setup.inbox.kinds().len(), 3, "only the new one");
}
