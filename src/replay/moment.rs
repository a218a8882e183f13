//! Moments to look at, as people write them.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use journal::{Position, Recorded};

use super::ReplayError;

/// A place in time or in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Time(DateTime<Utc>),
    Position(Position),
}

impl Moment {
    /// Reads a moment; a date is the first instant of that day, UTC.
    ///
    /// # Errors
    /// `NotAMoment`.
    pub fn starting(text: &str) -> Result<Self, ReplayError> {
        match date(text) {
            Some(midnight) => Ok(Self::Time(midnight)),
            None => text.parse(),
        }
    }

    /// Whether the event is at or before the moment, by business time.
    #[must_use]
    pub fn includes(&self, event: &Recorded) -> bool {
        match self {
            Self::Time(time) => event.occurred <= *time,
            Self::Position(position) => event.position <= *position,
        }
    }

    /// Whether the event is at or after the moment, by business time.
    #[must_use]
    pub fn precedes(&self, event: &Recorded) -> bool {
        match self {
            Self::Time(time) => *time <= event.occurred,
            Self::Position(position) => *position <= event.position,
        }
    }
}

/// RFC 3339, a date (the last instant of that day, UTC), or `@` and a position.
impl FromStr for Moment {
    type Err = ReplayError;

    fn from_str(text: &str) -> Result<Self, ReplayError> {
        let text = text.trim();
        if let Some(position) = text.strip_prefix('@').and_then(|number| number.parse().ok()) {
            return Ok(Self::Position(Position(position)));
        }
        if let Some(midnight) = date(text) {
            return Ok(Self::Time(midnight + TimeDelta::days(1) - TimeDelta::microseconds(1)));
        }
        DateTime::parse_from_rfc3339(text)
            .map(|time| Self::Time(time.to_utc()))
            .map_err(|_| ReplayError::NotAMoment(text.chars().take(40).collect()))
    }
}

fn date(text: &str) -> Option<DateTime<Utc>> {
    let day = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok()?;
    Some(day.and_time(NaiveTime::MIN).and_utc())
}

/// Which events count: those that had occurred, and those that were known, by some moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct AsOf {
    /// By business time, or by position; all if `None`.
    pub at: Option<Moment>,
    /// By the time of recording; all if `None`.
    pub recorded_at: Option<Moment>,
}

impl AsOf {
    /// Everything on record.
    #[must_use]
    pub fn now() -> Self {
        Self::default()
    }

    /// Reads both as people write them.
    ///
    /// # Errors
    /// `NotAMoment`.
    pub fn parse(at: Option<&str>, recorded_at: Option<&str>) -> Result<Self, ReplayError> {
        Ok(Self {
            at: at.map(str::parse).transpose()?,
            recorded_at: recorded_at.map(str::parse).transpose()?,
        })
    }

    #[must_use]
    pub fn includes(&self, event: &Recorded) -> bool {
        let known = match self.recorded_at {
            Some(Moment::Time(time)) => event.recorded <= time,
            Some(Moment::Position(position)) => event.position <= position,
            None => true,
        };
        known && self.at.is_none_or(|at| at.includes(event))
    }
}
