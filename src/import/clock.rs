//! The clock an import drives.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::DateTime;
use commands::Clock;
use domain::Timestamp;

/// Stands still unless it is moved, and never goes back. It starts at 1970, so that an engine
/// opened with it has seen no later time than the file's first.
#[derive(Debug, Default)]
pub struct ImportClock {
    milliseconds: AtomicI64,
}

impl ImportClock {
    /// Moves the clock on to `time`; an earlier time changes nothing.
    pub fn advance_to(&self, time: Timestamp) {
        self.milliseconds.fetch_max(time.timestamp_millis(), Ordering::Relaxed);
    }
}

impl Clock for ImportClock {
    fn now(&self) -> Timestamp {
        DateTime::from_timestamp_millis(self.milliseconds.load(Ordering::Relaxed))
            .unwrap_or(DateTime::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_goes_back() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let clock = ImportClock::default();
        clock.advance_to(at(20));
        clock.advance_to(at(10));
        assert_eq!(clock.now(), at(20));
    }
}
