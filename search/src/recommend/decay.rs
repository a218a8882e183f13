//! How what happened loses weight with time: by half for each half-life.

use domain::Timestamp;

const SECONDS_OF_DAY: f64 = 86_400.0;

/// Weight at `now` of what happened at `at`, 0 to 1. What lies in the future counts as now: clocks
/// of several nodes differ.
pub(super) fn weight(at: Timestamp, now: Timestamp, half_life_days: f64) -> f32 {
    let days = (now - at).num_seconds().max(0) as f64 / SECONDS_OF_DAY;
    (-days / half_life_days).exp2() as f32
}

/// A sum whose parts decay. Kept as what it is worth at one instant, so it takes no more room the
/// more is added.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DecayingSum {
    worth: f32,
    at: Timestamp,
}

impl DecayingSum {
    /// Adds an amount as of `at`, which may be before what was added last.
    pub(super) fn add(&mut self, amount: f32, at: Timestamp, half_life_days: f64) {
        if at >= self.at {
            self.worth = self.at(at, half_life_days) + amount;
            self.at = at;
        } else {
            self.worth += amount * weight(at, self.at, half_life_days);
        }
    }

    pub(super) fn at(&self, now: Timestamp, half_life_days: f64) -> f32 {
        self.worth * weight(self.at, now, half_life_days)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn day(days: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::days(10_000 + days)
    }

    #[test]
    fn half_is_left_after_a_half_life_and_the_future_counts_as_now() {
        assert!((weight(day(0), day(30), 30.0) - 0.5).abs() < 1e-6);
        assert!((weight(day(0), day(60), 30.0) - 0.25).abs() < 1e-6);
        assert_eq!(weight(day(9), day(0), 30.0), 1.0);
    }

    proptest! {
        #[test]
        fn a_sum_is_the_same_in_whatever_order_its_parts_come(
            parts in prop::collection::vec((0f32..10.0, 0i64..300), 1..30)
        ) {
            let sum = |parts: &[(f32, i64)]| {
                let mut sum = DecayingSum::default();
                for (amount, at) in parts {
                    sum.add(*amount, day(*at), 30.0);
                }
                sum.at(day(300), 30.0)
            };
            let mut sorted = parts.clone();
            sorted.sort_by_key(|(_, at)| *at);
            let (given, sorted) = (sum(&parts), sum(&sorted));
            let plain: f32 = parts.iter().map(|(amount, at)| amount * weight(day(*at), day(300), 30.0)).sum();
            prop_assert!((given - sorted).abs() < 1e-3 && (given - plain).abs() < 1e-3);
        }
    }
}
