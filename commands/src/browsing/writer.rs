//! Appends what was gathered, about once a second, and deletes what is too old.
//!
//! A process writes one stream in each period, that nobody else writes: so several may append to a
//! journal at once, and an append whose answer was lost is told from one that was never made by asking
//! for the very same again.

use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use domain::Timestamp;
use domain::browsing::BrowsingEvent;
use journal::{
    Category, EventType, Group, Journal, JournalError, NewEvent, StreamId, Unit, Verdict, Version,
};
use schemas::StoredEvent;
use tokio::sync::oneshot;

use super::log::{Forget, Shared};
use super::{BrowsingJournals, CATEGORY, Period, remove_expired};
use crate::{Clock, IdSource, Timer};

/// Most events in one append.
const BATCH_EVENTS: usize = 1_000;
/// A shorter window would keep a thread busy with nothing.
const WINDOW_MIN: Duration = Duration::from_millis(10);
/// How many times the pause between attempts is doubled while a journal is away: to half a minute.
const PAUSE_DOUBLED_MAX: u32 = 5;
/// How often to look for periods that are too old.
const CLEAR_EVERY: TimeDelta = TimeDelta::hours(1);

/// Writes what a [`BrowsingLog`](super::BrowsingLog) has taken. It blocks the thread that runs it while
/// a journal is opened or dropped.
pub struct BrowsingWriter {
    shared: Arc<Shared>,
    journals: Arc<dyn BrowsingJournals>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    open: Option<(Period, Arc<dyn Journal>)>,
    /// This process's stream in each period, and its version.
    streams: BTreeMap<Period, (StreamId, Version)>,
    queue: VecDeque<Batch>,
    clear_next: Option<Timestamp>,
    /// Attempts since the journal could last be written.
    failures: u32,
}

/// Events on their way into one append.
struct Batch {
    period: Period,
    events: Vec<NewEvent>,
    /// Hints in it.
    entries: usize,
    recorded: Vec<oneshot::Sender<Result<(), JournalError>>>,
}

impl BrowsingWriter {
    pub(super) fn new(
        shared: Arc<Shared>,
        journals: Arc<dyn BrowsingJournals>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Self {
        Self {
            shared,
            journals,
            clock,
            ids,
            open: None,
            streams: BTreeMap::new(),
            queue: VecDeque::new(),
            clear_next: None,
            failures: 0,
        }
    }

    /// Writes a window after another until `stop` resolves, and then the last one.
    pub async fn run(mut self, timer: Arc<dyn Timer>, stop: impl Future<Output = ()> + Send) {
        let mut stop = pin!(stop);
        let window = self.shared.options.window.max(WINDOW_MIN);
        loop {
            self.clear();
            let pause = window.saturating_mul(1 << self.failures.min(PAUSE_DOUBLED_MAX));
            let stopped = tokio::select! {
                biased;
                () = &mut stop => true,
                () = timer.sleep(pause) => false,
                () = self.shared.news.notified() => false,
            };
            if stopped {
                self.shared.pending().close();
            }
            self.write().await;
            if stopped {
                return;
            }
        }
    }

    /// Writes what has come so far. What cannot be written now stays, and is tried again next time.
    pub(super) async fn write(&mut self) {
        // What comes while an earlier window waits is counted together with what comes after it.
        if !self.write_queue().await {
            let why = self.shared.pending().away.clone().unwrap_or_default();
            let forgets = std::mem::take(&mut self.shared.pending().forgets);
            self.refuse(forgets, &why);
            return;
        }
        let (windows, forgets) = self.shared.pending().take();
        let now = self.clock.now();
        for (period, window) in windows {
            let events = window.into_events();
            self.enqueue(period, events, Vec::new());
        }
        for Forget { customer, at, done } in forgets {
            let event = BrowsingEvent::Forgotten { customer_id: customer };
            self.enqueue(Period::of(now), vec![(event, at)], vec![done]);
        }
        self.write_queue().await;
    }

    fn refuse(&self, forgets: Vec<Forget>, why: &str) {
        let refused = forgets.len();
        for forget in forgets {
            // Whoever asked may have gone.
            let _ = forget.done.send(Err(JournalError::Unavailable(why.to_owned())));
        }
        self.shared.pending().refused(refused);
    }

    fn enqueue(
        &mut self,
        period: Period,
        events: Vec<(BrowsingEvent, Timestamp)>,
        mut recorded: Vec<oneshot::Sender<Result<(), JournalError>>>,
    ) {
        let now = self.clock.now();
        let mut events = events.into_iter().peekable();
        while events.peek().is_some() {
            let mut entries = 0;
            let events: Vec<NewEvent> = events
                .by_ref()
                .take(BATCH_EVENTS)
                .map(|(event, occurred)| {
                    entries += match &event {
                        BrowsingEvent::Viewed { products, .. } => products.len(),
                        BrowsingEvent::Shown { products, .. } => products.len(),
                        BrowsingEvent::Forgotten { .. } => 1,
                    };
                    NewEvent {
                        id: self.ids.next(now),
                        event_type: EventType::from_static(event.event_type()),
                        schema_version: event.schema_version(),
                        payload: event.encode().into(),
                        occurred,
                    }
                })
                .collect();
            let recorded = std::mem::take(&mut recorded);
            self.queue.push_back(Batch { period, events, entries, recorded });
        }
    }

    /// Whether all of it is on record.
    async fn write_queue(&mut self) -> bool {
        while let Some(batch) = self.queue.pop_front() {
            match self.append(&batch).await {
                Ok(()) => {
                    self.failures = 0;
                    self.shared.written(batch.entries);
                    for done in batch.recorded {
                        let _ = done.send(Ok(()));
                    }
                }
                Err(error @ JournalError::Invalid(_)) => {
                    tracing::error!(%error, "browsing that no journal takes was dropped");
                    self.shared.given_up(batch.entries);
                    for done in batch.recorded {
                        let _ = done.send(Err(error.clone()));
                    }
                }
                Err(error) => {
                    if matches!(error, JournalError::Closed) {
                        self.open = None;
                    }
                    self.queue.push_front(batch);
                    self.refuse_queued(&error);
                    self.failures = self.failures.saturating_add(1);
                    let told = self.shared.pending().away.replace(error.to_string());
                    if told.is_none() {
                        tracing::warn!(%error, "browsing cannot be written now; trying again");
                    }
                    return false;
                }
            }
        }
        true
    }

    /// Tells all who wait. What they wait for is written all the same when the journal is back.
    fn refuse_queued(&mut self, error: &JournalError) {
        for batch in &mut self.queue {
            for done in std::mem::take(&mut batch.recorded) {
                let _ = done.send(Err(error.clone()));
            }
        }
    }

    async fn append(&mut self, batch: &Batch) -> Result<(), JournalError> {
        let journal = self.journal(batch.period)?;
        let now = self.clock.now();
        let ids = &self.ids;
        let (stream, version) = self.streams.entry(batch.period).or_insert_with(|| {
            (StreamId::of_uuid(Category::from_static(CATEGORY), ids.next(now)), 0)
        });
        let after = *version + batch.events.len() as u64;
        let group =
            Group { stream: stream.clone(), expected: *version, events: batch.events.clone() };
        let unit = Unit::new(vec![group], Arc::from("{}"));
        match journal.append(vec![unit]).await?.pop() {
            Some(Verdict::Committed { .. }) => {
                *version = after;
                Ok(())
            }
            // Nobody else writes this stream: an earlier attempt took effect, unheard.
            Some(Verdict::Conflict { actual, .. }) if actual == after => {
                *version = after;
                Ok(())
            }
            verdict => {
                self.streams.remove(&batch.period);
                Err(JournalError::Unavailable(format!("an append ended with {verdict:?}")))
            }
        }
    }

    fn journal(&mut self, period: Period) -> Result<Arc<dyn Journal>, JournalError> {
        if let Some((open, journal)) = &self.open
            && *open == period
        {
            return Ok(Arc::clone(journal));
        }
        // The earlier one first: a file is locked while it is open.
        self.open = None;
        let journal = self.journals.open(period)?;
        self.open = Some((period, Arc::clone(&journal)));
        Ok(journal)
    }

    /// Deletes the periods that are too old, once in a while.
    pub(super) fn clear(&mut self) {
        let now = self.clock.now();
        if self.clear_next.is_some_and(|next| now < next) {
            return;
        }
        self.clear_next = now.checked_add_signed(CLEAR_EVERY);
        let options = self.shared.options;
        let expired = |period: Period| options.is_expired(period, now);
        self.streams.retain(|period, _| !expired(*period));
        if self.open.as_ref().is_some_and(|(period, _)| expired(*period)) {
            self.open = None;
        }
        let (old, queue) = std::mem::take(&mut self.queue)
            .into_iter()
            .partition::<VecDeque<_>, _>(|batch: &Batch| expired(batch.period));
        self.queue = queue;
        self.shared.given_up(old.iter().map(|batch| batch.entries).sum());
        if let Err(error) = remove_expired(&*self.journals, &options, now) {
            tracing::warn!(%error, "old browsing could not be deleted; trying again in an hour");
        }
    }
}

impl Drop for BrowsingWriter {
    fn drop(&mut self) {
        let (windows, forgets) = {
            let mut pending = self.shared.pending();
            pending.close();
            pending.take()
        };
        // Those who wait are told that it is closed.
        drop(forgets);
        let queued: usize = self.queue.iter().map(|batch| batch.entries).sum();
        let lost = queued + windows.values().map(super::window::Window::len).sum::<usize>();
        if lost > 0 {
            self.shared.given_up(lost);
            tracing::warn!(hints = lost, "browsing that could not be written is lost");
        }
    }
}
