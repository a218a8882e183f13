//! What a law found: how much it looked at, what breaks it, and what is still under way.

use journal::{Position, Recorded};
use serde::Serialize;

/// Violations and pending matters kept word for word; the rest are counted only.
pub const KEPT_MAX: usize = 20;

/// Something that must never be, and where it shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Position of the event that shows it; 0 where it is in no event of the journal.
    pub position: Position,
    /// The stream it is in, or the file or payment it is about.
    pub stream: String,
    pub expected: String,
    pub seen: String,
}

/// What a law has found so far.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    checked: u64,
    violations: Vec<Violation>,
    violation_count: u64,
    pending: Vec<String>,
    pending_count: u64,
}

impl Findings {
    /// Counts one thing that was looked at.
    pub fn checked(&mut self) {
        self.checked += 1;
    }

    /// Counts things that were looked at elsewhere.
    pub fn checked_many(&mut self, count: u64) {
        self.checked += count;
    }

    pub fn violation(
        &mut self,
        place: &Place,
        expected: impl Into<String>,
        seen: impl Into<String>,
    ) {
        self.violation_count += 1;
        if self.violations.len() < KEPT_MAX {
            self.violations.push(Violation {
                position: place.position,
                stream: place.stream.clone(),
                expected: expected.into(),
                seen: seen.into(),
            });
        }
    }

    /// Counts violations that are not kept word for word.
    pub fn more_violations(&mut self, count: u64) {
        self.violation_count += count;
    }

    /// Something that is not settled yet, and is no violation for that.
    pub fn pending(&mut self, what: impl Into<String>) {
        self.pending_count += 1;
        if self.pending.len() < KEPT_MAX {
            self.pending.push(what.into());
        }
    }

    /// Reports a violation unless `holds`.
    pub fn require(
        &mut self,
        holds: bool,
        event: &Recorded,
        expected: impl FnOnce() -> String,
        seen: impl FnOnce() -> String,
    ) {
        if !holds {
            self.violation(&Place::of(event), expected(), seen());
        }
    }

    #[must_use]
    pub fn into_report(self, name: &'static str, says: &'static str) -> LawReport {
        LawReport {
            name,
            says,
            checked: self.checked,
            violations: self.violations,
            violation_count: self.violation_count,
            pending: self.pending,
            pending_count: self.pending_count,
        }
    }
}

/// Where a violation shows.
#[derive(Debug, Clone)]
pub struct Place {
    pub position: Position,
    pub stream: String,
}

impl Place {
    #[must_use]
    pub fn of(event: &Recorded) -> Self {
        Self { position: event.position, stream: event.stream.to_string() }
    }

    /// A place that is in no event of the journal.
    #[must_use]
    pub fn outside(what: impl Into<String>) -> Self {
        Self { position: Position(0), stream: what.into() }
    }
}

/// How one law stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LawReport {
    pub name: &'static str,
    /// The law, in one line.
    pub says: &'static str,
    /// How many things were held against it.
    pub checked: u64,
    /// The first [`KEPT_MAX`] violations, in the order they were found.
    pub violations: Vec<Violation>,
    pub violation_count: u64,
    /// The first [`KEPT_MAX`] matters that are still under way.
    pub pending: Vec<String>,
    pub pending_count: u64,
}

impl LawReport {
    #[must_use]
    pub fn holds(&self) -> bool {
        self.violation_count == 0
    }
}
