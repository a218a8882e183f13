//! The tables: made, brought up to date, or refused.

use journal::PostgresServer;
use sqlx::{Connection, Executor, PgConnection, Row};

use super::faults::{said, unavailable};
use crate::key_store::KeyStoreError;

/// The steps in order; the format is the number of steps taken.
const STEPS: [&str; 1] = [include_str!("0001_keys.sql")];
const FORMAT: i32 = STEPS.len() as i32;
/// Two programs that migrate at once do so one after the other.
const MIGRATING: i64 = 0x7469_6c6c_6b65_7973;

/// Makes the key store's tables in the schema `tillroll_keys`, or brings them up to date. Safe to run
/// again, and by several at once.
///
/// # Errors
/// `NewerFormat`; `Unavailable` when the server cannot be used, or the schema is another program's.
pub async fn migrate(url: &str) -> Result<(), KeyStoreError> {
    let server = PostgresServer::parse(url).map_err(unavailable)?;
    let mut session = server.connect_checked().await.map_err(unavailable)?;
    bring_up(&mut session).await?;
    // Nothing is left to be said on this session, so a failed goodbye is no failure.
    let _ = session.close().await;
    Ok(())
}

pub(super) async fn bring_up(session: &mut PgConnection) -> Result<(), KeyStoreError> {
    let mut work = session.begin().await.map_err(said)?;
    sqlx::query("SELECT set_config('lock_timeout', '0', true), pg_advisory_xact_lock($1)")
        .bind(MIGRATING)
        .execute(&mut *work)
        .await
        .map_err(said)?;
    let taken = match format(&mut work).await? {
        Some(FORMAT) => return Ok(()),
        Some(format) => usize::try_from(format).unwrap_or_default(),
        None => 0,
    };
    for step in STEPS.iter().skip(taken) {
        work.execute(*step).await.map_err(said)?;
    }
    sqlx::query(
        "INSERT INTO tillroll_keys.about (format) VALUES ($1) \
         ON CONFLICT (one) DO UPDATE SET format = excluded.format",
    )
    .bind(FORMAT)
    .execute(&mut *work)
    .await
    .map_err(said)?;
    work.commit().await.map_err(said)
}

/// Refuses tables that are not as this program wants them.
pub(super) async fn check(session: &mut PgConnection) -> Result<(), KeyStoreError> {
    match format(session).await? {
        Some(FORMAT) => Ok(()),
        Some(format) => Err(KeyStoreError::Unavailable(format!(
            "the key store's tables have format {format}, this program wants {FORMAT}: run \
             `tillroll migrate` first"
        ))),
        None => Err(KeyStoreError::Unavailable(
            "the database has no key store yet: run `tillroll migrate` first".to_owned(),
        )),
    }
}

async fn format(session: &mut PgConnection) -> Result<Option<i32>, KeyStoreError> {
    let there: bool = sqlx::query("SELECT to_regclass('tillroll_keys.about') IS NOT NULL")
        .fetch_one(&mut *session)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(said)?;
    if !there {
        return Ok(None);
    }
    let found: Option<i32> = sqlx::query("SELECT format FROM tillroll_keys.about")
        .fetch_optional(session)
        .await
        .and_then(|row| row.map(|row| row.try_get(0)).transpose())
        .map_err(said)?;
    match found {
        None => Err(KeyStoreError::Corrupt("tillroll_keys.about is empty".to_owned())),
        Some(found) if found > FORMAT => {
            let [found, supported] =
                [found, FORMAT].map(|format| u32::try_from(format).unwrap_or(0));
            Err(KeyStoreError::NewerFormat { found, supported })
        }
        found => Ok(found),
    }
}
