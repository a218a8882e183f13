//! What PostgreSQL's errors mean to the journal, and what to do about each.

use sqlx::postgres::{PgDatabaseError, PgSeverity};

use crate::JournalError;

/// What is known of a statement that failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server rolled it back: SQLSTATE and what it said.
    Refused { code: String, said: String },
    /// It may have taken effect or not.
    Unknown(String),
}

/// Only an error by which a session goes on proves that its transaction was rolled back.
pub(super) fn failure(error: &sqlx::Error) -> Failure {
    match database_error(error) {
        Some(refused) if refused.severity() == PgSeverity::Error => {
            Failure::Refused { code: refused.code().to_owned(), said: refused.message().to_owned() }
        }
        // Nothing was sent: a value of ours has no place in the protocol.
        None if matches!(error, sqlx::Error::Encode(_)) => {
            Failure::Refused { code: "22000".to_owned(), said: error.to_string() }
        }
        _ => Failure::Unknown(error.to_string()),
    }
}

/// Conflicts with open transactions of others, which may be over on the next attempt.
pub(super) fn may_pass(code: &str) -> bool {
    matches!(code, "40001" | "40P01" | "55P03" | "23505")
}

/// Has to do with the server, not with what was asked of it.
pub(super) fn harms_all(code: &str) -> bool {
    matches!(code, "25006" | "42501" | "42883" | "42P01" | "42703" | "57014")
        || code.starts_with("53")
        || code.starts_with("58")
}

pub(super) fn refused(code: &str, said: &str) -> JournalError {
    let unavailable = JournalError::Unavailable;
    match code {
        "53100" => JournalError::Full,
        "55P03" | "40P01" | "40001" | "23505" => unavailable(format!(
            "another program's open transaction is in the way ({said}): \
             end it (see pg_stat_activity), or try again"
        )),
        "25006" => unavailable(
            "the server is read-only, such as a standby: point the URL at the primary".to_owned(),
        ),
        "42501" => unavailable(format!(
            "the user lacks a privilege ({said}): connect as the owner of the journal's tables"
        )),
        "42883" | "42P01" | "42703" => unavailable(format!(
            "the journal's tables are not as they were made ({said}): migrate \
             it again, and check search_path"
        )),
        _ if code.starts_with("22") || code.starts_with("54") => {
            JournalError::Invalid(format!("PostgreSQL cannot keep this: {said}"))
        }
        _ => unavailable(format!("PostgreSQL says: {said} (SQLSTATE {code})")),
    }
}

/// For statements that change nothing, whose outcome needs no resolving.
pub(super) fn read_error(error: &sqlx::Error) -> JournalError {
    match error {
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
            JournalError::Corrupt { at: None, problem: error.to_string() }
        }
        sqlx::Error::PoolClosed => JournalError::Closed,
        sqlx::Error::PoolTimedOut => JournalError::Unavailable(
            "no connection to PostgreSQL in time: the server is away, or all connections are busy"
                .to_owned(),
        ),
        _ => match failure(error) {
            Failure::Refused { code, said } => refused(&code, &said),
            Failure::Unknown(what) => {
                JournalError::Unavailable(format!("the connection to PostgreSQL broke: {what}"))
            }
        },
    }
}

/// Why no session could be had at `place`.
pub(super) fn connect_error(place: &str, user: &str, error: &sqlx::Error) -> JournalError {
    if let Some(refused) = database_error(error) {
        let said = refused.message();
        return JournalError::Unavailable(match refused.code() {
            "28P01" => format!(
                "{place} refuses the password of user {user}: check user and password in the URL"
            ),
            "28000"
                if said.starts_with("no pg_hba.conf entry") && said.ends_with("no encryption") =>
            {
                format!(
                    "{place} demands TLS, or does not know user {user}: add `sslmode=require` to \
                     the URL, or `sslmode=verify-full` and `sslrootcert=FILE` to check who answers; \
                     else allow the user in pg_hba.conf ({said})"
                )
            }
            "28000" => format!(
                "{place} does not let user {user} in: allow it in pg_hba.conf, or connect as \
                 another ({said})"
            ),
            "3D000" => {
                format!("{place} has no such database: make it with `createdb`, or fix the URL")
            }
            "53300" => format!(
                "{place} has no connection left: raise max_connections, or close other programs"
            ),
            "57P03" => format!("{place} is starting up or shutting down: try again"),
            code => format!("{place} refuses the connection: {said} (SQLSTATE {code})"),
        });
    }
    JournalError::Unavailable(match error {
        sqlx::Error::Io(cause) if cause.kind() == std::io::ErrorKind::ConnectionRefused => {
            format!("nobody listens at {place}: start PostgreSQL, or fix host and port in the URL")
        }
        sqlx::Error::Io(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            format!("there is no PostgreSQL socket at {place}: start the server, or fix the URL")
        }
        sqlx::Error::Io(cause) => format!(
            "cannot reach PostgreSQL at {place}: {cause}; check host, port and the network between"
        ),
        sqlx::Error::Tls(cause) => format!(
            "no TLS with {place}: {cause}; turn TLS on in the server, fix `sslrootcert`, or set \
             `sslmode=prefer` in the URL"
        ),
        other => format!("cannot connect to PostgreSQL at {place}: {other}"),
    })
}

fn database_error(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    match error {
        sqlx::Error::Database(error) => error.try_downcast_ref::<PgDatabaseError>(),
        _ => None,
    }
}
