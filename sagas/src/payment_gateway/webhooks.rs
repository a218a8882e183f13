//! The sender of the sandbox's webhooks, which follows the ledger.
//!
//! The ledger itself is the outbox. The sender reads it in order from a cursor that it saves in
//! the ledger too, so a webhook owed when the process died is sent after the restart: at least
//! once, always with the same webhook id, by which the receiver drops repeats.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::payment::Operation;
use futures::future::{BoxFuture, Either, select};
use futures::stream::{FuturesUnordered, StreamExt};
use journal::{
    Category, EventType, Group, Journal, JournalError, NewEvent, Position, Recorded, StreamId,
    Unit, Verdict,
};
use serde::{Deserialize, Serialize};

use super::account::Answered;
use super::ledger::{ANSWERED_OWING, decode, digest, short_hex};
use super::rules::WebhookManner;
use super::{Clock, PaymentWebhook, SandboxOptions, Timer};
use crate::standard_webhooks::{SignedHeaders, WebhookSecrets};

const CURSOR: Category = Category::from_static("webhook_cursor");
const CURSOR_SAVED: EventType = EventType::from_static("sandbox.webhook_cursor_saved");
const PAGE_EVENTS: usize = 500;
/// Deliveries after which the cursor is saved even if others are under way.
const DELIVERIES_PER_SAVE: u64 = 256;
/// Positions after which the cursor is saved even without a delivery; bounds what a start reads.
const POSITIONS_PER_SAVE: u64 = 10_000;

/// Where webhooks go.
#[async_trait]
pub trait WebhookSink: Send + Sync {
    /// Posts `body`, byte for byte, with the three headers; returns the HTTP status. MUST give
    /// up after a time of its own.
    async fn deliver(&self, headers: &SignedHeaders, body: &[u8]) -> Result<u16, WebhookSinkError>;
}

/// No status came back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the webhook was not answered: {0}")]
pub struct WebhookSinkError(pub String);

pub(super) struct Sender {
    journal: Arc<dyn Journal>,
    sink: Arc<dyn WebhookSink>,
    secrets: WebhookSecrets,
    clock: Clock,
    timer: Arc<dyn Timer>,
    options: SandboxOptions,
}

/// How far the sender has come.
struct Progress {
    /// Read up to here.
    read: Position,
    page: VecDeque<Recorded>,
    under_way: BTreeSet<Position>,
    saved: Position,
    cursor_version: u64,
    delivered_unsaved: u64,
}

#[derive(Serialize, Deserialize)]
struct CursorSaved {
    position: Position,
}

impl Sender {
    pub(super) fn new(
        journal: Arc<dyn Journal>,
        sink: Arc<dyn WebhookSink>,
        secrets: WebhookSecrets,
        clock: Clock,
        timer: Arc<dyn Timer>,
        options: SandboxOptions,
    ) -> Self {
        Self { journal, sink, secrets, clock, timer, options }
    }

    /// Sends the webhook of a call whose reply waits for it.
    pub(super) async fn deliver_before_reply(&self, answered: &Answered) {
        self.deliver(answered).await;
    }

    pub(super) async fn run(&self) -> Result<(), JournalError> {
        match self.follow().await {
            Err(JournalError::Closed) => Ok(()),
            other => other,
        }
    }

    async fn follow(&self) -> Result<(), JournalError> {
        let mut progress = self.resume().await?;
        let mut under_way: FuturesUnordered<BoxFuture<'_, Position>> = FuturesUnordered::new();
        let in_flight_max = self.options.webhooks_in_flight_max.max(1);
        loop {
            while under_way.len() < in_flight_max {
                let Some(recorded) = self.next(&mut progress).await? else {
                    break;
                };
                if recorded.event_type == ANSWERED_OWING {
                    let answered: Answered = decode(&recorded)?;
                    progress.under_way.insert(recorded.position);
                    under_way.push(Box::pin(async move {
                        self.deliver(&answered).await;
                        recorded.position
                    }));
                }
            }
            self.save(&mut progress).await?;
            let done = if under_way.is_empty() {
                self.journal.wait_past(progress.read).await?;
                None
            } else if under_way.len() >= in_flight_max {
                under_way.next().await
            } else {
                let more = self.journal.wait_past(progress.read);
                match select(under_way.next(), more).await {
                    Either::Left((done, _)) => done,
                    Either::Right((more, _)) => more.map(|_| None)?,
                }
            };
            if let Some(position) = done {
                progress.under_way.remove(&position);
                progress.delivered_unsaved += 1;
            }
        }
    }

    async fn next(&self, progress: &mut Progress) -> Result<Option<Recorded>, JournalError> {
        if progress.page.is_empty() {
            progress.page = self.journal.read_all(progress.read, PAGE_EVENTS).await?.into();
        }
        let next = progress.page.pop_front();
        if let Some(recorded) = &next {
            progress.read = recorded.position;
        }
        Ok(next)
    }

    async fn resume(&self) -> Result<Progress, JournalError> {
        let stream = cursor_stream();
        let cursor_version = self.journal.stream_version(&stream).await?;
        let last = cursor_version.saturating_sub(1);
        let events = self.journal.read_stream(&stream, last, 1).await?;
        let saved = match events.first() {
            Some(recorded) => decode::<CursorSaved>(recorded)?.position,
            None => Position(0),
        };
        Ok(Progress {
            read: saved,
            page: VecDeque::new(),
            under_way: BTreeSet::new(),
            saved,
            cursor_version,
            delivered_unsaved: 0,
        })
    }

    /// Saves the position before the first delivery under way, when it is worth it. Never for
    /// the cursor's own event alone, or saving would go on for ever.
    async fn save(&self, progress: &mut Progress) -> Result<(), JournalError> {
        let position = match progress.under_way.first() {
            Some(first) => Position(first.0.saturating_sub(1)),
            None => progress.read,
        };
        let unsaved = progress.delivered_unsaved;
        let quiet = unsaved > 0 && progress.under_way.is_empty();
        let far = position.0.saturating_sub(progress.saved.0) >= POSITIONS_PER_SAVE;
        if position <= progress.saved || !(quiet || far || unsaved >= DELIVERIES_PER_SAVE) {
            return Ok(());
        }
        let invalid = |error: serde_json::Error| JournalError::Invalid(error.to_string());
        let payload = serde_json::to_string(&CursorSaved { position }).map_err(invalid)?;
        let now = (self.clock)();
        let mut tail = [0; 10];
        tail.copy_from_slice(&digest(&[b"cursor", &progress.cursor_version.to_be_bytes()])[..10]);
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        let unit = Unit::new(
            vec![Group {
                stream: cursor_stream(),
                expected: progress.cursor_version,
                events: vec![NewEvent {
                    id: uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid(),
                    event_type: CURSOR_SAVED,
                    schema_version: 1,
                    payload: payload.into(),
                    occurred: now,
                }],
            }],
            Arc::from(r#"{"actor":"sandbox"}"#),
        );
        match self.journal.append(vec![unit]).await?.pop() {
            Some(Verdict::Committed { .. }) => {
                progress.saved = position;
                progress.cursor_version += 1;
                progress.delivered_unsaved = 0;
                Ok(())
            }
            Some(_) | None => Err(JournalError::Unavailable(
                "another sender of the sandbox's webhooks is at work".to_owned(),
            )),
        }
    }

    async fn deliver(&self, answered: &Answered) {
        let Some(webhook) = PaymentWebhook::of(answered) else {
            return;
        };
        let Ok(body) = serde_json::to_vec(&webhook) else {
            tracing::error!(key = answered.key, "the sandbox's webhook cannot be written as JSON");
            return;
        };
        let id_digest = digest(&[answered.key.as_bytes(), webhook.kind.as_bytes()]);
        let id = format!("msg_{}", short_hex(id_digest));
        if let Some(until) = answered.pending_until
            && let Ok(wait) = until.signed_duration_since((self.clock)()).to_std()
        {
            self.timer.sleep(wait).await;
        }
        if answered.webhook == WebhookManner::OutOfOrder
            && answered.operation == Operation::Authorize
        {
            self.timer.sleep(self.options.out_of_order_hold).await;
        }
        let copies = if answered.webhook == WebhookManner::Twice { 2 } else { 1 };
        for _ in 0..copies {
            self.deliver_copy(&id, &body).await;
        }
    }

    /// Tries one copy until it is taken or the attempts are used up.
    async fn deliver_copy(&self, id: &str, body: &[u8]) {
        let mut waits = self.options.webhook_retry_waits.iter().copied();
        loop {
            // Signed afresh: a receiver refuses a timestamp that is too old.
            let headers = self.secrets.sign(id, (self.clock)(), body);
            let problem = match self.sink.deliver(&headers, body).await {
                Ok(200..=299) => return,
                Ok(status) => format!("status {status}"),
                Err(error) => error.to_string(),
            };
            let wait: Option<Duration> = waits.next();
            match wait {
                Some(wait) => {
                    tracing::debug!(id, problem, "the sandbox's webhook is tried again");
                    self.timer.sleep(wait).await;
                }
                None => {
                    tracing::warn!(id, problem, "the sandbox gave up on a webhook");
                    return;
                }
            }
        }
    }
}

fn cursor_stream() -> StreamId {
    StreamId::of_text(CURSOR, "sandbox")
}
