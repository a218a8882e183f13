//! Hands on what is kept of browsing, oldest first, and then what comes.

use std::collections::{BTreeMap, HashSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use domain::browsing::BrowsingEvent;
use domain::{CustomerId, Timestamp};
use journal::{Journal, JournalError, Position, Recorded};
use schemas::StoredEvent;

use super::{BrowsingJournals, BrowsingOptions, Period};
use crate::{Clock, Timer};

/// Events read at once.
const PAGE: usize = 1_000;
/// How often to look for what is new.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long after its end a period is still looked at: other nodes may write their last windows late,
/// and have other clocks.
const LATE: TimeDelta = TimeDelta::hours(1);

/// Follows all periods, from the oldest kept one on. It blocks the thread that runs it while a journal
/// is opened, read or dropped.
///
/// Within a period events come in the journal's order, and periods one after another, but for what
/// was written late. What is older than the retention is passed over, and so are the views of a
/// customer who was forgotten, once that is known.
pub struct BrowsingReader {
    journals: Arc<dyn BrowsingJournals>,
    clock: Arc<dyn Clock>,
    options: BrowsingOptions,
    /// Periods that are not over, and how far they are read; all of them once they are listed.
    followed: BTreeMap<Period, Followed>,
    listed: bool,
    /// The last period that is over: a clock that is set back does not begin it anew.
    over: Option<Period>,
    forgotten: HashSet<CustomerId>,
    unreadable: u64,
}

#[derive(Default)]
struct Followed {
    journal: Option<Arc<dyn Journal>>,
    through: Position,
}

impl BrowsingReader {
    #[must_use]
    pub fn new(
        journals: Arc<dyn BrowsingJournals>,
        clock: Arc<dyn Clock>,
        options: BrowsingOptions,
    ) -> Self {
        Self {
            journals,
            clock,
            options,
            followed: BTreeMap::new(),
            listed: false,
            over: None,
            forgotten: HashSet::new(),
            unreadable: 0,
        }
    }

    /// Gives each event and its time to `each`, and goes on as more come until `stop` resolves.
    /// `caught_up` is called once, when everything has been given that there was.
    pub async fn run(
        mut self,
        timer: Arc<dyn Timer>,
        stop: impl Future<Output = ()> + Send,
        caught_up: impl FnOnce() + Send,
        mut each: impl FnMut(BrowsingEvent, Timestamp) + Send,
    ) {
        let mut stop = pin!(stop);
        let mut caught_up = Some(caught_up);
        let mut troubled = false;
        loop {
            let read = tokio::select! {
                biased;
                () = &mut stop => return,
                read = self.catch_up(&mut each) => read,
            };
            match read {
                Ok(_) => {
                    troubled = false;
                    if let Some(caught_up) = caught_up.take() {
                        caught_up();
                    }
                }
                Err(error) if !troubled => {
                    troubled = true;
                    tracing::warn!(%error, "browsing cannot be read now; trying again");
                }
                Err(_) => {}
            }
            tokio::select! {
                biased;
                () = &mut stop => return,
                () = timer.sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Gives everything that has come since the last call to `each`; returns how many events that were.
    ///
    /// # Errors
    /// The journal's. What was given before is not given again; a later call goes on.
    pub async fn catch_up(
        &mut self,
        each: &mut (impl FnMut(BrowsingEvent, Timestamp) + Send),
    ) -> Result<u64, JournalError> {
        let now = self.clock.now();
        let live = Period::of(now);
        if !self.listed {
            for period in self.journals.list()? {
                if !self.options.is_expired(period, now) {
                    self.followed.entry(period).or_default();
                }
            }
            self.listed = true;
        }
        if self.over.is_none_or(|over| over < live) {
            self.followed.entry(live).or_default();
        }
        let periods: Vec<Period> = self.followed.keys().copied().collect();
        let mut given = 0;
        for period in periods {
            match self.read(period, now, &mut given, each).await {
                Ok(()) => {}
                Err(error) => {
                    if self.is_gone(period, live)? {
                        self.followed.remove(&period);
                        continue;
                    }
                    return Err(error);
                }
            }
            let over = period.ends().checked_add_signed(LATE).is_some_and(|over| over <= now);
            if over && period < live {
                self.followed.remove(&period);
                self.over = self.over.max(Some(period));
            }
        }
        Ok(given)
    }

    /// Events that nobody here can read, and that were passed over.
    #[must_use]
    pub fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// Whether somebody has deleted the period meanwhile.
    fn is_gone(&self, period: Period, live: Period) -> Result<bool, JournalError> {
        Ok(period < live && !self.journals.list()?.contains(&period))
    }

    async fn read(
        &mut self,
        period: Period,
        now: Timestamp,
        given: &mut u64,
        each: &mut (impl FnMut(BrowsingEvent, Timestamp) + Send),
    ) -> Result<(), JournalError> {
        let kept_since = self.options.kept_since(now);
        loop {
            let Some(followed) = self.followed.get_mut(&period) else { return Ok(()) };
            let journal = match &followed.journal {
                Some(journal) => Arc::clone(journal),
                None => {
                    let journal = self.journals.open(period)?;
                    Arc::clone(followed.journal.insert(journal))
                }
            };
            let events = match journal.read_all(followed.through, PAGE).await {
                Ok(events) => events,
                Err(error) => {
                    followed.journal = None;
                    return Err(error);
                }
            };
            let Some(last) = events.last() else { return Ok(()) };
            followed.through = last.position;
            for recorded in &events {
                if recorded.occurred < kept_since {
                    continue;
                }
                if let Some(event) = self.event(recorded) {
                    *given += 1;
                    each(event, recorded.occurred);
                }
            }
        }
    }

    /// What is to be given of it.
    fn event(&mut self, recorded: &Recorded) -> Option<BrowsingEvent> {
        let name = recorded.event_type.as_str();
        match BrowsingEvent::decode(name, recorded.schema_version, &recorded.payload) {
            Ok(BrowsingEvent::Viewed { customer_id: Some(customer), .. })
                if self.forgotten.contains(&customer) =>
            {
                None
            }
            Ok(event) => {
                if let BrowsingEvent::Forgotten { customer_id } = &event {
                    self.forgotten.insert(*customer_id);
                }
                Some(event)
            }
            Err(error) => {
                if self.unreadable == 0 {
                    tracing::warn!(%error, "browsing that cannot be read is passed over");
                }
                self.unreadable += 1;
                None
            }
        }
    }
}
