//! Takes hints in, from any thread, without waiting.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use domain::browsing::Place;
use domain::{CustomerId, ProductId, Timestamp};
use journal::JournalError;
use tokio::sync::{Notify, oneshot};

use super::window::{Impression, Window};
use super::{BrowsingJournals, BrowsingOptions, BrowsingWriter, Period};
use crate::{Clock, IdSource};

/// What the log and its writer share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: BrowsingOptions,
    pending: Mutex<Pending>,
    /// Wakes the writer before the window is over.
    pub(super) news: Notify,
    written: AtomicU64,
    dropped: AtomicU64,
}

/// What is not written yet.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) windows: BTreeMap<Period, Window>,
    pub(super) forgets: Vec<Forget>,
    /// Entries in the windows, and forgets.
    entries: usize,
    /// Entries that the writer has taken and not written.
    taken: usize,
    /// Why nothing could be written last time.
    pub(super) away: Option<String>,
    closed: bool,
}

/// A customer to be forgotten, and who waits for that to be on record.
#[derive(Debug)]
pub(super) struct Forget {
    pub(super) customer: CustomerId,
    pub(super) at: Timestamp,
    pub(super) done: oneshot::Sender<Result<(), JournalError>>,
}

/// What has become of hints since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BrowsingStats {
    /// Hints that are on record; a customer's views of one product within a window are one.
    pub written: u64,
    /// Hints that were dropped: too many were waiting, or the engine was closing.
    pub dropped: u64,
    /// Hints in memory alone.
    pub pending: usize,
    /// Why the journal could not be written last time.
    pub away: Option<String>,
}

/// Takes what shoppers look at and are shown. Cheap to clone.
///
/// Nobody waits for it: what is taken is written about a window later, and lost if the process dies
/// before. Only [`Self::erase`] waits.
#[derive(Debug, Clone)]
pub struct BrowsingLog(Arc<Shared>);

impl BrowsingLog {
    /// A log, and the writer that must be run for anything of it to be kept.
    pub fn new(
        options: BrowsingOptions,
        journals: Arc<dyn BrowsingJournals>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> (Self, BrowsingWriter) {
        let shared = Arc::new(Shared {
            options,
            pending: Mutex::default(),
            news: Notify::new(),
            written: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        });
        (Self(Arc::clone(&shared)), BrowsingWriter::new(shared, journals, clock, ids))
    }

    /// A product's page was looked at; by a guest if there is no customer.
    pub fn viewed(&self, customer: Option<CustomerId>, product: ProductId, at: Timestamp) {
        self.0.take(at, [product], |window, product, room| {
            window.viewed(customer, product, at, room)
        });
    }

    /// Products were put before a shopper.
    pub fn shown(&self, place: Place, products: &[ProductId], at: Timestamp) {
        self.0.take(at, products.iter().copied(), |window, product, room| {
            window.impression(place, product, Impression::Shown, at, room)
        });
    }

    /// A shopper clicked a product that was shown there.
    pub fn clicked(&self, place: Place, product: ProductId, at: Timestamp) {
        self.0.take(at, [product], |window, product, room| {
            window.impression(place, product, Impression::Clicked, at, room)
        });
    }

    /// Has what this customer looked at used no more, by any node, now or after a restart. Returns
    /// when that is on record. Harmless when repeated.
    ///
    /// # Errors
    /// `Unavailable` when it could not be recorded, or too much is waiting, and `Closed`: repeat it.
    pub async fn erase(&self, customer: CustomerId, at: Timestamp) -> Result<(), JournalError> {
        let (done, recorded) = oneshot::channel();
        self.0.forget(Forget { customer, at, done })?;
        self.0.news.notify_one();
        recorded.await.unwrap_or(Err(JournalError::Closed))
    }

    #[must_use]
    pub fn stats(&self) -> BrowsingStats {
        let pending = self.0.pending();
        BrowsingStats {
            written: self.0.written.load(Ordering::Relaxed),
            dropped: self.0.dropped.load(Ordering::Relaxed),
            pending: pending.entries + pending.taken,
            away: pending.away.clone(),
        }
    }
}

impl Shared {
    pub(super) fn pending(&self) -> MutexGuard<'_, Pending> {
        match self.pending.lock() {
            Ok(pending) => pending,
            Err(poisoned) => poisoned.into_inner(),
        }
    }

    fn take(
        &self,
        at: Timestamp,
        products: impl IntoIterator<Item = ProductId>,
        mut count: impl FnMut(&mut Window, ProductId, bool) -> Option<usize>,
    ) {
        let mut dropped = 0;
        let mut pending = self.pending();
        let before = pending.entries;
        for product in products {
            let room = !pending.is_full(&self.options);
            let took = match pending.closed {
                true => None,
                false => count(pending.windows.entry(Period::of(at)).or_default(), product, room),
            };
            match took {
                Some(entries) => pending.entries += entries,
                None => dropped += 1,
            }
        }
        let half = self.options.pending_max / 2;
        let half_full = before <= half && pending.entries > half;
        drop(pending);
        if dropped > 0 {
            self.dropped(dropped);
        }
        if half_full {
            self.news.notify_one();
        }
    }

    fn forget(&self, forget: Forget) -> Result<(), JournalError> {
        let mut pending = self.pending();
        if pending.closed {
            return Err(JournalError::Closed);
        }
        if pending.is_full(&self.options) {
            let why = "too much of what was looked at is waiting to be written".to_owned();
            return Err(JournalError::Unavailable(why));
        }
        let forgotten: usize =
            pending.windows.values_mut().map(|window| window.forget(forget.customer)).sum();
        pending.entries = pending.entries + 1 - forgotten;
        pending.forgets.push(forget);
        Ok(())
    }

    pub(super) fn dropped(&self, hints: usize) {
        self.dropped.fetch_add(hints as u64, Ordering::Relaxed);
    }

    /// The writer has these entries on record.
    pub(super) fn written(&self, entries: usize) {
        self.written.fetch_add(entries as u64, Ordering::Relaxed);
        let mut pending = self.pending();
        pending.taken = pending.taken.saturating_sub(entries);
        pending.away = None;
    }

    /// The writer has given these entries up.
    pub(super) fn given_up(&self, entries: usize) {
        self.dropped(entries);
        let mut pending = self.pending();
        pending.taken = pending.taken.saturating_sub(entries);
    }
}

impl Pending {
    fn is_full(&self, options: &BrowsingOptions) -> bool {
        self.entries + self.taken >= options.pending_max
    }

    /// Everything, for the writer.
    pub(super) fn take(&mut self) -> (BTreeMap<Period, Window>, Vec<Forget>) {
        self.taken += std::mem::take(&mut self.entries);
        (std::mem::take(&mut self.windows), std::mem::take(&mut self.forgets))
    }

    /// So many customers could not be forgotten now.
    pub(super) fn refused(&mut self, forgets: usize) {
        self.entries = self.entries.saturating_sub(forgets);
    }

    /// Nothing more is taken in.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }
}
