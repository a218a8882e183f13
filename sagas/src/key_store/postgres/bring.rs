//! Brings the keys of one data directory into a database, when one node is to become several.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use journal::PostgresServer;
use rusqlite::{Connection, OpenFlags};
use uuid::Uuid;

use super::faults::unavailable;
use super::masters::Masters;
use super::migrate;
use super::session::{Session, Statement};
use crate::key_store::sqlite_worker::{LIVE, failure};
use crate::key_store::{KEY_STORE_FILE, KeyStoreError, KeyStoreOptions, OsEntropy, SqliteKeyStore};

const PAGE: i64 = 1_000;
const PATIENCE: Duration = Duration::from_secs(10);

/// Copies the keys and erasures of a data directory into the database at `url`, under the same master
/// key; the engine must not be running. Safe to run again. Returns how many persons it went through.
///
/// The file stays as it is: an erasure from now on must be made in the database, and the file be
/// removed, or the key lives on in it.
///
/// # Errors
/// `WrongMasterKey` when the database's keys are under another one; `Unavailable` also when it has
/// another key for one of these persons: both directories have been in use then.
pub async fn bring_keys(dir: &Path, url: &str) -> Result<u64, KeyStoreError> {
    // Finishes what was cut off, and keeps others out until the end.
    let _held = SqliteKeyStore::reopen_data_dir(dir, KeyStoreOptions::default())?;
    let file = Connection::open_with_flags(
        dir.join(KEY_STORE_FILE),
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(failure)?;
    let server = PostgresServer::parse(url).map_err(unavailable)?;
    let mut session = server.connect_checked().await.map_err(unavailable)?;
    migrate::bring_up(&mut session).await?;
    let masters = Masters::in_data_dir(dir);
    masters.recognise(&mut session, Some(&OsEntropy), server.place()).await?;
    let mut session = Session::new(server, session);
    let (mut last_slot, mut count) = (i64::MIN, 0);
    loop {
        let page = page(&file, last_slot)?;
        let Some(last) = page.last() else { return Ok(count) };
        last_slot = last.slot;
        count += page.len() as u64;
        let (live, erased): (Vec<Row>, Vec<Row>) = page.into_iter().partition(|row| row.live);
        bring_live(&mut session, &masters, live).await?;
        for row in erased {
            session.ask(&Statement::Erase(row.person), PATIENCE).await?;
        }
    }
}

struct Row {
    slot: i64,
    person: Uuid,
    live: bool,
    wrapped: Vec<u8>,
}

fn page(file: &Connection, after: i64) -> Result<Vec<Row>, KeyStoreError> {
    let mut select = file
        .prepare_cached(
            "SELECT slot, person, state, wrapped FROM data_keys \
             WHERE slot > ?1 ORDER BY slot LIMIT ?2",
        )
        .map_err(failure)?;
    let mut rows = select.query([after, PAGE]).map_err(failure)?;
    let mut page = Vec::new();
    while let Some(row) = rows.next().map_err(failure)? {
        let person: Vec<u8> = row.get(1).map_err(failure)?;
        page.push(Row {
            slot: row.get(0).map_err(failure)?,
            person: Uuid::from_slice(&person)
                .map_err(|_| KeyStoreError::Corrupt("a person who is no UUID".to_owned()))?,
            live: row.get::<_, i64>(2).map_err(failure)? == LIVE,
            wrapped: row.get(3).map_err(failure)?,
        });
    }
    Ok(page)
}

async fn bring_live(
    session: &mut Session,
    masters: &Masters,
    rows: Vec<Row>,
) -> Result<(), KeyStoreError> {
    let in_force = session.ask(&Statement::Find(&[]), PATIENCE).await?.master;
    let (persons, wrapped): (Vec<Uuid>, Vec<Vec<u8>>) =
        rows.into_iter().map(|row| (row.person, row.wrapped)).unzip();
    let make = Statement::Make { persons: &persons, wrapped: &wrapped, under: &in_force };
    let kept = session.ask(&make, PATIENCE).await?.persons;
    let brought: HashMap<Uuid, &Vec<u8>> = persons.iter().copied().zip(&wrapped).collect();
    for (person, kept) in kept {
        // The erased have no key, and stay erased.
        let (Some(kept), Some(brought)) = (kept, brought.get(&person)) else { continue };
        let opened = |wrapped: &[u8]| masters.open(&in_force, person, wrapped);
        if kept != **brought && opened(&kept)?.bytes() != opened(brought)?.bytes() {
            return Err(KeyStoreError::Unavailable(format!(
                "the database has another key for {person}: it is another shop's, or was in use \
                 beside this directory"
            )));
        }
    }
    Ok(())
}
