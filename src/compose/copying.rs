//! Where journals are copied from and to: the engine's, and the books of the sandbox provider.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::{Journal, JournalError, JournalId, SqliteJournal};

use super::eventstore;
#[cfg(feature = "postgres")]
use super::stores::SANDBOX_SCHEMA;
use super::stores::{
    JOURNAL_FILE, JournalPlace, MIRROR_FILE, SANDBOX_FILE, SANDBOX_MIRROR_FILE, postgres,
    without_credentials,
};

/// Ends the name of a file that is not a whole copy yet, so that no engine starts on it.
const PART: &str = ".part";

/// One end of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyEnd {
    place: JournalPlace,
    /// In PostgreSQL.
    schema: Option<&'static str>,
    /// For the mirrors of journals in EventStoreDB.
    data: PathBuf,
}

impl CopyEnd {
    /// The engine's journal at this place; `data` is for what has to be kept on this machine.
    #[must_use]
    pub fn journal(place: JournalPlace, data: &Path) -> Self {
        Self { place, schema: None, data: data.to_owned() }
    }

    /// Where the sandbox provider's books of that journal are. A file that is not in a data directory
    /// has none.
    #[must_use]
    pub fn sandbox(&self) -> Option<Self> {
        match &self.place {
            JournalPlace::File(path) => {
                let in_directory = path.file_name().is_some_and(|name| name == JOURNAL_FILE);
                let place = JournalPlace::File(path.with_file_name(SANDBOX_FILE));
                in_directory.then_some(Self { place, ..self.clone() })
            }
            #[cfg(feature = "postgres")]
            JournalPlace::Postgres(_) => {
                Some(Self { schema: Some(SANDBOX_SCHEMA), ..self.clone() })
            }
            #[cfg(not(feature = "postgres"))]
            JournalPlace::Postgres(_) => None,
            JournalPlace::EventStore(url) => {
                let place = JournalPlace::EventStore(eventstore::beside(url, "sandbox"));
                Some(Self { place, ..self.clone() })
            }
        }
    }

    /// Of the log that this end is.
    fn mirror(&self, url: &str) -> PathBuf {
        let is_sandbox = url.ends_with("-sandbox");
        self.data.join(if is_sandbox { SANDBOX_MIRROR_FILE } else { MIRROR_FILE })
    }

    /// Whether there is something to copy, as far as can be told without opening it.
    #[must_use]
    pub fn may_be_there(&self) -> bool {
        self.place.file().is_none_or(Path::exists)
    }

    /// Whether both are the same, as far as their names tell.
    #[must_use]
    pub fn is_also(&self, other: &Self) -> bool {
        let same_place = match (&self.place, &other.place) {
            (JournalPlace::File(one), JournalPlace::File(other)) => {
                let [one, other] = [one, other].map(|path| path.canonicalize().ok());
                one.is_some() && one == other
            }
            (JournalPlace::Postgres(one), JournalPlace::Postgres(other)) => {
                without_credentials(one) == without_credentials(other)
            }
            (JournalPlace::EventStore(one), JournalPlace::EventStore(other)) => one == other,
            _ => false,
        };
        same_place && self.schema == other.schema
    }

    /// Opens it to copy from, beside whoever uses it.
    ///
    /// # Errors
    /// As the journal's adapter has it.
    pub fn open_source(&self) -> Result<Arc<dyn Journal>, JournalError> {
        match &self.place {
            JournalPlace::File(path) => {
                Ok(Arc::new(SqliteJournal::open_read_only(path, file_options(None))?))
            }
            JournalPlace::Postgres(url) => postgres(url, self.schema, None),
            JournalPlace::EventStore(url) => eventstore::read(url, &self.mirror(url)),
        }
    }

    /// Opens it to copy to. What is made gets this id; a file is made beside its place until
    /// [`Self::finish`].
    ///
    /// # Errors
    /// As the journal's adapter has it.
    pub fn open_target(&self, id: JournalId) -> Result<Arc<dyn Journal>, JournalError> {
        match &self.place {
            JournalPlace::File(path) => {
                let path = if path.exists() { path.clone() } else { part_of(path) };
                if let Some(directory) = path.parent() {
                    std::fs::create_dir_all(directory)
                        .map_err(|error| failed(directory, &error))?;
                }
                Ok(Arc::new(SqliteJournal::open(&path, file_options(Some(id)))?))
            }
            JournalPlace::Postgres(url) => postgres(url, self.schema, Some(id)),
            JournalPlace::EventStore(url) => {
                eventstore::open(url, &self.mirror(url), file_options(Some(id)))
            }
        }
    }

    /// Puts a copy that is whole, and closed, in its place.
    ///
    /// # Errors
    /// `Unavailable`; the copy is whole all the same.
    pub fn finish(&self) -> Result<(), JournalError> {
        let JournalPlace::File(path) = &self.place else { return Ok(()) };
        let part = part_of(path);
        if path.exists() || !part.exists() {
            return Ok(());
        }
        std::fs::rename(&part, path)
            .and_then(|()| std::fs::File::open(path)?.sync_all())
            .and_then(|()| match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                Some(directory) => std::fs::File::open(directory)?.sync_all(),
                None => std::fs::File::open(".")?.sync_all(),
            })
            .map_err(|error| failed(path, &error))?;
        // Nobody needs it any more, and it harms nobody if it stays.
        let _ = std::fs::remove_file(with(&part, ".lock"));
        Ok(())
    }
}

fn file_options(id: Option<JournalId>) -> journal::Options {
    journal::Options { id, realtime_priority: false, ..journal::Options::default() }
}

fn part_of(path: &Path) -> PathBuf {
    with(path, PART)
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn failed(path: &Path, error: &std::io::Error) -> JournalError {
    JournalError::Unavailable(format!("{}: {error}", path.display()))
}
