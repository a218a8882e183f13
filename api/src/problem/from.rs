//! What the crates below refuse or fail at, as problems.

use commands::{CommandError, Refused};
use domain::{BrokenRule, RejectionKind};
use journal::JournalError;
use projections::{StoreError, WaitError};
use sagas::key_store::KeyStoreError;
use serde_json::Value;

use super::{FieldError, Problem, catalogue};

/// Seconds a client should wait before it repeats what could not be done for now.
const SOON: u64 = 1;
const LATER: u64 = 10;

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        command_problem(error)
    }
}

pub(crate) fn command_problem(error: CommandError) -> Problem {
    let text = error.to_string();
    match error {
        CommandError::Refused(refused) => refused.into(),
        CommandError::Overloaded => Problem::new(catalogue::OVERLOADED, text).retry_after(SOON),
        CommandError::DiskFull => Problem::new(catalogue::DISK_FULL, text).retry_after(LATER),
        CommandError::Closed => Problem::new(catalogue::SHUTTING_DOWN, text).retry_after(LATER),
        CommandError::Superseded => {
            Problem::new(catalogue::JOURNAL_UNAVAILABLE, text).retry_after(SOON)
        }
        CommandError::Unavailable(why) => {
            tracing::error!(why, "the journal is unavailable");
            let text = "the journal is unavailable; repeat with the same idempotency key";
            Problem::new(catalogue::JOURNAL_UNAVAILABLE, text).retry_after(SOON)
        }
        CommandError::Corrupt(why) => {
            tracing::error!(why, "stored data cannot be read");
            Problem::new(catalogue::INTERNAL, "stored data cannot be read")
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let Refused { code, kind, message, mut details } = refused;
        let known = catalogue::find(&code);
        let by_kind = match kind {
            RejectionKind::NotFound => catalogue::NOT_FOUND,
            RejectionKind::Conflict => catalogue::CONFLICT,
            RejectionKind::Invalid => catalogue::INVALID_VALUE,
            RejectionKind::Stale => catalogue::STALE,
        };
        let mut errors = Vec::new();
        if kind == RejectionKind::Invalid {
            let field = match details.remove("field") {
                Some(Value::String(field)) => field,
                _ => String::new(),
            };
            let rule = if code == catalogue::INVALID_VALUE.code { "invalid" } else { &code };
            errors.push(FieldError::new(&field, rule, message.clone()));
        }
        let mut problem = Problem::new(known.unwrap_or(by_kind), message).errors(errors);
        if known.is_none() {
            problem = problem.named(code);
        }
        for (name, value) in details {
            problem = problem.with(&name, value);
        }
        problem
    }
}

impl From<BrokenRule> for FieldError {
    fn from(broken: BrokenRule) -> Self {
        let message = format!("must be {}, not {}", broken.expected, broken.seen);
        Self::new(&broken.field, "invalid", message)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a read model cannot answer");
        Self::new(catalogue::READ_MODEL_UNAVAILABLE, "a read model cannot answer for now")
            .retry_after(SOON)
    }
}

impl From<JournalError> for Problem {
    fn from(error: JournalError) -> Self {
        CommandError::from(error).into()
    }
}

impl From<KeyStoreError> for Problem {
    fn from(error: KeyStoreError) -> Self {
        match error {
            KeyStoreError::Erased { .. } => {
                Self::new(catalogue::PERSON_ERASED, "the personal data was erased")
            }
            KeyStoreError::Full => {
                Self::new(catalogue::DISK_FULL, error.to_string()).retry_after(LATER)
            }
            KeyStoreError::Closed => {
                Self::new(catalogue::SHUTTING_DOWN, error.to_string()).retry_after(LATER)
            }
            other => {
                tracing::error!(error = %other, "the key store cannot answer");
                let text = "personal data cannot be read or kept for now";
                Self::new(catalogue::KEY_STORE_UNAVAILABLE, text).retry_after(SOON)
            }
        }
    }
}

impl From<WaitError> for Problem {
    fn from(error: WaitError) -> Self {
        let text = error.to_string();
        Self::new(catalogue::READ_MODEL_BEHIND, text).retry_after(SOON)
    }
}
