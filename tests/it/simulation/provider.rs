//! The provider: a sandbox with books of its own, which does not die with the engine, and the way
//! its webhooks take.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use commands::{Caller, CommandError};
use journal::{MemoryJournal, Storage};
use sagas::payment_gateway::{
    Clock as ProviderClock, SandboxOptions, SandboxProvider, WebhookSink, WebhookSinkError,
};
use sagas::standard_webhooks::{SignedHeaders, WebhookSecret, WebhookSecrets};
use sagas::webhook_inbox::Delivery;

use super::executor::Executor;
use super::faults::{Faults, LedgerFaults};
use super::world::{World, lock};

/// Webhooks on their way to whichever engine runs.
struct Post(Arc<Mutex<Option<World>>>);

pub(crate) fn provider(
    executor: &Executor,
    ledger: &Arc<Storage>,
    faults: &Faults,
    post: Arc<Mutex<Option<World>>>,
) -> SandboxProvider {
    let journal =
        MemoryJournal::over(Arc::clone(ledger)).with_faults(Arc::new(LedgerFaults(faults.clone())));
    let timed = executor.clone();
    let clock: ProviderClock = Arc::new(move || timed.now());
    let options = SandboxOptions {
        // Patient: a webhook that nobody takes is the engine's loss, not the provider's.
        webhook_retry_waits: [
            vec![Duration::from_millis(300)],
            vec![Duration::from_secs(5); 2_000],
        ]
        .concat(),
        ..SandboxOptions::default()
    };
    let secret = WebhookSecret::from_bytes(vec![7; 32]).expect("32 bytes make a secret");
    let secrets = WebhookSecrets::new(vec![secret]).expect("one secret is enough");
    SandboxProvider::new(Arc::new(journal), clock, Arc::new(executor.clone()), options)
        .expect("units of a journal in memory span streams")
        .with_faults(Arc::new(faults.clone()))
        .with_webhooks(Arc::new(Post(post)), secrets)
}

#[async_trait]
impl WebhookSink for Post {
    async fn deliver(&self, headers: &SignedHeaders, body: &[u8]) -> Result<u16, WebhookSinkError> {
        let nobody = |why: &str| WebhookSinkError(why.to_owned());
        let Some(world) = lock(&self.0).clone() else { return Err(nobody("no world")) };
        let rates = world.faults.rates();
        if world.faults.strikes("webhook lost", rates.webhook_lost) {
            return Err(nobody("lost on the way"));
        }
        let Some(node) = world.node() else { return Err(nobody("connection refused")) };
        let delivery = Delivery {
            provider: "sandbox".to_owned(),
            message_id: headers.id.clone(),
            body: String::from_utf8_lossy(body).into_owned(),
        };
        lock(&world.webhooks).push(delivery.clone());
        let caller = Caller::named("provider");
        let mut answer = node.engine.receive_webhook(&caller, delivery.clone()).await;
        if world.faults.strikes("webhook doubled", rates.webhook_doubled) {
            answer = node.engine.receive_webhook(&caller, delivery).await;
        }
        world.executor.note(|| format!("webhook {} answered {answer:?}", headers.id));
        if world.faults.strikes("webhook's answer lost", rates.webhook_ack_lost) {
            return Err(nobody("answer lost"));
        }
        match answer {
            Ok(_) => Ok(200),
            Err(CommandError::Refused(_)) => Ok(400),
            Err(_) => Ok(503),
        }
    }
}
