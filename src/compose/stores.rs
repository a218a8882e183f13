//! The stores a node stands on: where each is, and how it is opened.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::{Journal, JournalError, JournalId, SqliteJournal};

use super::{OpenError, eventstore};

pub const JOURNAL_FILE: &str = "journal.db";
/// The sandbox provider's own ledger.
pub const SANDBOX_FILE: &str = "sandbox.db";
/// What a node has read of a journal in EventStoreDB.
pub(super) const MIRROR_FILE: &str = "journal-mirror.db";
pub(super) const SANDBOX_MIRROR_FILE: &str = "sandbox-mirror.db";
/// The schema of the sandbox's ledger where that is in PostgreSQL.
#[cfg(feature = "postgres")]
pub(super) const SANDBOX_SCHEMA: &str = "tillroll_sandbox";

/// Where a journal is kept.
#[derive(Clone, PartialEq, Eq)]
pub enum JournalPlace {
    /// A file on this machine, which one process writes.
    File(PathBuf),
    /// `postgres://USER:PASSWORD@HOST:5432/DATABASE`, which several nodes may share.
    Postgres(String),
    /// `esdb://USER:PASSWORD@HOST:2113?stream=NAME`: EventStoreDB or KurrentDB, which several nodes
    /// may share. Each keeps a mirror in its data directory.
    EventStore(String),
}

impl JournalPlace {
    /// A URL, a journal's file, or a directory with one in it.
    ///
    /// # Errors
    /// What the text should have been; a URL is not repeated, for it may hold a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        match scheme {
            Some("postgres" | "postgresql") => Ok(Self::Postgres(text.to_owned())),
            Some("esdb" | "esdb+discover" | "kurrentdb" | "kurrentdb+discover") => {
                Ok(Self::EventStore(text.to_owned()))
            }
            Some(other) => Err(format!(
                "no journal is kept at {other}://: use postgres://USER:PASSWORD@HOST:5432/DATABASE, \
                 esdb://USER:PASSWORD@HOST:2113, or the path of a file"
            )),
            None if text.is_empty() => Err("an empty path".to_owned()),
            None => {
                let path = PathBuf::from(text);
                let file = if path.is_dir() { path.join(JOURNAL_FILE) } else { path };
                Ok(Self::File(file))
            }
        }
    }

    /// The file, where it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Postgres(_) | Self::EventStore(_) => None,
        }
    }
}

/// Where it is, without credentials.
impl fmt::Display for JournalPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) | Self::EventStore(url) => f.write_str(&without_credentials(url)),
        }
    }
}

impl fmt::Debug for JournalPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A URL as it may be shown: neither user nor password nor parameters.
pub(crate) fn without_credentials(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
            format!("{scheme}://{place}")
        }
        None => url.to_owned(),
    }
}

/// Everything a node, or a tool beside it, reads and writes.
#[derive(Debug, Clone)]
pub struct Stores {
    /// Whatever is not kept elsewhere: credentials, caches, read models.
    pub data: PathBuf,
    pub journal: JournalPlace,
    /// The database with the keys to personal data; `None` is a file, or the journal's database.
    pub keys: Option<String>,
    /// The database with the read models; `None` is files in the data directory.
    pub read_models: Option<String>,
}

impl Stores {
    /// Everything in one directory.
    #[must_use]
    pub fn in_directory(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
            journal: JournalPlace::File(data.join(JOURNAL_FILE)),
            keys: None,
            read_models: None,
        }
    }

    /// The journal for a node.
    pub(crate) fn open_journal(
        &self,
        options: journal::Options,
    ) -> Result<Arc<dyn Journal>, JournalError> {
        match &self.journal {
            JournalPlace::File(path) => Ok(Arc::new(SqliteJournal::open(path, options)?)),
            JournalPlace::Postgres(url) => postgres(url, None, None),
            JournalPlace::EventStore(url) => {
                eventstore::open(url, &self.data.join(MIRROR_FILE), options)
            }
        }
    }

    /// The journal for whoever only reads, beside nodes or without any.
    ///
    /// # Errors
    /// As the journal's adapter has it.
    pub fn read_journal(&self) -> Result<Arc<dyn Journal>, JournalError> {
        match &self.journal {
            JournalPlace::File(path) => {
                Ok(Arc::new(SqliteJournal::open_read_only(path, journal::Options::default())?))
            }
            JournalPlace::Postgres(url) => postgres(url, None, None),
            JournalPlace::EventStore(url) => eventstore::read(url, &self.data.join(MIRROR_FILE)),
        }
    }

    /// The books of the sandbox provider, which all nodes share as they share the journal.
    pub(crate) fn open_sandbox(
        &self,
        options: journal::Options,
    ) -> Result<Arc<dyn Journal>, JournalError> {
        match &self.journal {
            JournalPlace::File(_) => {
                Ok(Arc::new(SqliteJournal::open(&self.data.join(SANDBOX_FILE), options)?))
            }
            JournalPlace::Postgres(url) => sandbox_in_postgres(url),
            JournalPlace::EventStore(url) => {
                let url = eventstore::beside(url, "sandbox");
                eventstore::open(&url, &self.data.join(SANDBOX_MIRROR_FILE), options)
            }
        }
    }

    /// The same to read; `None` if there are none.
    pub(crate) fn read_sandbox(&self) -> Result<Option<Arc<dyn Journal>>, JournalError> {
        match &self.journal {
            JournalPlace::File(_) => {
                let path = self.data.join(SANDBOX_FILE);
                if !path.is_file() {
                    return Ok(None);
                }
                let options = journal::Options::default();
                Ok(Some(Arc::new(SqliteJournal::open_read_only(&path, options)?)))
            }
            JournalPlace::Postgres(url) => sandbox_in_postgres(url).map(Some),
            JournalPlace::EventStore(url) => {
                let url = eventstore::beside(url, "sandbox");
                eventstore::read(&url, &self.data.join(SANDBOX_MIRROR_FILE)).map(Some)
            }
        }
    }

    /// Makes what the stores need, or brings it up to date: safe to run again, and by several at
    /// once. Tells what was looked after.
    ///
    /// # Errors
    /// As the adapters have it; what was done before stays.
    pub fn migrate(&self) -> Result<Vec<String>, OpenError> {
        let mut done = match &self.journal {
            // A file, or a log, is made and brought up to date when it is opened.
            JournalPlace::File(_) | JournalPlace::EventStore(_) => Vec::new(),
            JournalPlace::Postgres(url) => migrate_postgres(url)?,
        };
        done.extend(self.migrate_keys()?);
        done.extend(self.migrate_read_models().map_err(projections::RunnerError::Directory)?);
        Ok(done)
    }
}

/// Opens the journal; makes it with this id, or one up to date, if `make` says so.
#[cfg(feature = "postgres")]
pub(super) fn postgres(
    url: &str,
    schema: Option<&str>,
    make: Option<JournalId>,
) -> Result<Arc<dyn Journal>, JournalError> {
    use journal::{PostgresJournal, PostgresOptions};
    let schema = schema.map(str::to_owned);
    // Several nodes start at once, and not all as a role that may make tables.
    let migrate = make.is_some();
    let options = PostgresOptions { migrate, id: make, schema, ..PostgresOptions::default() };
    let opened = crate::block_on::block_on(PostgresJournal::open(url, options))?;
    Ok(Arc::new(opened))
}

#[cfg(feature = "postgres")]
fn sandbox_in_postgres(url: &str) -> Result<Arc<dyn Journal>, JournalError> {
    postgres(url, Some(SANDBOX_SCHEMA), None)
}

#[cfg(feature = "postgres")]
fn migrate_postgres(url: &str) -> Result<Vec<String>, JournalError> {
    let work = async {
        let id = journal::migrate_postgres(url, None).await?;
        journal::migrate_postgres(url, Some(SANDBOX_SCHEMA)).await?;
        let place = without_credentials(url);
        Ok(vec![
            format!("journal {id} at {place}"),
            format!("the sandbox provider's books in schema {SANDBOX_SCHEMA}"),
        ])
    };
    crate::block_on::block_on_tokio(work, JournalError::Unavailable)
}

#[cfg(not(feature = "postgres"))]
pub(super) const WITHOUT_POSTGRES: &str = "this program was built without PostgreSQL: build it with \
                                `--features postgres`";

#[cfg(not(feature = "postgres"))]
pub(super) fn postgres(
    _: &str,
    _: Option<&str>,
    _: Option<JournalId>,
) -> Result<Arc<dyn Journal>, JournalError> {
    Err(JournalError::Unavailable(WITHOUT_POSTGRES.to_owned()))
}

#[cfg(not(feature = "postgres"))]
fn sandbox_in_postgres(_: &str) -> Result<Arc<dyn Journal>, JournalError> {
    Err(JournalError::Unavailable(WITHOUT_POSTGRES.to_owned()))
}

#[cfg(not(feature = "postgres"))]
fn migrate_postgres(_: &str) -> Result<Vec<String>, JournalError> {
    Err(JournalError::Unavailable(WITHOUT_POSTGRES.to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failing test panics")]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_url_a_file_or_a_directory_and_shows_no_password() {
        let url = "postgres://me:s3cr@t@db:5432/shop?sslmode=require&password=x";
        let place = JournalPlace::parse(url).unwrap();
        assert_eq!(place, JournalPlace::Postgres(url.to_owned()));
        assert_eq!(place.to_string(), "postgres://db:5432/shop");
        assert_eq!(format!("{place:?}"), "postgres://db:5432/shop");
        let file = JournalPlace::parse("some/where.db").unwrap();
        assert_eq!(file.file(), Some(Path::new("some/where.db")));
        let directory = std::env::temp_dir();
        let inside = JournalPlace::parse(directory.to_str().unwrap()).unwrap();
        assert_eq!(inside.file(), Some(directory.join("journal.db").as_path()));
        let refused = JournalPlace::parse("mysql://me:secret@db/shop").unwrap_err();
        assert!(refused.contains("mysql://: use postgres://"), "{refused}");
        assert!(!refused.contains("secret"), "{refused}");
        assert!(JournalPlace::parse("").is_err());
    }
}
