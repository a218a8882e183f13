//! When a part of the background work is tried next.

use std::time::Duration;

use tokio::time::Instant;

/// How long a part rests when it has nothing to do, and at first when it failed.
const REST: Duration = Duration::from_millis(500);
/// How long it rests at most, however often it failed.
const REST_MAX: Duration = Duration::from_secs(60);

/// One of several parts that go on without each other: one that fails keeps no other from its work,
/// and is tried less and less often.
pub(super) struct Pace {
    part: &'static str,
    next: Instant,
    failures: u32,
    said: String,
}

impl Pace {
    pub(super) fn new(part: &'static str, now: Instant) -> Self {
        Self { part, next: now, failures: 0, said: String::new() }
    }

    /// Does a piece of the part, if it is its time; `work` says whether there is more to do at once.
    pub(super) fn attempt(
        &mut self,
        now: Instant,
        work: impl FnOnce() -> Result<bool, String>,
    ) -> bool {
        if now < self.next {
            return false;
        }
        match work() {
            Ok(more) => {
                self.failures = 0;
                self.said.clear();
                self.next = if more { now } else { now + REST };
                more
            }
            Err(error) => {
                let rest = REST.saturating_mul(1 << self.failures.min(16)).min(REST_MAX);
                self.failures += 1;
                self.next = now + rest;
                if self.said != error {
                    tracing::warn!(part = self.part, error, "not brought up to date");
                    self.said = error;
                }
                false
            }
        }
    }

    pub(super) fn next(&self) -> Instant {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_is_tried_less_and_less_often_until_it_works() {
        let start = Instant::now();
        let mut pace = Pace::new("part", start);
        let mut at = start;
        let mut rests = Vec::new();
        for _ in 0..10 {
            assert!(!pace.attempt(at, || Err("full".to_owned())));
            assert!(!pace.attempt(at, || panic!("too early")));
            rests.push((pace.next() - at).as_millis());
            at = pace.next();
        }
        assert_eq!(rests[..4], [500, 1_000, 2_000, 4_000]);
        assert_eq!(rests[8..], [60_000, 60_000]);
        assert!(pace.attempt(at, || Ok(true)));
        assert_eq!(pace.next(), at);
        assert!(!pace.attempt(at, || Ok(false)));
        assert_eq!(pace.next(), at + REST);
        assert!(!pace.attempt(at + REST, || Err("full".to_owned())));
        assert_eq!(pace.next(), at + REST + REST);
    }
}
