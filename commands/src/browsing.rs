//! What shoppers look at, in journals apart from the shop's: one for each month, so that it can be
//! deleted after a while, month by month. See `docs/adr/0015-browsing-has-journals-of-its-own.md`.
//!
//! [`BrowsingLog`] takes hints without waiting for any disk, [`BrowsingWriter`] appends them about once
//! a second, [`BrowsingReader`] hands on what is kept and what comes.

mod log;
mod period;
mod reader;
#[cfg(test)]
mod tests;
mod window;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use domain::Timestamp;
use journal::{Journal, JournalError};

pub use log::{BrowsingLog, BrowsingStats};
pub use period::{NotAPeriod, Period};
pub use reader::BrowsingReader;
pub use writer::BrowsingWriter;

/// Category of the streams in browsing journals, each of which one process wrote.
const CATEGORY: &str = "browsing";

/// How browsing is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrowsingOptions {
    /// Days, at least 1, after which what was looked at is not used any more. It is deleted with the
    /// rest of its month, once the month's last day is so old: at most 31 days later.
    pub retention_days: u32,
    /// How long hints are gathered before they are written. What was gathered is what a crash loses.
    pub window: Duration,
    /// Most hints in memory that are not written yet, a customer's views of one product being one. While
    /// there are so many, others are dropped and counted.
    pub pending_max: usize,
}

impl Default for BrowsingOptions {
    fn default() -> Self {
        Self { retention_days: 90, window: Duration::from_secs(1), pending_max: 50_000 }
    }
}

impl BrowsingOptions {
    /// What is older than this is not used any more.
    #[must_use]
    pub fn kept_since(&self, now: Timestamp) -> Timestamp {
        let kept = TimeDelta::days(i64::from(self.retention_days.max(1)));
        now.checked_sub_signed(kept).unwrap_or(Timestamp::MIN_UTC)
    }

    /// Whether all of the period is older than the retention.
    #[must_use]
    pub fn is_expired(&self, period: Period, now: Timestamp) -> bool {
        period.ends() <= self.kept_since(now)
    }
}

/// Where the journals of browsing are.
///
/// The calls block their thread, for as long as a server takes to answer or to be given up: whoever
/// makes them has a thread of its own.
pub trait BrowsingJournals: Send + Sync {
    /// The journal of this period, which is made if there is none. Those who open the same period
    /// share a journal, which closes when the last has dropped it.
    fn open(&self, period: Period) -> Result<Arc<dyn Journal>, JournalError>;

    /// The periods that there are, oldest first.
    fn list(&self) -> Result<Vec<Period>, JournalError>;

    /// Deletes a period with all that is in it; nothing if there is none.
    fn remove(&self, period: Period) -> Result<(), JournalError>;
}

/// Deletes the periods that are older than the retention; tells which. Safe to be run by several at
/// once.
///
/// # Errors
/// As the store has it; what was deleted before stays so.
pub fn remove_expired(
    journals: &dyn BrowsingJournals,
    options: &BrowsingOptions,
    now: Timestamp,
) -> Result<Vec<Period>, JournalError> {
    let mut expired = journals.list()?;
    expired.retain(|period| options.is_expired(*period, now));
    for period in &expired {
        journals.remove(*period)?;
        tracing::info!(%period, "browsing older than its retention was deleted");
    }
    Ok(expired)
}
