//! The sandbox provider's books, kept in a journal of their own.
//!
//! Two streams take part in each operation that moves money, in one unit: `operation-<key>`,
//! which has one event for ever (so a key is worked once, whoever asks and however often), and
//! `account-<reference>`, whose version guards the payment's amounts. Nothing is rebuilt at
//! start: an account is read from its own short stream when it is not in the cache.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use domain::payment::Operation;
use domain::{Currency, OrderId, PaymentId};
use journal::{
    Category, EventType, Group, Journal, JournalError, NewEvent, Recorded, StreamId, Unit, Verdict,
};
use lru::LruCache;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::rules::{Behaviour, WebhookManner};
use super::{GatewayReply, code};

pub(super) const OPERATION: Category = Category::from_static("operation");
pub(super) const ACCOUNT: Category = Category::from_static("account");
/// An operation that owes no webhook.
pub(super) const ANSWERED: EventType = EventType::from_static("sandbox.answered");
/// An operation that owes one; its own name, so that the sender need not decode the others.
pub(super) const ANSWERED_OWING: EventType =
    EventType::from_static("sandbox.answered_owing_webhook");
pub(super) const OPENED: EventType = EventType::from_static("sandbox.opened");
pub(super) const MOVED: EventType = EventType::from_static("sandbox.moved");

/// Times one operation meets another on its account before it gives up.
const CONFLICTS_MAX: usize = 1_000;
const PAGE_EVENTS: usize = 500;

/// What one key came to; the only event of its stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Answered {
    pub(super) operation: Operation,
    pub(super) key: String,
    /// Digest of the parameters, to tell a repeat from a misuse.
    pub(super) parameters: String,
    /// The payment's reference; what was asked for, if there is no such payment.
    pub(super) payment_reference: String,
    /// `None` when there is no such payment.
    pub(super) payment: Option<Owner>,
    pub(super) amount_minor: i64,
    pub(super) currency: Option<Currency>,
    pub(super) outcome: Outcome,
    pub(super) at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pending_until: Option<DateTime<Utc>>,
    #[serde(default)]
    pub(super) webhook: WebhookManner,
    /// Made at the provider itself, not by a call of the engine's.
    #[serde(default)]
    pub(super) direct: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    pub(super) order_id: OrderId,
    pub(super) payment_id: PaymentId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Succeeded {
        provider_reference: String,
        amount_minor: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
    },
    Declined {
        code: String,
    },
    Failed {
        code: String,
    },
}

impl Answered {
    pub(super) fn reply(&self, now: DateTime<Utc>) -> GatewayReply {
        if self.pending_until.is_some_and(|until| now < until) {
            return GatewayReply::Pending;
        }
        match self.outcome.clone() {
            Outcome::Succeeded { provider_reference, amount_minor, expires_at } => {
                GatewayReply::Succeeded { provider_reference, amount_minor, expires_at }
            }
            Outcome::Declined { code } => GatewayReply::Declined { code },
            Outcome::Failed { code } => GatewayReply::Failed { code },
        }
    }
}

/// The first event of an account: money is set aside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Opened {
    #[serde(flatten)]
    pub(super) owner: Owner,
    pub(super) key: String,
    pub(super) authorized_minor: i64,
    pub(super) currency: Currency,
    pub(super) expires_at: DateTime<Utc>,
    /// What the token asked for, if anything; the token itself is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) behaviour: Option<Behaviour>,
}

/// Any later event of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Moved {
    pub(super) operation: Operation,
    pub(super) key: String,
    pub(super) amount_minor: i64,
}

/// One payment's amounts, in minor units: the fold of its account stream.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Account {
    pub(super) version: u64,
    pub(super) opened: Opened,
    pub(super) captured_minor: i64,
    pub(super) voided_minor: i64,
    pub(super) refunded_minor: i64,
}

impl Account {
    pub(super) fn new(opened: Opened) -> Self {
        Self { version: 1, opened, captured_minor: 0, voided_minor: 0, refunded_minor: 0 }
    }

    pub(super) fn apply(&mut self, moved: &Moved) {
        self.version += 1;
        let sum = match moved.operation {
            // An account is authorized once, by its first event.
            Operation::Authorize => return,
            Operation::Capture => &mut self.captured_minor,
            Operation::Void => &mut self.voided_minor,
            Operation::Refund => &mut self.refunded_minor,
        };
        *sum = sum.saturating_add(moved.amount_minor);
    }

    pub(super) fn uncaptured_minor(&self) -> i64 {
        self.opened.authorized_minor - self.captured_minor - self.voided_minor
    }

    /// The amount that `operation` may move now, or the code of the rule it breaks.
    pub(super) fn allow(
        &self,
        operation: Operation,
        amount_minor: i64,
        currency: Option<Currency>,
        now: DateTime<Utc>,
    ) -> Result<i64, &'static str> {
        if currency.is_some_and(|currency| currency != self.opened.currency) {
            return Err(code::CURRENCY_MISMATCH);
        }
        let left = match operation {
            Operation::Authorize => 0,
            Operation::Capture if now >= self.opened.expires_at => {
                return Err(code::AUTHORIZATION_EXPIRED);
            }
            Operation::Capture => self.uncaptured_minor(),
            Operation::Void if self.uncaptured_minor() == 0 => return Err(code::NOTHING_TO_VOID),
            Operation::Void => return Ok(self.uncaptured_minor()),
            Operation::Refund => self.captured_minor - self.refunded_minor,
        };
        match amount_minor {
            ..=0 => Err(code::INVALID_AMOUNT),
            amount if amount > left => Err(code::AMOUNT_TOO_LARGE),
            amount => Ok(amount),
        }
    }
}

/// What an operation would write: its answer and, if money moves, the account's event.
pub(super) struct Entry {
    pub(super) answered: Answered,
    pub(super) account: Option<AccountEvent>,
}

pub(super) enum AccountEvent {
    Opened(Box<Opened>),
    /// On top of the account's state that the decision rests on.
    Moved(Box<Account>, Moved),
}

/// What became of an entry.
pub(super) enum Written {
    /// It is durable.
    Done(Answered),
    /// The key was worked before; this is what it came to then.
    Repeat(Answered),
    /// The account moved on meanwhile: decide again.
    Outdated,
}

pub(super) struct Ledger {
    journal: Arc<dyn Journal>,
    accounts: Mutex<LruCache<String, Account>>,
    metadata: Arc<str>,
}

impl Ledger {
    pub(super) fn new(journal: Arc<dyn Journal>, accounts_cached_max: NonZeroUsize) -> Self {
        Self {
            journal,
            accounts: Mutex::new(LruCache::new(accounts_cached_max)),
            metadata: Arc::from(r#"{"actor":"sandbox"}"#),
        }
    }

    pub(super) fn journal(&self) -> &Arc<dyn Journal> {
        &self.journal
    }

    /// The stored answer to `key`, if it was worked.
    pub(super) async fn answered(&self, key: &str) -> Result<Option<Answered>, JournalError> {
        let stream = StreamId::of_text(OPERATION, key);
        let events = self.journal.read_stream(&stream, 0, 1).await?;
        events.first().map(decode).transpose()
    }

    /// A payment's account: from the cache, which may lag behind, unless `fresh`.
    pub(super) async fn account(
        &self,
        reference: &str,
        fresh: bool,
    ) -> Result<Option<Account>, JournalError> {
        if !fresh && let Some(cached) = self.cached().get(reference) {
            return Ok(Some(cached.clone()));
        }
        let account = read_account(self.journal.as_ref(), reference).await?;
        if let Some(account) = &account {
            self.keep(reference, account.clone());
        }
        Ok(account)
    }

    /// Decides by `decide` on the payment's account until the decision meets no other.
    pub(super) async fn settle(
        &self,
        reference: &str,
        decide: impl Fn(Option<Account>) -> Entry + Send,
    ) -> Result<Written, JournalError> {
        let mut fresh = false;
        for _ in 0..CONFLICTS_MAX {
            let entry = decide(self.account(reference, fresh).await?);
            // A refusal must not rest on a cache that lags.
            if entry.account.is_none() && !fresh {
                fresh = true;
                continue;
            }
            match self.write(entry).await? {
                Written::Outdated => fresh = true,
                written => return Ok(written),
            }
        }
        Err(JournalError::Unavailable(format!("too many operations at once on {reference}")))
    }

    pub(super) async fn write(&self, entry: Entry) -> Result<Written, JournalError> {
        let Entry { answered, account } = entry;
        let event_type = match answered.webhook {
            // What goes out before the reply is owed by the call, and by its repeats.
            WebhookManner::None | WebhookManner::BeforeReply => ANSWERED,
            WebhookManner::AfterReply | WebhookManner::Twice | WebhookManner::OutOfOrder => {
                ANSWERED_OWING
            }
        };
        let operation_stream = StreamId::of_text(OPERATION, &answered.key);
        let mut groups = vec![Group {
            stream: operation_stream.clone(),
            expected: 0,
            events: vec![event(&answered, event_type, &answered)?],
        }];
        let mut after = None;
        if let Some(account_event) = account {
            let (expected, new_event) = match &account_event {
                AccountEvent::Opened(opened) => (0, event(&answered, OPENED, opened)?),
                AccountEvent::Moved(account, moved) => {
                    (account.version, event(&answered, MOVED, moved)?)
                }
            };
            groups.push(Group {
                stream: StreamId::of_text(ACCOUNT, &answered.payment_reference),
                expected,
                events: vec![new_event],
            });
            after = Some(match account_event {
                AccountEvent::Opened(opened) => Account::new(*opened),
                AccountEvent::Moved(mut account, moved) => {
                    account.apply(&moved);
                    *account
                }
            });
        }
        let unit = Unit { groups, metadata: Arc::clone(&self.metadata) };
        match self.journal.append(vec![unit]).await?.pop() {
            Some(Verdict::Committed { .. }) => {
                if let Some(account) = after {
                    self.keep(&answered.payment_reference, account);
                }
                Ok(Written::Done(answered))
            }
            Some(Verdict::Conflict { stream, .. }) if stream == operation_stream => {
                let stored = self.answered(&answered.key).await?;
                stored.map(Written::Repeat).ok_or_else(|| JournalError::Corrupt {
                    at: None,
                    problem: format!("{stream} conflicts but is empty"),
                })
            }
            Some(Verdict::Conflict { .. }) => Ok(Written::Outdated),
            None => Err(JournalError::Unavailable("no verdict".to_owned())),
        }
    }

    /// Keeps the newer of two states: commits may come back in another order than they were made.
    fn keep(&self, reference: &str, account: Account) {
        let mut accounts = self.cached();
        if accounts.peek(reference).is_none_or(|kept| kept.version < account.version) {
            accounts.put(reference.to_owned(), account);
        }
    }

    fn cached(&self) -> MutexGuard<'_, LruCache<String, Account>> {
        // The cache holds whole values only and its owner checks versions, so it stays sound.
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) async fn read_account(
    journal: &dyn Journal,
    reference: &str,
) -> Result<Option<Account>, JournalError> {
    let stream = StreamId::of_text(ACCOUNT, reference);
    let mut account: Option<Account> = None;
    loop {
        let after = account.as_ref().map_or(0, |account| account.version);
        let events = journal.read_stream(&stream, after, PAGE_EVENTS).await?;
        for recorded in &events {
            match &mut account {
                None => account = Some(Account::new(decode(recorded)?)),
                Some(account) => account.apply(&decode(recorded)?),
            }
        }
        if events.len() < PAGE_EVENTS {
            return Ok(account);
        }
    }
}

pub(super) fn decode<T: DeserializeOwned>(recorded: &Recorded) -> Result<T, JournalError> {
    serde_json::from_str(&recorded.payload).map_err(|error| JournalError::Corrupt {
        at: Some(recorded.position),
        problem: format!("{} of the sandbox: {error}", recorded.event_type),
    })
}

fn event(
    answered: &Answered,
    event_type: EventType,
    payload: &impl Serialize,
) -> Result<NewEvent, JournalError> {
    let payload =
        serde_json::to_string(payload).map_err(|error| JournalError::Invalid(error.to_string()))?;
    Ok(NewEvent {
        id: event_id(answered, event_type),
        event_type,
        schema_version: 1,
        payload: payload.into(),
        occurred: answered.at,
    })
}

/// Time-ordered, and made of the key so that nothing random is needed.
fn event_id(answered: &Answered, event_type: EventType) -> Uuid {
    let digest = digest(&[answered.key.as_bytes(), event_type.as_str().as_bytes()]);
    let mut tail = [0; 10];
    tail.copy_from_slice(&digest[..10]);
    let millis = u64::try_from(answered.at.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
}

/// SHA-256 over parts, each with its length before it.
pub(super) fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// The first 16 bytes of a digest, in hexadecimal.
pub(super) fn short_hex(digest: [u8; 32]) -> String {
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}
