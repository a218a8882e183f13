//! The sandbox provider's books, kept in a journal of their own.
//!
//! Two streams take part in each operation that moves money, in one unit: `operation-<key>`,
//! which has one event for ever (so a key is worked once, whoever asks and however often), and
//! `account-<reference>`, whose version guards the payment's amounts. Nothing is rebuilt at
//! start: an account is read from its own short stream when it is not in the cache.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use journal::{
    Category, EventType, Group, Journal, JournalError, NewEvent, Recorded, StreamId, Unit, Verdict,
};
use lru::LruCache;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::account::{Account, Answered, Moved, Opened};
use super::rules::WebhookManner;

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
        let unit = Unit::new(groups, Arc::clone(&self.metadata));
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
            Some(_) | None => Err(JournalError::Unavailable("no verdict".to_owned())),
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
