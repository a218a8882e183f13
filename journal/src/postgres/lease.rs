//! Leases as rows, by the database's clock.

use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::PgPool;
use uuid::Uuid;

use super::faults::read_error;
use crate::{Epoch, JournalError};

pub(super) async fn hold(
    pool: &PgPool,
    lease: &str,
    owner: Uuid,
    ttl: Duration,
) -> Result<Option<Epoch>, JournalError> {
    let epoch: Option<i64> = sqlx::query("SELECT tillroll_hold($1, $2, $3)")
        .bind(lease)
        .bind(owner)
        .bind(ttl.as_secs_f64())
        .fetch_one(pool)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(|error| read_error(&error))?;
    Ok(epoch.and_then(|epoch| Epoch::try_from(epoch).ok()))
}

pub(super) async fn release(pool: &PgPool, lease: &str, owner: Uuid) -> Result<(), JournalError> {
    sqlx::query(
        "UPDATE tillroll_leases SET expires_at = '-infinity' WHERE name = $1 AND owner = $2",
    )
    .bind(lease)
    .bind(owner)
    .execute(pool)
    .await
    .map(drop)
    .map_err(|error| read_error(&error))
}
