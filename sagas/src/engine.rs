//! The engine below HTTP: places orders and sees each through to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use commands::{Bus, Caller, CommandError, Done, Spawner, Stop, Timer, Unit};
use domain::OrderId;
use domain::order::{Order, OrderEndReason, OrderStatus};
use domain::payment::{Operation, ProviderOutcome};
use journal::Position;
use tokio::sync::oneshot;

use crate::checkout::{self, PlaceOrder, Placed, ShopPolicy};
use crate::fulfilment::starting_when_confirmed;
use crate::key_store::{KeyStore, KeyStoreError, PersonalField};
use crate::payment_call::PaymentCall;
use crate::payment_gateway::{
    AuthorizeRequest, CaptureRequest, GatewayError, GatewayReply, PaymentGateway, RefundRequest,
    VoidRequest,
};

/// First wait before a call without an answer is made again; it doubles up to the last.
const RETRY_FIRST: Duration = Duration::from_millis(200);
const RETRY_LAST: Duration = Duration::from_secs(30);

/// How an order stands once its checkout is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    pub order_id: OrderId,
    pub status: OrderStatus,
    pub end_reason: Option<OrderEndReason>,
    /// Version of the order's stream.
    pub version: u64,
    pub position: Position,
}

/// What the engine is made of.
pub struct EngineParts {
    pub bus: Bus,
    /// By the name payments carry.
    pub gateways: BTreeMap<String, Arc<dyn PaymentGateway>>,
    pub keys: Arc<dyn KeyStore>,
    pub spawner: Arc<dyn Spawner>,
    pub timer: Arc<dyn Timer>,
    pub policy: ShopPolicy,
}

/// A handle; clones are the same engine.
#[derive(Clone)]
pub struct Engine {
    parts: Arc<EngineParts>,
    /// Keys of calls being made by this process.
    under_way: Arc<Mutex<BTreeSet<String>>>,
    waiting: Arc<Mutex<BTreeMap<OrderId, Vec<oneshot::Sender<Settled>>>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    match mutex.lock() {
        Ok(guard) => guard,
        // Both sets are whole after every single change to them.
        Err(poisoned) => poisoned.into_inner(),
    }
}

impl Engine {
    #[must_use]
    pub fn new(parts: EngineParts) -> Self {
        Self { parts: Arc::new(parts), under_way: Arc::default(), waiting: Arc::default() }
    }

    #[must_use]
    pub fn bus(&self) -> &Bus {
        &self.parts.bus
    }

    #[must_use]
    pub fn policy(&self) -> &ShopPolicy {
        &self.parts.policy
    }

    #[must_use]
    pub fn keys(&self) -> &Arc<dyn KeyStore> {
        &self.parts.keys
    }

    /// Names of the payment providers that can be called.
    pub fn providers(&self) -> impl Iterator<Item = &str> {
        self.parts.gateways.keys().map(String::as_str)
    }

    /// Places an order and starts its checkout; returns as soon as the order is durable. What
    /// follows goes on by itself, whether or not anybody waits for it.
    pub async fn place_order(
        &self,
        caller: &Caller,
        order: PlaceOrder,
    ) -> Result<Done<Placed>, CommandError> {
        let policy = self.parts.policy.clone();
        let caller = &caller.in_conversation(order.order_id.uuid());
        let placed =
            self.parts.bus.run(caller, move |unit| checkout::place(unit, &policy, &order)).await?;
        self.start(placed.value.calls.clone());
        Ok(placed)
    }

    /// Runs a unit that may lead to calls, and starts them.
    pub async fn run<T: Send + 'static>(
        &self,
        caller: &Caller,
        mut work: impl FnMut(&mut Unit<'_>) -> Result<(T, Vec<PaymentCall>), Stop> + Send + 'static,
    ) -> Result<Done<T>, CommandError> {
        let done = self.parts.bus.run(caller, move |unit| work(unit)).await?;
        let (value, calls) = done.value;
        self.start(calls);
        Ok(Done { value, position: done.position })
    }

    /// Waits until the order is pending no longer, at most `patience`; `None` if it still is.
    pub async fn settled(
        &self,
        order_id: OrderId,
        patience: Duration,
    ) -> Result<Option<Settled>, CommandError> {
        // Goes after the receiver, also where whoever waits goes away.
        let _forgotten = Waiting { engine: self, order_id };
        let (sender, receiver) = oneshot::channel();
        // Asked for before looking, so that an end in between is not missed.
        lock(&self.waiting).entry(order_id).or_default().push(sender);
        let done =
            self.parts.bus.run(&Caller::system(), move |unit| standing(unit, order_id)).await?;
        if let Some(settled) = done.value.filter(|s| s.status != OrderStatus::Pending) {
            return Ok(Some(Settled { position: done.position, ..settled }));
        }
        tokio::select! {
            biased;
            settled = receiver => Ok(settled.ok()),
            () = self.parts.timer.sleep(patience) => Ok(None),
        }
    }

    /// Starts calls that this process is not making already.
    pub fn start(&self, calls: Vec<PaymentCall>) {
        for call in calls {
            if lock(&self.under_way).insert(call.key.clone()) {
                let engine = self.clone();
                self.parts.spawner.spawn(Box::pin(async move { engine.see_through(call).await }));
            }
        }
    }

    /// Calls being made now.
    #[must_use]
    pub fn calls_under_way(&self) -> usize {
        lock(&self.under_way).len()
    }

    /// Records an outcome that came by another way, such as a webhook, and goes on from there.
    pub async fn record_outcome(
        &self,
        caller: &Caller,
        order_id: OrderId,
        operation: Operation,
        key: String,
        outcome: ProviderOutcome,
    ) -> Result<(), CommandError> {
        let calls = self.record(caller, order_id, operation, key, outcome).await?;
        self.start(calls);
        Ok(())
    }

    /// Makes a call, and the calls its answer leads to, until the provider owes nothing more.
    async fn see_through(self, first: PaymentCall) {
        let mut next = Some(first);
        while let Some(call) = next.take() {
            let key = call.key.clone();
            let outcome = self.ask_until_answered(&call).await;
            let mut calls = match outcome {
                Some(outcome) => self.record_until_taken(&call, outcome).await,
                None => Vec::new(),
            };
            // The next call is under way before this one is over, so no sweep starts it twice.
            next = calls.pop().filter(|c| lock(&self.under_way).insert(c.key.clone()));
            lock(&self.under_way).remove(&key);
            self.start(calls);
        }
    }

    /// `None` when asking again cannot help.
    async fn ask_until_answered(&self, call: &PaymentCall) -> Option<ProviderOutcome> {
        let Some(gateway) = self.parts.gateways.get(&call.provider) else {
            tracing::error!(provider = %call.provider, key = %call.key, "no such payment provider");
            return None;
        };
        let mut wait = RETRY_FIRST;
        let mut accepted = false;
        let mut token = None;
        loop {
            let answer = if accepted {
                gateway.lookup(&call.key).await.map(|known| known.unwrap_or(GatewayReply::Pending))
            } else {
                match self.ask(gateway.as_ref(), call, &mut token).await {
                    Asked::Answered(answer) => answer,
                    Asked::NeverArrived(outcome) if wait >= RETRY_LAST => return Some(outcome),
                    Asked::NeverArrived(_) => {
                        let why = "the token cannot be opened, an earlier call may be on its way";
                        Err(GatewayError::Unknown { why: why.to_owned() })
                    }
                }
            };
            match answer {
                Ok(reply) => match reply.outcome() {
                    Some(outcome) => return Some(outcome),
                    None => accepted = true,
                },
                Err(GatewayError::Unknown { why }) => {
                    tracing::warn!(key = %call.key, %why, "outcome unknown; asking again with the same key");
                }
                Err(GatewayError::Misused { code }) => {
                    tracing::error!(key = %call.key, %code, "the provider refused the request itself; needs a person");
                    return None;
                }
            }
            self.parts.timer.sleep(wait).await;
            wait = (wait * 2).min(RETRY_LAST);
        }
    }

    /// `token`: what authorizations were paid with, once it is open.
    async fn ask(
        &self,
        gateway: &dyn PaymentGateway,
        call: &PaymentCall,
        token: &mut Option<String>,
    ) -> Asked {
        let key = call.key.clone();
        let provider_reference = call.provider_reference.clone();
        Asked::Answered(match call.operation {
            Operation::Authorize => {
                let opened = match token.clone() {
                    Some(opened) => Ok(opened),
                    None => self.parts.keys.open(PersonalField::PaymentToken, &call.token).await,
                };
                let opened = match opened {
                    Ok(opened) => opened,
                    Err(error) if can_pass(&error) => {
                        let why = error.to_string();
                        return Asked::Answered(Err(GatewayError::Unknown { why }));
                    }
                    Err(error) => return unreadable(gateway, &key, &error).await,
                };
                // Kept while this is asked again: the payer may be erased meanwhile.
                *token = Some(opened.clone());
                let PaymentCall { order_id, payment_id, amount, .. } = *call;
                let request = AuthorizeRequest { key, order_id, payment_id, amount, token: opened };
                gateway.authorize(request).await
            }
            Operation::Capture => {
                let amount = call.amount;
                gateway.capture(CaptureRequest { key, provider_reference, amount }).await
            }
            Operation::Void => gateway.void(VoidRequest { key, provider_reference }).await,
            Operation::Refund => {
                let amount = call.amount;
                gateway.refund(RefundRequest { key, provider_reference, amount }).await
            }
        })
    }

    /// An answer is never dropped: while the journal cannot take it, it is offered again.
    async fn record_until_taken(
        &self,
        call: &PaymentCall,
        outcome: ProviderOutcome,
    ) -> Vec<PaymentCall> {
        let mut wait = RETRY_FIRST;
        loop {
            let caller = Caller::system().in_conversation(call.order_id.uuid());
            let key = call.key.clone();
            match self.record(&caller, call.order_id, call.operation, key, outcome.clone()).await {
                Ok(calls) => {
                    if let (Operation::Void | Operation::Refund, ProviderOutcome::Failed { code }) =
                        (call.operation, &outcome)
                    {
                        tracing::error!(order_id = %call.order_id, key = %call.key, %code,
                            "the provider did not give money back; needs a person");
                    }
                    return calls;
                }
                Err(CommandError::Refused(refused)) => {
                    tracing::error!(key = %call.key, %refused, "the provider's answer contradicts the books");
                    return Vec::new();
                }
                Err(CommandError::Closed) => return Vec::new(),
                Err(error) => {
                    tracing::warn!(key = %call.key, %error, "answer not recorded yet; trying again");
                }
            }
            self.parts.timer.sleep(wait).await;
            wait = (wait * 2).min(RETRY_LAST);
        }
    }

    async fn record(
        &self,
        caller: &Caller,
        order_id: OrderId,
        operation: Operation,
        key: String,
        outcome: ProviderOutcome,
    ) -> Result<Vec<PaymentCall>, CommandError> {
        let policy = self.parts.policy.clone();
        let done = self
            .parts
            .bus
            .run(caller, move |unit| {
                let calls = starting_when_confirmed(unit, &policy, order_id, |unit| {
                    checkout::record_outcome(unit, order_id, operation, &key, &outcome)
                })?;
                Ok((calls, standing(unit, order_id)?))
            })
            .await?;
        let (calls, settled) = done.value;
        if let Some(settled) = settled.filter(|s| s.status != OrderStatus::Pending) {
            self.tell(Settled { position: done.position, ..settled });
        }
        Ok(calls)
    }

    /// Tells those who wait that an order has settled.
    pub(crate) fn tell(&self, settled: Settled) {
        let waiting = lock(&self.waiting).remove(&settled.order_id);
        for sender in waiting.into_iter().flatten() {
            // Whoever waited may have given up.
            drop(sender.send(settled.clone()));
        }
    }

    fn forget_closed(&self, order_id: OrderId) {
        let mut waiting = lock(&self.waiting);
        if let Some(senders) = waiting.get_mut(&order_id) {
            senders.retain(|sender| !sender.is_closed());
            if senders.is_empty() {
                waiting.remove(&order_id);
            }
        }
    }
}

/// Somebody waits for an order to settle; when they no longer do, they are forgotten.
struct Waiting<'a> {
    engine: &'a Engine,
    order_id: OrderId,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.engine.forget_closed(self.order_id);
    }
}

enum Asked {
    Answered(Result<GatewayReply, GatewayError>),
    /// The call cannot be made, and the provider has not seen its key so far.
    NeverArrived(ProviderOutcome),
}

/// The payer is erased. An earlier call, of a process that is gone, may have reached the provider
/// all the same, so its word counts and not ours.
async fn unreadable(gateway: &dyn PaymentGateway, key: &str, error: &KeyStoreError) -> Asked {
    match gateway.lookup(key).await {
        Ok(Some(reply)) => Asked::Answered(Ok(reply)),
        Ok(None) => {
            tracing::warn!(%key, %error, "the payment token cannot be opened");
            let code = "payment_token_unreadable".to_owned();
            Asked::NeverArrived(ProviderOutcome::Failed { code })
        }
        Err(unknown) => Asked::Answered(Err(unknown)),
    }
}

/// Whether asking the key store again may help.
fn can_pass(error: &KeyStoreError) -> bool {
    matches!(error, KeyStoreError::Unavailable(_) | KeyStoreError::Full | KeyStoreError::Closed)
}

/// How an order stands; `None` if there is no such order.
pub(crate) fn standing(unit: &mut Unit<'_>, order_id: OrderId) -> Result<Option<Settled>, Stop> {
    let version = unit.version::<Order>(&order_id)?;
    let order = unit.state::<Order>(&order_id)?.as_ref();
    Ok(order.map(|order| Settled {
        order_id,
        status: order.status,
        end_reason: order.end_reason.clone(),
        version,
        position: Position::default(),
    }))
}

#[cfg(test)]
mod tests;
