//! An append whose outcome is unknown: made final, then looked up.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::batch::big;
use super::faults::read_error;
use crate::{JournalError, Position, Unit, Verdict};

/// How long a session that was told to end may take.
const END_WITHIN: u32 = 250;
const PAUSE: Duration = Duration::from_millis(20);

/// A process of the server, which ids alone do not tell from a later one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backend {
    pub(super) pid: i32,
    started: DateTime<Utc>,
}

impl Backend {
    pub(super) async fn of(session: &mut PgConnection) -> Result<Self, JournalError> {
        let failed = |error: sqlx::Error| read_error(&error);
        let row = sqlx::query(
            "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()",
        )
        .fetch_one(session)
        .await
        .map_err(failed)?;
        Ok(Self { pid: row.try_get(0).map_err(failed)?, started: row.try_get(1).map_err(failed)? })
    }
}

/// Ends a session from which no answer will come, and waits until it is gone with all it did:
/// what it has not committed by then it never will.
pub(super) async fn end(session: &mut PgConnection, lost: Backend) -> Result<(), JournalError> {
    for _ in 0..END_WITHIN {
        let gone = sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE pid = $1 AND backend_start = $2",
        )
        .bind(lost.pid)
        .bind(lost.started)
        .fetch_optional(&mut *session)
        .await
        .map_err(|error| read_error(&error))?
        .is_none();
        if gone {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(JournalError::Unavailable(format!(
        "server process {} holds an unfinished append and does not end: end it",
        lost.pid
    )))
}

/// For each unit its verdict if it is on record. The first event of a unit has one place only,
/// and if it is there, so is the rest.
pub(super) async fn look_for(
    session: &mut PgConnection,
    units: &[&Unit],
) -> Result<Vec<Option<Verdict>>, JournalError> {
    let failed = |error: sqlx::Error| read_error(&error);
    let mut found = vec![None; units.len()];
    let mut places: (Vec<&str>, Vec<String>, Vec<i64>, Vec<Uuid>) = Default::default();
    let mut sizes = Vec::with_capacity(units.len());
    let mut sought = Vec::with_capacity(units.len());
    for (found_at, unit) in units.iter().enumerate() {
        let first = unit.groups.first().and_then(|group| Some((group, group.events.first()?)));
        // A unit that only reads has left nothing to be found, and is judged again.
        let Some((group, event)) = first else {
            continue;
        };
        sought.push(found_at);
        places.0.push(group.stream.category.as_str());
        places.1.push(group.stream.key.to_string());
        places.2.push(big(group.expected.saturating_add(1)));
        places.3.push(event.id);
        sizes.push(unit.groups.iter().map(|group| group.events.len() as u64).sum::<u64>());
    }
    let rows = sqlx::query(
        "SELECT sought.n, events.position \
         FROM unnest($1::text[], $2::text[], $3::bigint[], $4::uuid[]) \
             WITH ORDINALITY AS sought (type, key, sequence, id, n) \
         JOIN events ON aggregate_type = sought.type AND aggregate_id = sought.key \
             AND events.sequence = sought.sequence AND event_id = sought.id",
    )
    .bind(places.0)
    .bind(places.1)
    .bind(places.2)
    .bind(places.3)
    .fetch_all(session)
    .await
    .map_err(failed)?;
    for row in rows {
        let n: i64 = row.try_get(0).map_err(failed)?;
        let first: i64 = row.try_get(1).map_err(failed)?;
        let index = usize::try_from(n).unwrap_or_default().wrapping_sub(1);
        let place = sought.get(index).and_then(|at: &usize| found.get_mut(*at));
        if let (Some(place), Some(size), Ok(first)) =
            (place, sizes.get(index), u64::try_from(first))
        {
            let last = Position(first + size - 1);
            *place = Some(Verdict::Committed { first: Position(first), last });
        }
    }
    Ok(found)
}
