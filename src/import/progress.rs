//! How far an import is.

use std::time::Duration;

/// What an import is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reads and checks the file; counted in rows, their number not known yet.
    Reading,
    /// Products and stock; counted in products.
    Catalogue,
    /// Orders, returns and whatever else happened, in time order; counted in documents.
    Orders,
}

/// A moment of an import.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    pub stage: Stage,
    pub done: u64,
    /// `None` while it is not known.
    pub total: Option<u64>,
    /// Since the stage began.
    pub elapsed: Duration,
}

impl Progress {
    /// Done per second, so far.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "shown to a person, rounded")]
    pub fn rate(&self) -> f64 {
        self.done as f64 / self.elapsed.as_secs_f64().max(0.001)
    }

    /// Time left at the rate so far.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "shown to a person, rounded")]
    pub fn left(&self) -> Option<Duration> {
        let left = self.total?.saturating_sub(self.done) as f64;
        (self.done > 0).then(|| Duration::try_from_secs_f64(left / self.rate()).ok())?
    }
}

/// Called now and then, from the task that imports.
pub type Watch<'a> = &'a (dyn Fn(Progress) + Send + Sync);
