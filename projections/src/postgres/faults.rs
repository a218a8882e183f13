//! What PostgreSQL's errors mean to a read store, and what to do about each.

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::StoreError;

/// Raised by the fence, see the migration.
const FENCED: &str = "TR001";

/// Why a statement failed. Only what a value is to blame for counts as refused: that is the
/// event's fault, and all else the server's.
pub(super) fn fault(error: &Error) -> StoreError {
    let Some(refused) = error.as_db_error() else {
        return match std::error::Error::source(error) {
            // Nothing was sent: a value has no place in its column.
            Some(cause) if error.to_string().starts_with("error serializing") => {
                StoreError::Refused(format!("a value does not fit: {cause}"))
            }
            _ => StoreError::Unavailable(format!(
                "the connection to PostgreSQL broke ({}): it is opened again",
                chain(error)
            )),
        };
    };
    let (code, said) = (refused.code().code(), refused.message());
    let unavailable = StoreError::Unavailable;
    match code {
        FENCED => StoreError::Fenced,
        _ if ["22", "23", "54"].contains(&&code[..2]) => {
            StoreError::Refused(format!("PostgreSQL cannot keep this: {said} (SQLSTATE {code})"))
        }
        "53100" => unavailable(format!("PostgreSQL's disk is full: make room on it ({said})")),
        "55P03" | "40P01" | "40001" => unavailable(format!(
            "another program's open transaction is in the way ({said}): end it (see \
             pg_stat_activity), or wait: it is tried again"
        )),
        "25006" => unavailable(
            "the server is read-only, such as a standby: point the URL at the primary".to_owned(),
        ),
        "42501" => unavailable(format!(
            "the user lacks a privilege ({said}): connect as the owner of the read models' schemas"
        )),
        "42P01" | "42703" | "3F000" => unavailable(format!(
            "the read models' schemas are not as they were made ({said}): migrate them again"
        )),
        "57014" => unavailable(format!("PostgreSQL ended the statement ({said}): try again")),
        _ => unavailable(format!("PostgreSQL says: {said} (SQLSTATE {code})")),
    }
}

/// Why no session could be had at `place`.
pub(super) fn connect_fault(place: &str, user: &str, error: &Error) -> StoreError {
    let unavailable = |text: String| StoreError::Unavailable(text);
    if let Some(refused) = error.as_db_error() {
        let said = refused.message();
        return unavailable(match refused.code() {
            code if *code == SqlState::INVALID_PASSWORD => format!(
                "{place} refuses the password of user {user}: check user and password in the URL"
            ),
            code if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION
                && said.contains("pg_hba.conf")
                && said.ends_with("no encryption") =>
            {
                format!(
                    "{place} demands TLS, or does not know user {user}: add `sslmode=require` to \
                     the URL, or `sslmode=verify-full` and `sslrootcert=FILE` to check who \
                     answers; else allow the user in pg_hba.conf ({said})"
                )
            }
            code if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION => format!(
                "{place} does not let user {user} in: allow it in pg_hba.conf, or connect as \
                 another ({said})"
            ),
            code if *code == SqlState::INVALID_CATALOG_NAME => {
                format!("{place} has no such database: make it with `createdb`, or fix the URL")
            }
            code if *code == SqlState::TOO_MANY_CONNECTIONS => format!(
                "{place} has no connection left: raise max_connections, or close other programs"
            ),
            code if *code == SqlState::CANNOT_CONNECT_NOW => {
                format!("{place} is starting up or shutting down: try again")
            }
            code => {
                format!("{place} refuses the connection: {said} (SQLSTATE {})", code.code())
            }
        });
    }
    let said = chain(error);
    let source = std::error::Error::source(error);
    let kind = source.and_then(|source| source.downcast_ref::<std::io::Error>()).map(|e| e.kind());
    unavailable(match kind {
        Some(std::io::ErrorKind::ConnectionRefused) => {
            format!("nobody listens at {place}: start PostgreSQL, or fix host and port in the URL")
        }
        Some(std::io::ErrorKind::NotFound) => {
            format!("there is no PostgreSQL socket at {place}: start the server, or fix the URL")
        }
        _ if said.contains("password missing") => {
            format!("{place} wants a password of user {user}: put it into the URL")
        }
        _ if said.contains("TLS") || said.contains("certificate") => format!(
            "no TLS with {place}: {said}; turn TLS on in the server, fix `sslrootcert`, or set \
             `sslmode=prefer` in the URL"
        ),
        _ => format!(
            "cannot reach PostgreSQL at {place}: {said}; check host, port and the network between"
        ),
    })
}

fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
