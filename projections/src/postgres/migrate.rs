//! The schemas that are there before the first generation: made, upgraded, or refused.

use tokio_postgres::Client;

use super::block::on_driver;
use super::faults::fault;
use super::options::{PostgresOptions, quoted};
use super::server::{Server, check};
use crate::StoreError;

/// The steps in order; the format is the number of steps taken.
const STEPS: [&str; 1] = [include_str!("sql/0001_meta.sql")];

const FORMAT: i32 = STEPS.len() as i32;

/// Two programs that migrate at once do so one after the other.
const MIGRATING: i64 = 0x7469_6c6c_7265_6164;

/// Makes what read models need in a database besides their own rows, or brings it up to date.
/// Safe to run again, and by several at once; all other schemas are left alone.
///
/// # Errors
/// `Unavailable` when the server cannot be used, or the schemas are another program's or a newer
/// one's.
pub fn migrate_postgres(url: &str, options: &PostgresOptions) -> Result<(), StoreError> {
    options.check()?;
    let server = Server::parse(url)?;
    let options = options.clone();
    on_driver(async move {
        let client = server.connect(None).await?;
        check(&client).await?;
        bring_up(&client, &options).await
    })
}

/// Refuses schemas that are not as this program wants them.
pub(super) async fn is_current(
    client: &Client,
    options: &PostgresOptions,
) -> Result<(), StoreError> {
    match format(client, options).await? {
        Some(FORMAT) => Ok(()),
        Some(format) => Err(StoreError::Unavailable(format!(
            "the read models' schemas have format {format}, this program wants {FORMAT}: migrate \
             them first"
        ))),
        None => Err(StoreError::Unavailable(
            "the database has no schemas for read models yet: migrate it first".to_owned(),
        )),
    }
}

pub(super) async fn bring_up(client: &Client, options: &PostgresOptions) -> Result<(), StoreError> {
    let failed = |error: tokio_postgres::Error| fault(&error);
    let begin = format!(
        "BEGIN; SELECT set_config('lock_timeout', '0', true), pg_advisory_xact_lock({MIGRATING})"
    );
    client.batch_execute(&begin).await.map_err(failed)?;
    let taken = match format(client, options).await? {
        Some(format) => usize::try_from(format).unwrap_or_default(),
        None => {
            may_be_made(client, options).await?;
            0
        }
    };
    for step in STEPS.iter().skip(taken) {
        client.batch_execute(&filled(step, options)).await.map_err(failed)?;
    }
    if taken < STEPS.len() {
        let set = format!("UPDATE {}.format SET format = {FORMAT}", options.meta());
        client.batch_execute(&set).await.map_err(failed)?;
    }
    if let Some(reader) = &options.reader {
        let (schema, reader) = (&options.schema, quoted(reader));
        let grant = format!(
            "GRANT USAGE ON SCHEMA {schema} TO {reader};
             GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {reader};
             ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT ON TABLES TO {reader}"
        );
        client.batch_execute(&grant).await.map_err(|error| match error.code() {
            Some(code) if code.code() == "42704" => StoreError::Unavailable(format!(
                "there is no role {reader} to read the views: make it with `createuser`"
            )),
            _ => fault(&error),
        })?;
    }
    client.batch_execute("COMMIT").await.map_err(failed)
}

fn filled(text: &str, options: &PostgresOptions) -> String {
    text.replace("{meta}", &options.meta()).replace("{views}", &options.schema)
}

/// The format of the schemas in this database, if it is known here.
async fn format(client: &Client, options: &PostgresOptions) -> Result<Option<i32>, StoreError> {
    let failed = |error: tokio_postgres::Error| fault(&error);
    let table = format!("{}.format", options.meta());
    let there =
        client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&table]).await.map_err(failed)?;
    if !there.get::<_, bool>(0) {
        return Ok(None);
    }
    let found = client.query_one(&format!("SELECT format FROM {table}"), &[]).await;
    let found: i32 = found.map_err(failed)?.get(0);
    if found > FORMAT {
        return Err(StoreError::Unavailable(format!(
            "the read models' schemas have format {found}, made by a newer program; this one \
             knows formats up to {FORMAT}: upgrade it"
        )));
    }
    Ok(Some(found))
}

/// Schemas of these names that are not ours belong to somebody.
async fn may_be_made(client: &Client, options: &PostgresOptions) -> Result<(), StoreError> {
    let found = client
        .query_opt(
            "SELECT nspname::text FROM pg_namespace WHERE nspname IN ($1, $2) LIMIT 1",
            &[&options.schema, &options.meta()],
        )
        .await
        .map_err(|error| fault(&error))?;
    match found {
        None => Ok(()),
        Some(row) => Err(StoreError::Unavailable(format!(
            "the schema {} belongs to another program: nothing was changed; give the read models \
             another schema, or a database of their own with `createdb`",
            row.get::<_, String>(0)
        ))),
    }
}
