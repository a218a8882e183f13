//! The tables: made, adopted from `postgres-es`, upgraded, or refused.

use sqlx::{Connection, Executor, PgConnection, Row};
use uuid::Uuid;

use super::connect::{self, Server};
use super::faults::read_error;
use crate::{JournalError, JournalId};

/// The steps in order; the format is the number of steps taken.
const STEPS: [&str; 1] = [include_str!("sql/0001_events.sql")];

const FORMAT: i32 = STEPS.len() as i32;

/// Two programs that migrate at once do so one after the other.
const MIGRATING: i64 = 0x7469_6c6c_6d69_6772;

/// The columns `postgres-es` makes, as `information_schema` tells them.
const PEER: &str = "aggregate_id text, aggregate_type text, event_type text, event_version text, \
                    metadata json, payload json, sequence bigint";

/// Makes the journal's tables, or brings them up to date; `schema` is made if it is given and missing.
/// Safe to run again, and by several at once.
///
/// # Errors
/// `NewerFormat`; `Unavailable` when the server cannot be used or the database is another program's.
pub async fn migrate(url: &str, schema: Option<&str>) -> Result<JournalId, JournalError> {
    let mut session = Server::parse(url)?.in_schema(schema)?.connect().await?;
    if let Some(schema) = schema {
        make_schema(&mut session, schema).await?;
    }
    connect::check(&mut session).await?;
    let id = bring_up(&mut session, None).await?;
    // Nothing is left to be said on this session, so a failed goodbye is no failure.
    let _ = session.close().await;
    Ok(id)
}

pub(super) async fn make_schema(
    session: &mut PgConnection,
    schema: &str,
) -> Result<(), JournalError> {
    let failed = |error: sqlx::Error| read_error(&error);
    let known = sqlx::query("SELECT FROM pg_namespace WHERE nspname = $1").bind(schema);
    if known.fetch_optional(&mut *session).await.map_err(failed)?.is_some() {
        return Ok(());
    }
    let mut work = session.begin().await.map_err(failed)?;
    // Made twice at once it would be an error, in spite of IF NOT EXISTS.
    let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(MIGRATING);
    lock.execute(&mut *work).await.map_err(failed)?;
    let make = format!("CREATE SCHEMA IF NOT EXISTS {schema}");
    work.execute(make.as_str()).await.map_err(failed)?;
    work.commit().await.map_err(failed)
}

/// A journal that is made here, or is still empty, gets the id that is wanted.
pub(super) async fn bring_up(
    session: &mut PgConnection,
    wanted: Option<JournalId>,
) -> Result<JournalId, JournalError> {
    let failed = |error: sqlx::Error| read_error(&error);
    let mut work = session.begin().await.map_err(failed)?;
    sqlx::query("SELECT set_config('lock_timeout', '0', true), pg_advisory_xact_lock($1)")
        .bind(MIGRATING)
        .execute(&mut *work)
        .await
        .map_err(failed)?;
    let taken = match format(&mut work).await? {
        Some((format, id)) if format == FORMAT => {
            let id = adopt_id(&mut work, id, wanted).await?;
            work.commit().await.map_err(failed)?;
            return Ok(id);
        }
        Some((format, _)) => usize::try_from(format).unwrap_or_default(),
        None => {
            may_be_taken(&mut work).await?;
            0
        }
    };
    sqlx::query(
        "SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true)",
    )
    .execute(&mut *work)
    .await
    .map_err(failed)?;
    for step in STEPS.iter().skip(taken) {
        work.execute(*step).await.map_err(failed)?;
    }
    let id: Uuid = sqlx::query(
        "INSERT INTO tillroll_meta (format, journal_id) VALUES ($1, $2) \
         ON CONFLICT (one) DO UPDATE SET format = excluded.format RETURNING journal_id",
    )
    .bind(FORMAT)
    .bind(wanted.unwrap_or_else(Uuid::now_v7))
    .fetch_one(&mut *work)
    .await
    .and_then(|row| row.try_get(0))
    .map_err(failed)?;
    work.commit().await.map_err(failed)?;
    Ok(id)
}

async fn adopt_id(
    session: &mut PgConnection,
    id: JournalId,
    wanted: Option<JournalId>,
) -> Result<JournalId, JournalError> {
    let Some(wanted) = wanted.filter(|wanted| *wanted != id) else { return Ok(id) };
    // No position of it can be on record anywhere yet.
    let renamed = sqlx::query(
        "UPDATE tillroll_meta SET journal_id = $1 WHERE NOT EXISTS (SELECT FROM events)",
    )
    .bind(wanted)
    .execute(session)
    .await
    .map_err(|error| read_error(&error))?;
    Ok(if renamed.rows_affected() == 0 { id } else { wanted })
}

/// The id of a journal whose tables are as this program wants them.
pub(super) async fn journal_id(session: &mut PgConnection) -> Result<JournalId, JournalError> {
    match format(session).await? {
        Some((FORMAT, id)) => Ok(id),
        Some((format, _)) => Err(JournalError::Unavailable(format!(
            "the journal's tables have format {format}, this program wants {FORMAT}: \
             run `tillroll migrate` first"
        ))),
        None => Err(JournalError::Unavailable(
            "the database has no journal yet: run `tillroll migrate` first".to_owned(),
        )),
    }
}

/// Format and id of the journal in this schema, if there is one of a format known here.
async fn format(session: &mut PgConnection) -> Result<Option<(i32, JournalId)>, JournalError> {
    let failed = |error: sqlx::Error| read_error(&error);
    if !has_table(session, "tillroll_meta").await? {
        return Ok(None);
    }
    let Some(row) = sqlx::query("SELECT format, journal_id FROM tillroll_meta")
        .fetch_optional(session)
        .await
        .map_err(failed)?
    else {
        let problem = "tillroll_meta is empty".to_owned();
        return Err(JournalError::Corrupt { at: None, problem });
    };
    let found: i32 = row.try_get(0).map_err(failed)?;
    if found > FORMAT {
        let [found, supported] = [found, FORMAT].map(|format| u32::try_from(format).unwrap_or(0));
        return Err(JournalError::NewerFormat { found, supported });
    }
    Ok(Some((found, row.try_get(1).map_err(failed)?)))
}

/// An empty schema, or one of a `postgres-es` program; all else is somebody else's.
async fn may_be_taken(session: &mut PgConnection) -> Result<(), JournalError> {
    let failed = |error: sqlx::Error| read_error(&error);
    let foreign = |what: String| {
        Err(JournalError::Unavailable(format!(
            "{what}: nothing was changed; give the journal a database of its own with `createdb`, \
             or a schema of its own with `options=-csearch_path%3DNAME` in the URL"
        )))
    };
    if !has_table(session, "events").await? {
        let tables: Option<String> = sqlx::query(
            "SELECT string_agg(c.relname, ', ' ORDER BY c.relname) FROM pg_class c \
             WHERE c.relnamespace = current_schema()::regnamespace \
             AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
        )
        .fetch_one(session)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(failed)?;
        return match tables {
            None => Ok(()),
            Some(tables) => {
                foreign(format!("the database belongs to another program (it has {tables})"))
            }
        };
    }
    let columns: Option<String> = sqlx::query(
        "SELECT string_agg(column_name || ' ' || data_type, ', ' ORDER BY column_name) \
         FROM information_schema.columns \
         WHERE table_schema = current_schema() AND table_name = 'events'",
    )
    .fetch_one(&mut *session)
    .await
    .and_then(|row| row.try_get(0))
    .map_err(failed)?;
    if columns.as_deref() != Some(PEER) {
        return foreign("the table `events` is another program's, not of postgres-es".to_owned());
    }
    let broken: Option<String> = sqlx::query(
        "SELECT aggregate_type || ' ' || aggregate_id FROM events \
         GROUP BY aggregate_type, aggregate_id \
         HAVING min(sequence) <> 1 OR max(sequence) <> count(*) LIMIT 1",
    )
    .fetch_optional(&mut *session)
    .await
    .and_then(|row| row.map(|row| row.try_get(0)).transpose())
    .map_err(failed)?;
    match broken {
        None => Ok(()),
        Some(stream) => {
            foreign(format!("the events of {stream} do not run 1, 2, 3 ... without a gap"))
        }
    }
}

async fn has_table(session: &mut PgConnection, name: &str) -> Result<bool, JournalError> {
    sqlx::query("SELECT to_regclass(quote_ident(current_schema()) || '.' || $1) IS NOT NULL")
        .bind(name)
        .fetch_one(session)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(|error| read_error(&error))
}
