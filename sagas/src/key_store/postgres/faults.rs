//! What PostgreSQL's errors mean to the key store, and what to do about each.

use journal::JournalError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};

use crate::key_store::KeyStoreError;

/// A statement that failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// The server rolled it back, and the session goes on.
    Refused(KeyStoreError),
    /// It may have taken effect or not, and the session is of no more use.
    Lost(KeyStoreError),
}

pub(super) fn fault(error: sqlx::Error) -> Fault {
    let database = match &error {
        sqlx::Error::Database(error) => error.try_downcast_ref::<PgDatabaseError>(),
        _ => None,
    };
    match database {
        Some(error) if error.severity() == PgSeverity::Error => {
            Fault::Refused(refused(error.code(), error.message()))
        }
        None if matches!(error, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) => {
            Fault::Refused(KeyStoreError::Corrupt(error.to_string()))
        }
        _ => Fault::Lost(KeyStoreError::Unavailable(format!(
            "the connection to PostgreSQL broke: {error}"
        ))),
    }
}

/// For work that is not tried again here.
pub(super) fn said(error: sqlx::Error) -> KeyStoreError {
    match fault(error) {
        Fault::Refused(error) | Fault::Lost(error) => error,
    }
}

fn refused(code: &str, said: &str) -> KeyStoreError {
    KeyStoreError::Unavailable(match code {
        "53100" => return KeyStoreError::Full,
        "55P03" | "40P01" | "40001" => format!(
            "the master key is being changed, or another program's transaction is in the way \
             ({said}): try again"
        ),
        "25006" => {
            "the server is read-only, such as a standby: point the URL at the primary".to_owned()
        }
        "42501" => format!(
            "the user lacks a privilege ({said}): connect as the owner of the schema tillroll_keys"
        ),
        "42883" | "42P01" | "42703" | "3F000" => format!(
            "the key store's tables are not as they were made ({said}): run `tillroll migrate`"
        ),
        "42P06" => "the schema tillroll_keys is another program's: nothing was changed; give the \
                    key store a database of its own with `createdb`"
            .to_owned(),
        _ => format!("PostgreSQL says: {said} (SQLSTATE {code})"),
    })
}

/// What the journal says of a server it shares the way to.
pub(super) fn unavailable(error: JournalError) -> KeyStoreError {
    match error {
        JournalError::Unavailable(what) => KeyStoreError::Unavailable(what),
        other => KeyStoreError::Unavailable(other.to_string()),
    }
}
