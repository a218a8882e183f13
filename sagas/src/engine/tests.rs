//! The engine where a payer is erased in the middle of a call, and where nobody waits any more.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use commands::{BusOptions, NoSnapshots, SystemClock, SystemIds, TokioSpawner};
use domain::{Currency, Money, PaymentId};
use futures::FutureExt;
use journal::MemoryJournal;
use uuid::Uuid;

use super::*;
use crate::key_store::MemoryKeyStore;

/// Waits for nothing.
struct AtOnce;

#[async_trait]
impl Timer for AtOnce {
    async fn sleep(&self, _: Duration) {
        tokio::task::yield_now().await;
    }
}

/// Does what it is asked; its first answer is lost, and the payer is erased before the second.
struct LosesItsFirstAnswer {
    keys: Arc<MemoryKeyStore>,
    payer: Uuid,
    asked: AtomicU32,
    looked_up: AtomicU32,
    /// Looked up this many times, it knows the key.
    known_from: u32,
}

fn done() -> GatewayReply {
    GatewayReply::Succeeded {
        provider_reference: "auth_1".to_owned(),
        amount_minor: 500,
        expires_at: None,
    }
}

fn no_other<T>() -> Result<T, GatewayError> {
    Err(GatewayError::Misused { code: "not_in_this_test".to_owned() })
}

#[async_trait]
impl PaymentGateway for LosesItsFirstAnswer {
    fn name(&self) -> &str {
        "sandbox"
    }
    async fn authorize(&self, request: AuthorizeRequest) -> Result<GatewayReply, GatewayError> {
        assert_eq!(request.token, "tok_ok");
        if self.asked.fetch_add(1, Ordering::Relaxed) > 0 {
            return Ok(done());
        }
        self.keys.erase(self.payer).await.unwrap();
        Err(GatewayError::Unknown { why: "timed out".to_owned() })
    }
    async fn capture(&self, _: CaptureRequest) -> Result<GatewayReply, GatewayError> {
        no_other()
    }
    async fn void(&self, _: VoidRequest) -> Result<GatewayReply, GatewayError> {
        no_other()
    }
    async fn refund(&self, _: RefundRequest) -> Result<GatewayReply, GatewayError> {
        no_other()
    }
    async fn lookup(&self, _: &str) -> Result<Option<GatewayReply>, GatewayError> {
        let looked_up = self.looked_up.fetch_add(1, Ordering::Relaxed) + 1;
        Ok((looked_up >= self.known_from).then(done))
    }
}

async fn engine(known_from: u32) -> (Engine, Arc<LosesItsFirstAnswer>, PaymentCall) {
    let keys = Arc::new(MemoryKeyStore::default());
    let payer = Uuid::from_u128(1);
    let token = keys.seal(payer, PersonalField::PaymentToken, "tok_ok").await.unwrap();
    let gateway = Arc::new(LosesItsFirstAnswer {
        keys: Arc::clone(&keys),
        payer,
        asked: AtomicU32::new(0),
        looked_up: AtomicU32::new(0),
        known_from,
    });
    let (bus, desk) = Bus::new(
        Arc::new(MemoryJournal::new()),
        Arc::new(NoSnapshots),
        Arc::new(SystemClock),
        Arc::new(SystemIds::seeded(1)),
        BusOptions::default(),
    );
    tokio::spawn(desk);
    let engine = Engine::new(EngineParts {
        bus,
        gateways: BTreeMap::from([("sandbox".to_owned(), Arc::clone(&gateway) as _)]),
        keys,
        spawner: Arc::new(TokioSpawner(tokio::runtime::Handle::current())),
        timer: Arc::new(AtOnce),
        policy: ShopPolicy::default(),
    });
    let call = PaymentCall {
        order_id: OrderId::new(Uuid::from_u128(2)),
        payment_id: PaymentId::new(Uuid::from_u128(3)),
        provider: "sandbox".to_owned(),
        operation: Operation::Authorize,
        key: "order:authorize:1".to_owned(),
        amount: Money::new(500, Currency::GBP),
        token,
        provider_reference: String::new(),
    };
    (engine, gateway, call)
}

fn is_failure(outcome: Option<ProviderOutcome>) -> bool {
    matches!(outcome, Some(ProviderOutcome::Failed { .. }))
}

#[tokio::test]
async fn a_payer_erased_while_the_answer_is_unknown_is_asked_about_to_the_end() {
    let (engine, gateway, call) = engine(1).await;
    let outcome = engine.ask_until_answered(&call).await;
    assert!(matches!(outcome, Some(ProviderOutcome::Succeeded { .. })), "{outcome:?}");
    assert_eq!(gateway.asked.load(Ordering::Relaxed), 2);
}

/// The first call was that of a process which is gone.
#[tokio::test]
async fn a_payer_erased_before_a_restart_is_looked_up_at_the_provider() {
    let (engine, gateway, call) = engine(3).await;
    gateway.keys.erase(gateway.payer).await.unwrap();
    let outcome = engine.ask_until_answered(&call).await;
    assert!(matches!(outcome, Some(ProviderOutcome::Succeeded { .. })), "{outcome:?}");
    assert_eq!(gateway.asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_call_that_cannot_be_made_and_never_was_ends_as_failed() {
    let (engine, gateway, call) = engine(u32::MAX).await;
    gateway.keys.erase(gateway.payer).await.unwrap();
    assert!(is_failure(engine.ask_until_answered(&call).await));
}

#[tokio::test]
async fn whoever_waits_no_longer_is_forgotten() {
    let (engine, _, call) = engine(1).await;
    let waits = Box::pin(engine.settled(call.order_id, Duration::from_secs(60)));
    let mut waits = Some(waits);
    assert!(waits.as_mut().unwrap().now_or_never().is_none());
    assert_eq!(lock(&engine.waiting).len(), 1);
    waits.take();
    assert!(lock(&engine.waiting).is_empty());
}
