//! The sandbox held to the port's rules.

#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::payment::Operation;
use domain::{Currency, Money};
use futures::future::join_all;
use journal::{Journal, MemoryJournal};
use uuid::Uuid;

use super::*;

/// A clock that sleeping moves on, so that no test waits.
pub(super) struct TestTime(AtomicI64);

impl TestTime {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_767_225_600_000)))
    }

    pub(super) fn clock(self: &Arc<Self>) -> Clock {
        let time = Arc::clone(self);
        Arc::new(move || DateTime::from_timestamp_millis(time.millis()).unwrap())
    }

    fn millis(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn advance(&self, duration: Duration) {
        let millis = i64::try_from(duration.as_millis()).unwrap();
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

#[async_trait]
impl Timer for TestTime {
    async fn sleep(&self, duration: Duration) {
        self.advance(duration);
        tokio::task::yield_now().await;
    }
}

struct Setup {
    time: Arc<TestTime>,
    journal: Arc<MemoryJournal>,
    sandbox: SandboxProvider,
}

fn setup() -> Setup {
    let time = TestTime::new();
    let journal = Arc::new(MemoryJournal::new());
    let sandbox = sandbox_over(&journal, &time);
    Setup { time, journal, sandbox }
}

fn sandbox_over(journal: &Arc<MemoryJournal>, time: &Arc<TestTime>) -> SandboxProvider {
    let journal: Arc<dyn Journal> = journal.clone();
    let timer: Arc<dyn Timer> = time.clone();
    SandboxProvider::new(journal, time.clock(), timer, SandboxOptions::default()).unwrap()
}

pub(super) fn gbp(minor: i64) -> Money {
    Money::new(minor, Currency::GBP)
}

pub(super) fn authorize(key: &str, amount_minor: i64, token: &str) -> AuthorizeRequest {
    AuthorizeRequest {
        key: key.to_owned(),
        order_id: OrderId::new(Uuid::from_u128(1)),
        payment_id: PaymentId::new(Uuid::from_u128(2)),
        amount: gbp(amount_minor),
        token: token.to_owned(),
    }
}

pub(super) fn capture(key: &str, reference: &str, amount_minor: i64) -> CaptureRequest {
    CaptureRequest {
        key: key.to_owned(),
        provider_reference: reference.to_owned(),
        amount: gbp(amount_minor),
    }
}

fn void(key: &str, reference: &str) -> VoidRequest {
    VoidRequest { key: key.to_owned(), provider_reference: reference.to_owned() }
}

fn refund(key: &str, reference: &str, amount_minor: i64) -> RefundRequest {
    RefundRequest {
        key: key.to_owned(),
        provider_reference: reference.to_owned(),
        amount: gbp(amount_minor),
    }
}

pub(super) fn reference_of(reply: &GatewayReply) -> String {
    match reply {
        GatewayReply::Succeeded { provider_reference, .. } => provider_reference.clone(),
        other => panic!("not done: {other:?}"),
    }
}

fn failed(code: &str) -> GatewayReply {
    GatewayReply::Failed { code: code.to_owned() }
}

impl Setup {
    async fn authorized(&self, amount_minor: i64, token: &str) -> String {
        reference_of(&self.sandbox.authorize(authorize("a", amount_minor, token)).await.unwrap())
    }

    async fn captured(&self, amount_minor: i64, token: &str) -> String {
        let reference = self.authorized(amount_minor, token).await;
        let reply = self.sandbox.capture(capture("c", &reference, amount_minor)).await.unwrap();
        assert_eq!(reference_of(&reply), reference);
        reference
    }

    async fn assert_sound(&self) {
        assert_eq!(self.sandbox.ledger().contradictions().await.unwrap(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn money_is_authorized_captured_and_refunded_and_the_ledger_says_so() {
    let setup = setup();
    let reference = setup.captured(1_000, "tok_ok").await;
    let back = setup.sandbox.refund(refund("r", &reference, 400)).await.unwrap();
    assert_ne!(reference_of(&back), reference, "a refund has a reference of its own");
    let totals = setup.sandbox.ledger().totals().await.unwrap().remove(&reference).unwrap();
    assert_eq!(
        (totals.authorized_minor, totals.captured_minor, totals.refunded_minor),
        (1_000, 1_000, 400)
    );
    assert_eq!(totals.operations["c"], (Operation::Capture, 1));
    let one = setup.sandbox.ledger().payment(&reference).await.unwrap().unwrap();
    assert_eq!(one.refunded_minor, 400);
    setup.assert_sound().await;
}

#[tokio::test]
async fn the_same_key_gives_the_same_answer_and_is_worked_once() {
    let setup = setup();
    let reference = setup.captured(1_000, "tok_ok").await;
    let again = setup.sandbox.capture(capture("c", &reference, 1_000)).await.unwrap();
    assert_eq!(reference_of(&again), reference);
    let first = setup.sandbox.authorize(authorize("d", 5, "tok_decline")).await.unwrap();
    setup.sandbox.rules().set_token("tok_decline", Behaviour::default());
    let second = setup.sandbox.authorize(authorize("d", 5, "tok_decline")).await.unwrap();
    assert_eq!(first, second, "a decline is an answer like any other");
    assert_eq!(setup.sandbox.lookup("d").await.unwrap(), Some(first));
    assert_eq!(setup.sandbox.lookup("e").await.unwrap(), None);
    setup.assert_sound().await;
}

#[tokio::test]
async fn the_same_key_at_the_same_time_is_worked_once() {
    let setup = setup();
    let calls = (0..50).map(|_| setup.sandbox.authorize(authorize("a", 100, "tok_ok")));
    let replies = join_all(calls).await;
    assert!(replies.iter().all(|reply| *reply == replies[0] && reply.is_ok()));
    let reference = reference_of(replies[0].as_ref().unwrap());
    let captures = (0..50).map(|_| setup.sandbox.capture(capture("c", &reference, 100)));
    assert!(join_all(captures).await.iter().all(Result::is_ok));
    let totals = setup.sandbox.ledger().payment(&reference).await.unwrap().unwrap();
    assert_eq!(totals.captured_minor, 100);
    setup.assert_sound().await;
}

#[tokio::test]
async fn a_key_with_other_parameters_is_misused() {
    let setup = setup();
    let reference = setup.captured(1_000, "tok_ok").await;
    let misused = Err(GatewayError::Misused { code: code::IDEMPOTENCY_KEY_REUSE.to_owned() });
    assert_eq!(setup.sandbox.capture(capture("c", &reference, 999)).await, misused);
    assert_eq!(setup.sandbox.refund(refund("c", &reference, 1_000)).await, misused);
    assert_eq!(setup.sandbox.authorize(authorize("a", 1_000, "tok_other")).await, misused);
    assert_eq!(setup.sandbox.authorize(authorize("c", 1_000, "tok_ok")).await, misused);
    for key in ["", "a\nb", &"k".repeat(256)] {
        let error = setup.sandbox.capture(capture(key, &reference, 1)).await.unwrap_err();
        assert!(matches!(error, GatewayError::Misused { .. }));
    }
    setup.assert_sound().await;
}

#[tokio::test]
async fn parallel_refunds_never_exceed_the_capture() {
    let setup = setup();
    let reference = setup.captured(100, "tok_ok").await;
    let keys: Vec<String> = (0..10).map(|n| format!("r{n}")).collect();
    let replies =
        join_all(keys.iter().map(|key| setup.sandbox.refund(refund(key, &reference, 60)))).await;
    let done = replies.iter().filter(|r| matches!(r, Ok(GatewayReply::Succeeded { .. }))).count();
    assert_eq!(done, 1);
    let totals = setup.sandbox.ledger().payment(&reference).await.unwrap().unwrap();
    assert_eq!(totals.refunded_minor, 60);
    setup.assert_sound().await;
}

#[tokio::test]
async fn what_breaks_a_rule_fails_and_says_which() {
    let setup = setup();
    let sandbox = &setup.sandbox;
    let reference = setup.authorized(1_000, "tok_ok").await;
    let other_currency = CaptureRequest {
        amount: Money::new(1_000, "JPY".parse().unwrap()),
        ..capture("k1", &reference, 0)
    };
    let replies = [
        (sandbox.capture(other_currency).await, code::CURRENCY_MISMATCH),
        (sandbox.capture(capture("k2", &reference, 1_001)).await, code::AMOUNT_TOO_LARGE),
        (sandbox.capture(capture("k3", &reference, 0)).await, code::INVALID_AMOUNT),
        (sandbox.capture(capture("k4", &reference, -1)).await, code::INVALID_AMOUNT),
        (sandbox.capture(capture("k5", "sbx_pay_x", 1)).await, code::NO_SUCH_PAYMENT),
        (sandbox.refund(refund("k6", &reference, 1)).await, code::AMOUNT_TOO_LARGE),
        (sandbox.authorize(authorize("k7", 0, "tok_ok")).await, code::INVALID_AMOUNT),
    ];
    for (reply, code) in replies {
        assert_eq!(reply, Ok(failed(code)));
    }
    setup.assert_sound().await;
}

#[tokio::test]
async fn a_void_frees_what_is_not_captured_and_nothing_twice() {
    let setup = setup();
    let sandbox = &setup.sandbox;
    let reference = setup.authorized(1_000, "tok_ok").await;
    sandbox.capture(capture("c", &reference, 300)).await.unwrap();
    let reply = sandbox.void(void("v", &reference)).await.unwrap();
    assert!(matches!(reply, GatewayReply::Succeeded { amount_minor: 700, .. }));
    assert_eq!(sandbox.void(void("v", &reference)).await.unwrap(), reply);
    let nothing = sandbox.void(void("v2", &reference)).await.unwrap();
    assert_eq!(nothing, failed(code::NOTHING_TO_VOID));
    let late = sandbox.capture(capture("c2", &reference, 1)).await.unwrap();
    assert_eq!(late, failed(code::AMOUNT_TOO_LARGE));
    setup.assert_sound().await;
}

#[tokio::test]
async fn a_capture_after_the_authorization_expired_fails() {
    let setup = setup();
    let reference = setup.authorized(1_000, "tok_ok").await;
    setup.time.advance(SandboxOptions::default().authorization_lives);
    let reply = setup.sandbox.capture(capture("c", &reference, 1_000)).await.unwrap();
    assert_eq!(reply, failed(code::AUTHORIZATION_EXPIRED));
}

#[tokio::test]
async fn test_tokens_decide_what_happens_to_their_payment() {
    let setup = setup();
    let declined = setup.sandbox.authorize(authorize("d", 5, "tok_decline_insufficient_funds"));
    let code = code::INSUFFICIENT_FUNDS.to_owned();
    assert_eq!(declined.await.unwrap(), GatewayReply::Declined { code });
    let reference = setup.authorized(10, "tok_capture_fails").await;
    let reply = setup.sandbox.capture(capture("c", &reference, 10)).await.unwrap();
    assert_eq!(reply, failed(code::CAPTURE_FAILED));
    let reply = setup.sandbox.authorize(authorize("a2", 10, "tok_refund_fails")).await.unwrap();
    let reference = reference_of(&reply);
    setup.sandbox.capture(capture("c2", &reference, 10)).await.unwrap();
    let reply = setup.sandbox.refund(refund("r2", &reference, 10)).await.unwrap();
    assert_eq!(reply, failed(code::REFUND_FAILED));
    let before = setup.time.millis();
    setup.sandbox.authorize(authorize("s", 10, "tok_slow_700")).await.unwrap();
    assert_eq!(setup.time.millis() - before, 700);
    setup.assert_sound().await;
}

#[tokio::test]
async fn a_lost_reply_is_unknown_though_the_work_is_done() {
    let setup = setup();
    let call = || setup.sandbox.authorize(authorize("a", 10, "tok_timeout_2"));
    for _ in 0..2 {
        assert!(matches!(call().await, Err(GatewayError::Unknown { .. })));
        let known = setup.sandbox.lookup("a").await.unwrap();
        assert!(matches!(known, Some(GatewayReply::Succeeded { .. })));
    }
    let reference = reference_of(&call().await.unwrap());
    let first = setup.sandbox.capture(capture("c", &reference, 10)).await;
    assert!(matches!(first, Err(GatewayError::Unknown { .. })), "captures follow the token too");
    setup.assert_sound().await;
}

#[tokio::test]
async fn a_lost_request_is_unknown_and_nothing_is_done() {
    let setup = setup();
    let call = || setup.sandbox.authorize(authorize("a", 10, "tok_lost_request"));
    assert!(matches!(call().await, Err(GatewayError::Unknown { .. })));
    assert_eq!(setup.sandbox.lookup("a").await.unwrap(), None);
    assert!(call().await.is_ok());
}

#[tokio::test]
async fn a_pending_operation_is_answered_when_its_time_has_come() {
    let setup = setup();
    let call = || setup.sandbox.authorize(authorize("a", 10, "tok_pending_500"));
    assert_eq!(call().await, Ok(GatewayReply::Pending));
    assert_eq!(setup.sandbox.lookup("a").await, Ok(Some(GatewayReply::Pending)));
    setup.time.advance(Duration::from_millis(500));
    assert!(matches!(call().await, Ok(GatewayReply::Succeeded { .. })));
}

#[tokio::test]
async fn rules_for_everybody_and_faults_count_from_the_next_call() {
    struct LoseAll;
    impl SandboxFaults for LoseAll {
        fn next(&self, _: Operation, _: &str) -> Fault {
            Fault::LoseReply
        }
    }
    let mut setup = setup();
    setup
        .sandbox
        .rules()
        .set_everybody(Behaviour { decline: Some("closed".to_owned()), ..Behaviour::default() });
    let reply = setup.sandbox.authorize(authorize("a", 10, "pm_1")).await.unwrap();
    assert!(matches!(reply, GatewayReply::Declined { .. }));
    setup.sandbox.rules().clear();
    setup.sandbox = setup.sandbox.with_faults(Arc::new(LoseAll));
    let lost = setup.sandbox.authorize(authorize("b", 10, "pm_1")).await;
    assert!(matches!(lost, Err(GatewayError::Unknown { .. })));
    assert!(setup.sandbox.lookup("b").await.unwrap().is_some());
}

#[tokio::test]
async fn a_restart_remembers_keys_amounts_and_behaviour() {
    let setup = setup();
    let reference = setup.captured(100, "tok_refund_fails").await;
    let restarted = sandbox_over(&setup.journal, &setup.time);
    let again = restarted.capture(capture("c", &reference, 100)).await.unwrap();
    assert_eq!(reference_of(&again), reference);
    let more = restarted.capture(capture("c2", &reference, 1)).await.unwrap();
    assert_eq!(more, failed(code::AMOUNT_TOO_LARGE));
    let back = restarted.refund(refund("r", &reference, 100)).await.unwrap();
    assert_eq!(back, failed(code::REFUND_FAILED));
}

#[tokio::test]
async fn two_sandboxes_on_one_ledger_do_not_outdo_each_other() {
    let setup = setup();
    let reference = setup.captured(100, "tok_ok").await;
    let other = sandbox_over(&setup.journal, &setup.time);
    other.refund(refund("r1", &reference, 60)).await.unwrap();
    let reply = setup.sandbox.refund(refund("r2", &reference, 60)).await.unwrap();
    assert_eq!(reply, failed(code::AMOUNT_TOO_LARGE), "its cache lags, its decision does not");
    setup.assert_sound().await;
}

#[test]
fn a_request_shows_no_token() {
    assert!(!format!("{:?}", authorize("a", 1, "tok_secret")).contains("tok_secret"));
}
