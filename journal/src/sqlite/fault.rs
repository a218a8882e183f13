//! What an error of SQLite means for the journal.

use rusqlite::{Error, ErrorCode};

use crate::JournalError;

/// SQLite could not grow its shared index: in practice a full disk.
const IOERR_SHMSIZE: i32 = 10 | (19 << 8);

/// Why a write failed, by what must be done next.
#[derive(Debug)]
pub(super) enum WriteFault {
    /// No room; the transaction can be rolled back and the connection kept.
    Full,
    /// The connection can no longer be trusted: whether the commit survives is unknown.
    Lost(String),
    /// The journal itself is wrong, or the caller was.
    Refused(JournalError),
}

impl From<Error> for WriteFault {
    fn from(error: Error) -> Self {
        if is_full(&error) {
            return Self::Full;
        }
        let corrupt = |error: &Error| {
            Self::Refused(JournalError::Corrupt { at: None, problem: error.to_string() })
        };
        if let Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::FromSqlConversionFailure(..) = error
        {
            return corrupt(&error);
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Refused(JournalError::Corrupt { at: None, problem: error.to_string() })
            }
            _ => Self::Lost(error.to_string()),
        }
    }
}

impl From<JournalError> for WriteFault {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Full => Self::Full,
            JournalError::Unavailable(why) => Self::Lost(why),
            other => Self::Refused(other),
        }
    }
}

impl WriteFault {
    pub(super) fn answer(self) -> JournalError {
        match self {
            Self::Full => JournalError::Full,
            Self::Lost(why) => JournalError::Unavailable(why),
            Self::Refused(error) => error,
        }
    }
}

/// An error of a read, or of opening.
pub(super) fn read_error(error: Error) -> JournalError {
    WriteFault::from(error).answer()
}

fn is_full(error: &Error) -> bool {
    let Error::SqliteFailure(failure, _) = error else {
        return false;
    };
    failure.code == ErrorCode::DiskFull || failure.extended_code == IOERR_SHMSIZE
}
