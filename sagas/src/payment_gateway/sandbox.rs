//! A payment provider inside the engine, for development, tests and demonstrations.
//!
//! It keeps its own durable ledger apart from the order journal, so that the two can be
//! compared, and misbehaves on request ([`super::TEST_TOKENS`], [`SandboxRules`],
//! [`SandboxFaults`]). It moves no real money.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::Money;
use domain::payment::Operation;
use journal::{Journal, JournalError};
use lru::LruCache;

use super::account::Answered;
use super::call::Call;
use super::ledger::{Ledger, Written};
use super::rules::{Behaviour, Fault, NoFaults, SandboxFaults, SandboxRules, WebhookManner};
use super::webhooks::{Sender, WebhookSink};
use super::{
    AuthorizeRequest, CaptureRequest, Clock, GatewayError, GatewayReply, KEY_BYTES_MAX,
    LedgerReader, PaymentGateway, RefundRequest, Timer, VoidRequest, code,
};
use crate::standard_webhooks::WebhookSecrets;

/// The bounds and times of the sandbox.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// Payments kept in memory; others are read from the ledger when they are needed.
    pub accounts_cached_max: NonZeroUsize,
    /// How long an authorization can be captured.
    pub authorization_lives: Duration,
    /// Webhooks under way at once.
    pub webhooks_in_flight_max: usize,
    /// Waits between attempts at one webhook; one attempt more than there are waits.
    pub webhook_retry_waits: Vec<Duration>,
    /// How long [`WebhookManner::OutOfOrder`] holds an authorization's webhook back.
    pub out_of_order_hold: Duration,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            accounts_cached_max: NonZeroUsize::MIN.saturating_add(9_999),
            authorization_lives: seconds(7 * 24 * 3_600),
            webhooks_in_flight_max: 64,
            webhook_retry_waits: vec![
                Duration::from_millis(100),
                seconds(1),
                seconds(5),
                seconds(30),
            ],
            out_of_order_hold: Duration::from_millis(1_500),
        }
    }
}

/// Keys whose calls are counted for rules that lose the first ones. A count may start again
/// after so many others: then the rule loses a few calls more, which harms nothing.
const CALLS_COUNTED_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(9_999);

/// The sandbox. Calls may be made at any rate from any number of tasks; calls at the same time
/// share the ledger's commits.
pub struct SandboxProvider {
    ledger: Ledger,
    clock: Clock,
    timer: Arc<dyn Timer>,
    rules: SandboxRules,
    faults: Arc<dyn SandboxFaults>,
    options: SandboxOptions,
    webhooks: Option<Sender>,
    calls: Mutex<LruCache<String, u32>>,
    direct_refunds: AtomicU64,
}

impl SandboxProvider {
    /// A sandbox over `ledger`, which must not be the order journal.
    ///
    /// # Errors
    /// `Invalid` when units of `ledger` cannot span streams (EventStoreDB).
    pub fn new(
        ledger: Arc<dyn Journal>,
        clock: Clock,
        timer: Arc<dyn Timer>,
        options: SandboxOptions,
    ) -> Result<Self, JournalError> {
        if !ledger.properties().units_span_streams {
            return Err(JournalError::Invalid(
                "the sandbox's ledger needs units that span streams".to_owned(),
            ));
        }
        Ok(Self {
            ledger: Ledger::new(ledger, options.accounts_cached_max),
            clock,
            timer,
            rules: SandboxRules::default(),
            faults: Arc::new(NoFaults),
            options,
            webhooks: None,
            calls: Mutex::new(LruCache::new(CALLS_COUNTED_MAX)),
            direct_refunds: AtomicU64::new(0),
        })
    }

    /// Sends webhooks to `sink`, signed with `secrets`. They go out while
    /// [`Self::send_webhooks`] runs.
    #[must_use]
    pub fn with_webhooks(mut self, sink: Arc<dyn WebhookSink>, secrets: WebhookSecrets) -> Self {
        self.webhooks = Some(Sender::new(
            Arc::clone(self.ledger.journal()),
            sink,
            secrets,
            Arc::clone(&self.clock),
            Arc::clone(&self.timer),
            self.options.clone(),
        ));
        self
    }

    #[must_use]
    pub fn with_faults(mut self, faults: Arc<dyn SandboxFaults>) -> Self {
        self.faults = faults;
        self
    }

    /// A handle on how it behaves, usable at any time.
    #[must_use]
    pub fn rules(&self) -> SandboxRules {
        self.rules.clone()
    }

    /// A reader of its ledger, for comparing it with the payments on record.
    #[must_use]
    pub fn ledger(&self) -> LedgerReader {
        LedgerReader::new(Arc::clone(self.ledger.journal()))
    }

    /// Sends the webhooks that the ledger owes, those left over from an earlier run first;
    /// returns when the ledger closes, at once if there is no sink. Run it once; dropping the
    /// future stops it, and the next run sends again what was not known to be delivered.
    ///
    /// # Errors
    /// As the ledger's journal fails; run it again after a while.
    pub async fn send_webhooks(&self) -> Result<(), JournalError> {
        match &self.webhooks {
            Some(sender) => sender.run().await,
            None => Ok(()),
        }
    }

    /// A refund made at the provider itself, past the engine, which learns of it by webhook.
    ///
    /// # Errors
    /// As [`PaymentGateway::refund`].
    pub async fn refund_directly(
        &self,
        provider_reference: &str,
        amount: Money,
    ) -> Result<GatewayReply, GatewayError> {
        let now = (self.clock)();
        let count = self.direct_refunds.fetch_add(1, Ordering::Relaxed);
        let key = format!("direct:{provider_reference}:{}:{count}", now.timestamp_micros());
        check_key(&key)?;
        let call = Call {
            direct: true,
            ..Call::of_payment(Operation::Refund, key, provider_reference, Some(amount))
        };
        let behaviour = Behaviour { webhook: WebhookManner::AfterReply, ..Behaviour::default() };
        Ok(self.work(&call, None, &behaviour).await?.reply(now))
    }

    /// One call from start to end; `authorize` is the request if it is one.
    async fn call(
        &self,
        call: Call,
        authorize: Option<&AuthorizeRequest>,
    ) -> Result<GatewayReply, GatewayError> {
        check_key(&call.key)?;
        let fault = self.faults.next(call.operation, &call.key);
        let told = match authorize {
            Some(request) => self.rules.of_token(&request.token),
            None => {
                let account = self.ledger.account(&call.reference, false).await;
                account.map_err(unknown)?.and_then(|account| account.opened.behaviour)
            }
        };
        let behaviour = told.unwrap_or_else(|| self.rules.everybody()).with_fault(&fault);
        if behaviour.delay_ms > 0 {
            self.timer.sleep(Duration::from_millis(behaviour.delay_ms)).await;
        }
        let lost = self.count_call(&call.key, &behaviour);
        if lost == Some(Lost::Request) || fault == Fault::LoseRequest {
            return Err(no_answer("the request was lost"));
        }
        let answered = self.work(&call, authorize, &behaviour).await?;
        if let Some(sender) = &self.webhooks
            && answered.webhook == WebhookManner::BeforeReply
        {
            sender.deliver_before_reply(&answered).await;
        }
        if lost == Some(Lost::Reply) || fault == Fault::LoseReply {
            return Err(no_answer("the reply was lost"));
        }
        Ok(answered.reply((self.clock)()))
    }

    /// Does the work of the call's key, or finds what it came to before.
    async fn work(
        &self,
        call: &Call,
        authorize: Option<&AuthorizeRequest>,
        behaviour: &Behaviour,
    ) -> Result<Answered, GatewayError> {
        let now = (self.clock)();
        let written = match authorize {
            Some(request) => {
                let told = self.rules.of_token(&request.token);
                let lives = TimeDelta::from_std(self.options.authorization_lives)
                    .unwrap_or(TimeDelta::days(7));
                let entry = call.decide_authorize(request, told, behaviour, now, lives);
                self.ledger.write(entry).await
            }
            None => {
                let decide = |account| call.decide_move(behaviour, now, account);
                self.ledger.settle(&call.reference, decide).await
            }
        };
        match written.map_err(unknown)? {
            Written::Done(answered) => Ok(answered),
            Written::Repeat(stored) if stored.parameters == call.parameters => Ok(stored),
            Written::Repeat(_) => Err(misused(code::IDEMPOTENCY_KEY_REUSE)),
            // Only an authorization's own key opens its account, and in the same unit.
            Written::Outdated => Err(no_answer("the ledger holds an account nobody opened")),
        }
    }

    /// Whether this call is one of the first ones with its key that are to be lost.
    fn count_call(&self, key: &str, behaviour: &Behaviour) -> Option<Lost> {
        if behaviour.lose_requests == 0 && behaviour.lose_replies == 0 {
            return None;
        }
        // A count is one number, sound whatever happened to the lock's last holder.
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let count = calls.get_or_insert_mut(key.to_owned(), || 0);
        *count = count.saturating_add(1);
        if *count <= behaviour.lose_requests {
            Some(Lost::Request)
        } else if *count - behaviour.lose_requests <= behaviour.lose_replies {
            Some(Lost::Reply)
        } else {
            None
        }
    }
}

#[derive(PartialEq)]
enum Lost {
    Request,
    Reply,
}

#[async_trait]
impl PaymentGateway for SandboxProvider {
    fn name(&self) -> &str {
        "sandbox"
    }

    async fn authorize(&self, request: AuthorizeRequest) -> Result<GatewayReply, GatewayError> {
        self.call(Call::authorize(&request), Some(&request)).await
    }

    async fn capture(&self, request: CaptureRequest) -> Result<GatewayReply, GatewayError> {
        let CaptureRequest { key, provider_reference, amount } = request;
        let call = Call::of_payment(Operation::Capture, key, &provider_reference, Some(amount));
        self.call(call, None).await
    }

    async fn void(&self, request: VoidRequest) -> Result<GatewayReply, GatewayError> {
        let call =
            Call::of_payment(Operation::Void, request.key, &request.provider_reference, None);
        self.call(call, None).await
    }

    async fn refund(&self, request: RefundRequest) -> Result<GatewayReply, GatewayError> {
        let RefundRequest { key, provider_reference, amount } = request;
        let call = Call::of_payment(Operation::Refund, key, &provider_reference, Some(amount));
        self.call(call, None).await
    }

    async fn lookup(&self, key: &str) -> Result<Option<GatewayReply>, GatewayError> {
        check_key(key)?;
        let answered = self.ledger.answered(key).await.map_err(unknown)?;
        Ok(answered.map(|answered| answered.reply((self.clock)())))
    }
}

fn check_key(key: &str) -> Result<(), GatewayError> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX || key.chars().any(char::is_control) {
        return Err(misused(code::INVALID_IDEMPOTENCY_KEY));
    }
    Ok(())
}

fn unknown(error: JournalError) -> GatewayError {
    GatewayError::Unknown { why: error.to_string() }
}

fn no_answer(why: &str) -> GatewayError {
    GatewayError::Unknown { why: why.to_owned() }
}

fn misused(code: &str) -> GatewayError {
    GatewayError::Misused { code: code.to_owned() }
}
