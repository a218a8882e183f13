#![allow(dead_code, reason = "a vocabulary for tests, not all of it is used at all times")]
//! Given these events, when this command comes, then these events follow, or this refusal.
//!
//! Every step goes through the decider and the fold alone, so a test reads as the rule it
//! fixes and needs no runtime.

use crate::Decider;

/// An aggregate with a past.
pub(crate) struct Given<D: Decider> {
    state: D::State,
}

/// What came of one command.
pub(crate) struct When<D: Decider> {
    state: D::State,
    command: D::Command,
    outcome: Result<Vec<D::Event>, D::Rejection>,
}

/// An aggregate to which `events` have happened.
pub(crate) fn given<D: Decider>(events: impl IntoIterator<Item = D::Event>) -> Given<D> {
    Given { state: D::State::default() }.and(events)
}

impl<D: Decider> Given<D> {
    /// More that has happened.
    pub(crate) fn and(mut self, events: impl IntoIterator<Item = D::Event>) -> Self {
        for event in events {
            D::evolve(&mut self.state, &event);
        }
        self
    }

    pub(crate) fn when(self, command: D::Command) -> When<D> {
        let outcome = D::decide(&self.state, &command);
        When { state: self.state, command, outcome }
    }

    pub(crate) fn state(&self) -> &D::State {
        &self.state
    }
}

impl<D: Decider> When<D> {
    /// Exactly these events; gives back the aggregate after them, so that tests can go on.
    #[track_caller]
    pub(crate) fn then(self, expected: impl IntoIterator<Item = D::Event>) -> Given<D> {
        let expected: Vec<_> = expected.into_iter().collect();
        match self.outcome {
            Ok(events) => assert_eq!(events, expected, "after {:?}", self.command),
            Err(refused) => panic!("{:?} was refused: {refused}", self.command),
        }
        Given { state: self.state }.and(expected)
    }

    /// Exactly these events, and none when the same command comes again.
    #[track_caller]
    pub(crate) fn then_once(self, expected: impl IntoIterator<Item = D::Event>) -> Given<D> {
        let command = self.command.clone();
        self.then(expected).when(command).then([])
    }

    /// Success without events: it was so already.
    #[track_caller]
    pub(crate) fn then_nothing(self) -> Given<D> {
        self.then([])
    }

    /// Exactly this refusal; gives back the unchanged aggregate.
    #[track_caller]
    pub(crate) fn then_rejected(self, expected: D::Rejection) -> Given<D> {
        match self.outcome {
            Ok(events) => panic!("{:?} was not refused but yielded {events:?}", self.command),
            Err(refused) => assert_eq!(refused, expected, "after {:?}", self.command),
        }
        Given { state: self.state }
    }

    /// A refusal that `matches` accepts, for those whose details do not matter.
    #[track_caller]
    pub(crate) fn then_refused(self, matches: impl FnOnce(&D::Rejection) -> bool) -> Given<D> {
        match &self.outcome {
            Ok(events) => panic!("{:?} was not refused but yielded {events:?}", self.command),
            Err(refused) => assert!(matches(refused), "unexpected refusal {refused:?}"),
        }
        Given { state: self.state }
    }

    /// What was decided, for tests that look closer.
    pub(crate) fn outcome(&self) -> &Result<Vec<D::Event>, D::Rejection> {
        &self.outcome
    }
}

/// An id that is the same in every run.
pub(crate) fn id<I: From<uuid::Uuid>>(number: u128) -> I {
    I::from(uuid::Uuid::from_u128(number))
}

/// An instant, in seconds after the start of a fixed day.
pub(crate) fn at(seconds: i64) -> crate::Timestamp {
    chrono::DateTime::from_timestamp(1_750_000_000 + seconds, 0).unwrap()
}

/// A quantity that is known to be one.
pub(crate) fn units(units: u32) -> crate::Quantity {
    crate::Quantity::new(units).unwrap()
}
