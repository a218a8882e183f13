//! Holds a whole data directory against the laws that must hold after anything, always.
//!
//! Each law is an object in a file of its own, fed with the events in journal order; a test or a
//! simulation gives the same objects the events of a journal in memory:
//!
//! ```
//! # let events: Vec<journal::Recorded> = Vec::new();
//! let mut laws = tillroll::verify::Laws::all();
//! for event in &events {
//!     laws.observe(event);
//! }
//! assert!(laws.finish().iter().all(|law| law.holds()));
//! ```
//!
//! [`run`] reads the journal once, streaming, and only reads: it works beside a running server and
//! judges what is there up to the head it found at its start.

pub mod events;
mod findings;
mod journal_file;
mod laws;
pub mod liveness;
pub mod money;
pub mod once;
pub mod orders;
pub mod provider;
mod read_models;
pub mod requests;
pub mod reservations;
mod rows;
pub mod stock;
mod stock_ledger;
pub mod streams;
mod unique;

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failing test panics")]
mod disk_tests;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failing test panics")]
pub(crate) mod history;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failing test panics")]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::PaymentId;
use journal::{Category, Journal, JournalError, Position, StreamId};
use sagas::payment_gateway::LedgerReader;
use schemas::{AnyEvent, decode_any_all};
use serde::Serialize;

pub use findings::{Findings, KEPT_MAX, LawReport, Place, Violation};
pub use laws::{Law, Laws, Observed};
pub use read_models::RebuildError;

use crate::block_on::block_on;
use crate::compose::Stores;

/// The sandbox's name in payments.
const SANDBOX_PROVIDER: &str = "sandbox";

const BATCH_EVENTS: usize = 8_192;

/// What is to be checked.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Build every read model again and compare its rows: about as long as a rebuild takes.
    pub read_models: bool,
    /// Check the sums, links and heads of the journal's file.
    pub file: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { read_models: true, file: true }
    }
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The journal's file: sums, links, heads.
    File,
    /// The events against the laws.
    Laws,
    /// The read models against the events.
    ReadModels,
}

/// How far it is.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Progress {
    pub phase: Phase,
    /// Events of this phase that are done, of `total`.
    pub done: u64,
    pub total: u64,
    pub events_per_s: u64,
    /// Of this phase, at this rate; `None` while there is no rate.
    pub seconds_left: Option<u64>,
}

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct VerifyReport {
    /// Everything up to this position was looked at.
    pub head: Position,
    pub events: u64,
    pub seconds: f64,
    pub laws: Vec<LawReport>,
}

impl VerifyReport {
    /// Whether every law holds. What is pending does not count.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.laws.iter().all(LawReport::holds)
    }

    #[must_use]
    pub fn violations(&self) -> u64 {
        self.laws.iter().map(|law| law.violation_count).sum()
    }
}

/// Why a directory could not be checked. What is wrong with its contents is in the report.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("there is no journal at {0}")]
    NoJournal(String),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("the sandbox's ledger: {0}")]
    Ledger(#[source] JournalError),
    #[error(transparent)]
    ReadModels(#[from] RebuildError),
}

/// Checks all that is in `stores`. Blocks its thread; needs no runtime.
///
/// # Errors
/// When something cannot be read at all; violations are in the report.
pub fn run(
    stores: &Stores,
    options: Options,
    progress: &mut dyn FnMut(&Progress),
) -> Result<VerifyReport, VerifyError> {
    let began = Instant::now();
    let file = stores.journal.file();
    if file.is_some_and(|path| !path.is_file()) {
        return Err(VerifyError::NoJournal(stores.journal.to_string()));
    }
    let journal = stores.read_journal()?;
    // Read before the head is: a movement at the provider has its intent on record before it, so
    // whatever the ledger says is explained by events up to a later head.
    let agreement = agreement(stores, &journal)?;
    let head = journal.head();

    let mut reports = Vec::new();
    if let Some(path) = file.filter(|_| options.file) {
        let mut pace = Pace::new(Phase::File, progress);
        reports.push(journal_file::check(path, &mut |done, total| pace.at(done.0, total.0))?);
    }
    let mut laws = Laws::all();
    if let Some(agreement) = agreement {
        laws = laws.and(Box::new(agreement));
    }
    let mut pace = Pace::new(Phase::Laws, progress);
    let mut at = Position(0);
    while at < head {
        let batch = block_on(journal.read_all(at, BATCH_EVENTS))?;
        let Some(last) = batch.last() else { break };
        at = last.position;
        for event in batch.iter().filter(|event| event.position <= head) {
            laws.observe(event);
        }
        pace.at(at.min(head).0, head.0);
    }
    let events = laws.events();
    reports.extend(laws.finish());

    if options.read_models && stores.has_read_models() {
        let models = stores.read_models().map_err(RebuildError::from)?;
        let mut pace = Pace::new(Phase::ReadModels, progress);
        reports.push(read_models::check(&journal, &models, &mut |done| pace.at(done.0, head.0))?);
    }
    Ok(VerifyReport { head, events, seconds: began.elapsed().as_secs_f64(), laws: reports })
}

/// The sandbox's ledger as it is now, if there is one.
fn agreement(
    stores: &Stores,
    journal: &Arc<dyn Journal>,
) -> Result<Option<provider::Agreement>, VerifyError> {
    let Some(ledger) = stores.read_sandbox().map_err(VerifyError::Ledger)? else {
        return Ok(None);
    };
    let reader = LedgerReader::new(ledger);
    let totals = block_on(reader.totals()).map_err(VerifyError::Ledger)?;
    let journal = Arc::clone(journal);
    let look_again = move |payment_id: PaymentId, reference: Option<&str>| {
        // Long enough for an answer on its way to be written down.
        std::thread::sleep(Duration::from_millis(100));
        let totals = match reference {
            Some(reference) => block_on(reader.payment(reference)).ok()?,
            None => block_on(reader.totals())
                .ok()?
                .into_values()
                .find(|totals| totals.payment_id == payment_id),
        };
        let stream = StreamId::of_uuid(Category::from_static("payment"), payment_id.uuid());
        let mut events = Vec::new();
        for event in block_on(journal.read_stream(&stream, 0, usize::MAX)).ok()? {
            let name = event.event_type.as_str();
            let said = decode_any_all(name, event.schema_version, &event.payload).ok()?;
            events.extend(said.into_iter().filter_map(|said| match said {
                AnyEvent::Payment(said) => Some(said),
                _ => None,
            }));
        }
        Some(provider::Fresh { events, totals })
    };
    Ok(Some(provider::Agreement::new(SANDBOX_PROVIDER, totals, Box::new(look_again))))
}

/// Works out rate and time left, and tells them at most ten times a second.
struct Pace<'a> {
    phase: Phase,
    began: Instant,
    told: Option<Instant>,
    tell: &'a mut dyn FnMut(&Progress),
}

impl<'a> Pace<'a> {
    fn new(phase: Phase, tell: &'a mut dyn FnMut(&Progress)) -> Self {
        Self { phase, began: Instant::now(), told: None, tell }
    }

    fn at(&mut self, done: u64, total: u64) {
        let recently = self.told.is_some_and(|told| told.elapsed() < Duration::from_millis(100));
        if recently && done < total {
            return;
        }
        self.told = Some(Instant::now());
        let elapsed_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        let events_per_s = done.saturating_mul(1_000) / elapsed_ms;
        (self.tell)(&Progress {
            phase: self.phase,
            done,
            total: total.max(done),
            events_per_s,
            seconds_left: total.saturating_sub(done).checked_div(events_per_s),
        });
    }
}
