//! Periods that browsing is kept by: calendar months, UTC.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate, NaiveTime};
use domain::Timestamp;

/// A calendar month in UTC, written `2026-11`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    year: i32,
    /// 1 to 12.
    month: u32,
}

impl Period {
    /// The period that this instant is in.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        Self { year: at.year(), month: at.month() }
    }

    #[must_use]
    pub fn previous(self) -> Self {
        match self.month {
            1 => Self { year: self.year.saturating_sub(1), month: 12 },
            month => Self { month: month - 1, ..self },
        }
    }

    #[must_use]
    pub fn next(self) -> Self {
        match self.month {
            12 => Self { year: self.year.saturating_add(1), month: 1 },
            month => Self { month: month + 1, ..self },
        }
    }

    /// Its first instant.
    #[must_use]
    pub fn begins(self) -> Timestamp {
        // Time itself has no month that begins before it, or after its end.
        NaiveDate::from_ymd_opt(self.year, self.month, 1)
            .map_or(Timestamp::MAX_UTC, |day| day.and_time(NaiveTime::MIN).and_utc())
    }

    /// The first instant after it.
    #[must_use]
    pub fn ends(self) -> Timestamp {
        self.next().begins()
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text that names no period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a month: expected a year and a month, such as 2026-11")]
pub struct NotAPeriod(String);

impl FromStr for Period {
    type Err = NotAPeriod;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || NotAPeriod(text.to_owned());
        let number = |digits: &str, count: usize| {
            let plain = digits.len() == count && digits.bytes().all(|byte| byte.is_ascii_digit());
            if plain { digits.parse::<u32>().ok() } else { None }
        };
        let (year, month) = text.split_once('-').ok_or_else(wrong)?;
        let year = number(year, 4).and_then(|year| i32::try_from(year).ok()).ok_or_else(wrong)?;
        let month = number(month, 2).filter(|month| (1..=12).contains(month)).ok_or_else(wrong)?;
        Ok(Self { year, month })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_ends_where_the_next_begins() {
        let last: Timestamp = "2026-11-30T23:59:59.999999Z".parse().unwrap();
        let november = Period::of(last);
        assert_eq!(november.to_string(), "2026-11");
        let first: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
        assert_eq!(november.ends(), first);
        let december = Period::of(first);
        assert_eq!((december, december.begins()), (november.next(), first));
        assert_eq!(december.next().to_string(), "2027-01");
        assert_eq!(december.next().previous(), december);
        assert!(november < december && december < december.next());
    }

    #[test]
    fn a_period_is_read_as_it_is_written_and_nothing_else_is() {
        assert_eq!("2026-11".parse::<Period>().unwrap().to_string(), "2026-11");
        for text in ["", "2026", "2026-13", "2026-00", "2026-1", "26-11", "2026-11-01", "+026-11"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_ends_of_time_have_periods_too() {
        for at in [Timestamp::MIN_UTC, Timestamp::MAX_UTC] {
            let period = Period::of(at);
            assert!(period.begins() <= period.ends());
        }
    }
}
