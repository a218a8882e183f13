//! A stretch of the log and the messages it gives.

use std::num::NonZeroUsize;
use std::sync::Arc;

use journal::{Journal, JournalError, Position, Recorded, StreamId};
use lru::LruCache;
use schemas::public::PublicMessage;

use super::bus::Mark;
use super::translate::{PaymentFacts, Untold, concerns, translate, wants_payment};

/// Payments whose first event is remembered; most are captured moments after they began.
const PAYMENTS_KEPT: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();

/// Bytes of payload after which a stretch ends early: orders can have thousands of lines.
const BYTES_MAX: usize = 4 << 20;

/// What a stretch of the log says to the outside.
pub(super) struct Page {
    pub(super) messages: Vec<PublicMessage>,
    /// The last event looked at.
    pub(super) upto: Mark,
    /// How many were looked at.
    pub(super) events: u64,
    pub(super) unreadable: u64,
    /// The event after `upto` must be told by a newer release.
    pub(super) newer: Option<String>,
}

pub(super) struct Pages {
    journal: Arc<dyn Journal>,
    events_max: usize,
    payments: LruCache<StreamId, PaymentFacts>,
}

impl Pages {
    pub(super) fn new(journal: Arc<dyn Journal>, events_max: usize) -> Self {
        Self { journal, events_max, payments: LruCache::new(PAYMENTS_KEPT) }
    }

    pub(super) async fn read(&self, after: Position) -> Result<Vec<Recorded>, JournalError> {
        self.journal.read_all(after, self.events_max).await
    }

    /// Works out the messages of `events`, which follow `after`, or of the first of them.
    pub(super) async fn work_out(
        &mut self,
        after: Mark,
        events: &[Recorded],
    ) -> Result<Page, JournalError> {
        let mut page =
            Page { messages: Vec::new(), upto: after, events: 0, unreadable: 0, newer: None };
        let mut bytes = 0;
        for event in events {
            if bytes > BYTES_MAX {
                break;
            }
            bytes += event.payload.len();
            match self.message(event).await? {
                Ok(message) => page.messages.extend(message),
                Err(Untold::Newer(error)) => {
                    page.newer = Some(format!(
                        "event {} of {} cannot be told: {error}. A node of that release must do \
                         it; upgrade this one",
                        event.position.0, event.stream
                    ));
                    return Ok(page);
                }
                // No release will ever read it, so nothing is gained by stopping here.
                Err(error @ (Untold::Unreadable(_) | Untold::Foreign(_))) => {
                    let (position, stream) = (event.position.0, &event.stream);
                    tracing::error!(position, %stream, %error, "relay: an event cannot be read and is not told; `tillroll verify` names it");
                    page.unreadable += 1;
                }
            }
            page.upto = Mark { position: event.position, event: Some(event.id) };
            page.events += 1;
        }
        Ok(page)
    }

    async fn message(
        &mut self,
        event: &Recorded,
    ) -> Result<Result<Option<PublicMessage>, Untold>, JournalError> {
        // Told now, so that the payment's next events need no look-up.
        match PaymentFacts::of(event) {
            Ok(None) => {}
            Ok(Some(facts)) => {
                self.payments.put(event.stream.clone(), facts);
                return Ok(Ok(None));
            }
            Err(error) => return Ok(Err(error.into())),
        }
        if !concerns(event) {
            return Ok(Ok(None));
        }
        if wants_payment(event) && !self.payments.contains(&event.stream) {
            let first = self.journal.read_stream(&event.stream, 0, 1).await?;
            match first.first().map(PaymentFacts::of).transpose() {
                Ok(facts) => {
                    if let Some(facts) = facts.flatten() {
                        self.payments.put(event.stream.clone(), facts);
                    }
                }
                Err(error) => return Ok(Err(error.into())),
            }
        }
        let facts = self.payments.get(&event.stream);
        Ok(translate(self.journal.id(), event, facts))
    }
}
