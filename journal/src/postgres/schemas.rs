//! Journals in schemas of their own, as a whole: which there are, and the end of one.

use sqlx::{Connection, Executor, PgConnection, Row};

use super::connect::{Server, is_plain};
use super::faults::read_error;
use crate::JournalError;

/// Schemas of the database whose names begin with `prefix` and that have a journal in them, in the
/// order of their names.
///
/// # Errors
/// `Unavailable` when the server cannot be reached or used.
pub async fn schemas(url: &str, prefix: &str) -> Result<Vec<String>, JournalError> {
    let mut session = Server::parse(url)?.connect().await?;
    let found = sqlx::query(
        "SELECT n.nspname::text FROM pg_namespace n WHERE starts_with(n.nspname::text, $1) \
         AND EXISTS (SELECT FROM pg_class c \
                     WHERE c.relnamespace = n.oid AND c.relname = 'tillroll_meta') ORDER BY 1",
    );
    let rows = found.bind(prefix).fetch_all(&mut session).await;
    let names = rows.and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect());
    let names = names.map_err(|error| read_error(&error))?;
    farewell(session).await;
    Ok(names)
}

/// Drops a schema with the journal in it; nothing if there is none. Whoever has the journal open finds
/// it `Unavailable`. A schema without a journal is left alone.
///
/// # Errors
/// `Unavailable` when the server cannot be reached or used, or others hold on to the journal.
pub async fn drop_schema(url: &str, schema: &str) -> Result<(), JournalError> {
    if !is_plain(schema) || !schemas(url, schema).await?.iter().any(|found| found == schema) {
        return Ok(());
    }
    let mut session = Server::parse(url)?.connect().await?;
    let drop = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
    session.execute(drop.as_str()).await.map_err(|error| read_error(&error))?;
    farewell(session).await;
    Ok(())
}

/// Nothing is left to be said on the session, so a failed goodbye is no failure.
async fn farewell(session: PgConnection) {
    let _ = session.close().await;
}
