//! How a command ends when it does not end well.

use domain::{Rejection, RejectionKind};
use journal::{JournalError, StreamId};
use serde_json::{Map, Value};

/// A command the business refused. It left no trace.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// Names the rule, such as `insufficient_stock`.
    pub code: String,
    pub kind: RejectionKind,
    pub message: String,
    /// The values the rule saw, by name.
    pub details: Map<String, Value>,
}

impl Refused {
    #[must_use]
    pub fn new(kind: RejectionKind, code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), kind, message: message.into(), details: Map::new() }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    #[must_use]
    pub fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        Self::new(RejectionKind::NotFound, &format!("{what}_not_found"), format!("no {what} {id}"))
    }
}

impl<R: Rejection> From<R> for Refused {
    fn from(rejection: R) -> Self {
        let mut details = match serde_json::to_value(&rejection) {
            Ok(Value::Object(details)) => details,
            // A rejection that is one word serializes to that word.
            Ok(Value::String(code)) => Map::from_iter([("code".to_owned(), Value::String(code))]),
            Ok(_) | Err(_) => Map::new(),
        };
        let code = match details.remove("code") {
            Some(Value::String(code)) => code,
            _ => "refused".to_owned(),
        };
        Self { code, kind: rejection.kind(), message: rejection.to_string(), details }
    }
}

/// Why a unit of work stopped before its end.
#[derive(Debug)]
pub enum Stop {
    Refused(Refused),
    /// These streams are not in memory yet; the bus loads them and starts the unit again.
    Needs(Vec<StreamId>),
    /// Stored data cannot be read.
    Corrupt(String),
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl<R: Rejection> From<R> for Stop {
    fn from(rejection: R) -> Self {
        Self::Refused(rejection.into())
    }
}

/// Why a command has no result.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    Refused(#[from] Refused),
    /// More is waiting than the engine takes in; nothing was done. Try again shortly.
    #[error("too many commands are waiting")]
    Overloaded,
    /// The journal has no room; nothing was done.
    #[error("the journal's disk is full: commands are refused until there is room")]
    DiskFull,
    /// Not done, or not known to be done: repeat with the same idempotency key.
    #[error("the journal is unavailable: {0}")]
    Unavailable(String),
    /// Not done: another node leads this work by now.
    #[error("another node leads this work by now")]
    Superseded,
    #[error("stored data cannot be read: {0}")]
    Corrupt(String),
    /// The engine is shutting down.
    #[error("the engine is shutting down")]
    Closed,
}

impl From<JournalError> for CommandError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Full => Self::DiskFull,
            JournalError::Closed => Self::Closed,
            JournalError::Corrupt { .. } | JournalError::Invalid(_) => {
                Self::Corrupt(error.to_string())
            }
            JournalError::Unavailable(_)
            | JournalError::InUse { .. }
            | JournalError::NewerFormat { .. } => Self::Unavailable(error.to_string()),
        }
    }
}
