//! The file: its tables, its marks, and how connections to it are set up.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use uuid::{NoContext, Timestamp, Uuid};

use super::fault::read_error;
use super::mover::PATIENCE;
use super::options::Options;
use crate::{JournalError, JournalId};

/// Marks the file as ours: "Till".
const APPLICATION: i32 = 0x5469_6c6c;
/// The format of a file with every chunk in it.
const FORMAT_WHOLE: u32 = 1;
/// Of one some of whose chunks are in archives.
pub(super) const FORMAT_WITH_ARCHIVES: u32 = 2;
/// The newest format this program reads.
pub(super) const FORMAT: u32 = FORMAT_WITH_ARCHIVES;
/// Bytes in a page, fixed when the file is made.
const PAGE_BYTES: u32 = 8192;

const TABLES: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
-- Events `first .. first + count - 1`, as `body`. `crc` is over `body`; `chain` is over the
-- chunk before and this one, so that no chunk can be changed, left out or put in unseen. An empty
-- body is in an archive.
CREATE TABLE chunk (
  first INTEGER PRIMARY KEY,
  count INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  chain INTEGER NOT NULL,
  body BLOB NOT NULL
);
-- The last event of each stream, complete up to `heads_saved_through`; newer ones are found
-- by reading the chunks from there on.
CREATE TABLE head (
  stream BLOB PRIMARY KEY,
  position INTEGER NOT NULL,
  version INTEGER NOT NULL
) WITHOUT ROWID;
";

/// Opens the file for writing, and makes it if that is allowed.
pub(super) fn open_for_writing(
    path: &Path,
    options: &Options,
) -> Result<(Connection, JournalId), JournalError> {
    if !options.create_if_missing && !path.exists() {
        return Err(missing(path));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(named(path))?;
    set_up(&connection, options).map_err(named(path))?;
    if is_blank(&connection).map_err(named(path))? {
        create(&mut connection, options).map_err(named(path))?;
        sync_directory(path);
    }
    let id = recognise(&connection, path)?;
    let writer = || -> rusqlite::Result<()> {
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        let synchronous = if options.durable { "FULL" } else { "NORMAL" };
        connection.pragma_update(None, "synchronous", synchronous)?;
        let patient = options.checkpoint_pages.saturating_mul(PATIENCE);
        connection.pragma_update(None, "wal_autocheckpoint", patient)?;
        if let Some(pages) = options.pages_max {
            connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
        }
        Ok(())
    };
    writer().map_err(named(path))?;
    Ok((connection, id))
}

/// Opens the file once more for the process which has it open for writing.
pub(super) fn open_beside_writer(
    path: &Path,
    options: &Options,
) -> Result<Connection, JournalError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(named(path))?;
    set_up(&connection, options).map_err(named(path))?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(named(path))?;
    recognise(&connection, path)?;
    Ok(connection)
}

/// Opens the file for reading, beside a writer or without one.
pub(super) fn open_for_reading(
    path: &Path,
    options: &Options,
) -> Result<(Connection, JournalId), JournalError> {
    if !path.exists() {
        return Err(missing(path));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(named(path))?;
    // The last reader to leave must not try to tidy up what only a writer may change.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map_err(named(path))?;
    set_up(&connection, options).map_err(named(path))?;
    let id = recognise(&connection, path)?;
    Ok((connection, id))
}

fn set_up(connection: &Connection, options: &Options) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(32);
    connection.pragma_update(None, "cache_size", -i64::from(options.page_cache_kib))
}

fn is_blank(connection: &Connection) -> rusqlite::Result<bool> {
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    let application: i32 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    Ok(tables == 0 && application == 0)
}

fn create(connection: &mut Connection, options: &Options) -> rusqlite::Result<()> {
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    let now = (options.clock)();
    let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
    let id = options.id.unwrap_or_else(|| {
        Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos()))
    });
    // All or nothing: a file with half of its tables would be neither blank nor ours.
    let transaction = connection.transaction()?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.execute_batch(TABLES)?;
    let mut insert = transaction.prepare("INSERT INTO meta (name, value) VALUES (?1, ?2)")?;
    insert.execute(("format", FORMAT_WHOLE))?;
    insert.execute(("journal_id", id.as_bytes().as_slice()))?;
    insert.execute(("heads_saved_through", 0))?;
    drop(insert);
    transaction.commit()
}

/// Makes sure that the file is ours and that we can read it.
fn recognise(connection: &Connection, path: &Path) -> Result<JournalId, JournalError> {
    let application: i32 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(named(path))?;
    if application != APPLICATION {
        return Err(JournalError::Unavailable(format!(
            "{} is not a tillroll journal: it was left untouched",
            path.display()
        )));
    }
    let found: u32 = meta(connection, "format")?;
    if found > FORMAT {
        return Err(JournalError::NewerFormat { found, supported: FORMAT });
    }
    let id: Vec<u8> = meta(connection, "journal_id")?;
    Uuid::from_slice(&id).map_err(|_| JournalError::Corrupt {
        at: None,
        problem: "the journal's id is not a UUID".to_owned(),
    })
}

/// One value of the meta table, which every journal has.
pub(super) fn meta<T: rusqlite::types::FromSql>(
    connection: &Connection,
    name: &str,
) -> Result<T, JournalError> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")
        .and_then(|mut select| select.query_row([name], |row| row.get(0)).optional())
        .map_err(read_error)?
        .ok_or_else(|| JournalError::Corrupt { at: None, problem: format!("`{name}` is missing") })
}

/// Without this a crash of the machine could lose a file that was just made.
fn sync_directory(path: &Path) {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let synced = std::fs::File::open(parent.unwrap_or(Path::new(".")))
        .and_then(|directory| directory.sync_all());
    if let Err(error) = synced {
        tracing::warn!(%error, path = %path.display(), "could not sync the journal's directory");
    }
}

fn missing(path: &Path) -> JournalError {
    JournalError::Unavailable(format!("there is no journal at {}", path.display()))
}

fn named(path: &Path) -> impl Fn(rusqlite::Error) -> JournalError {
    let path = path.display().to_string();
    move |error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => JournalError::Unavailable(format!(
            "{path} is not a tillroll journal: it was left untouched"
        )),
        _ => match read_error(error) {
            JournalError::Unavailable(why) => JournalError::Unavailable(format!("{path}: {why}")),
            other => other,
        },
    }
}
