//! Where what shoppers look at is kept: a journal for each month, beside the shop's.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};

use commands::browsing::{
    BrowsingJournals, BrowsingLog, BrowsingOptions, BrowsingReader, BrowsingWriter, Period,
};
use commands::{Clock, IdSource, TokioTimer};
use journal::{Journal, JournalError, SqliteJournal};
use tokio::sync::watch;

use super::stores::{JournalPlace, Stores};
use super::{NodeOptions, eventstore};

/// Files, or mirrors, of the journals.
const DIRECTORY: &str = "browsing";
const FILE_END: &str = ".db";
const MIRROR_END: &str = "-mirror.db";
/// What SQLite, the journal and a mirror keep beside a file.
const BESIDE_A_FILE: [&str; 4] = ["-wal", "-shm", ".lock", ".points"];
/// Months before the retention that a log in EventStoreDB is looked for, to be deleted: the server does
/// not tell which there are, and no node may have run for a while.
const LOOK_BACK_MONTHS: usize = 6;

/// The journals of one shop's browsing.
pub(super) struct Months {
    place: JournalPlace,
    directory: PathBuf,
    journal: journal::Options,
    options: BrowsingOptions,
    clock: Arc<dyn Clock>,
    open: Mutex<BTreeMap<Period, Weak<dyn Journal>>>,
}

impl Stores {
    /// The journals of browsing, where the shop's journal is.
    pub(super) fn browsing(
        &self,
        journal: &journal::Options,
        options: BrowsingOptions,
        clock: Arc<dyn Clock>,
    ) -> Arc<dyn BrowsingJournals> {
        // Readers are at the end of it nearly always, and nobody waits for it.
        let journal = journal::Options {
            tail_events: 8_192,
            tail_bytes: 4 << 20,
            head_cache_streams: 1_000,
            chunk_cache_bytes: 1 << 20,
            page_cache_kib: 2 << 10,
            read_connections: 1,
            realtime_priority: false,
            ..journal.clone()
        };
        Arc::new(Months {
            place: self.journal.clone(),
            directory: self.data.join(DIRECTORY),
            journal,
            options,
            clock,
            open: Mutex::default(),
        })
    }
}

/// What readers of a node's browsing need.
pub(super) struct Browsed {
    journals: Arc<dyn BrowsingJournals>,
    options: BrowsingOptions,
    clock: Arc<dyn Clock>,
}

impl Browsed {
    pub(super) fn reader(&self) -> BrowsingReader {
        BrowsingReader::new(Arc::clone(&self.journals), Arc::clone(&self.clock), self.options)
    }
}

/// A node's browsing. Nothing is opened yet.
pub(super) fn open(
    options: &NodeOptions,
    ids: &Arc<dyn IdSource>,
) -> (BrowsingLog, BrowsingWriter, Browsed) {
    let (clock, kept) = (Arc::clone(&options.clock), options.browsing);
    let journals = options.stores.browsing(&options.of_the_journal(), kept, Arc::clone(&clock));
    let (log, writer) =
        BrowsingLog::new(kept, Arc::clone(&journals), Arc::clone(&clock), Arc::clone(ids));
    (log, writer, Browsed { journals, options: kept, clock })
}

/// Writes what is looked at until the node stops.
pub(super) async fn work(writer: BrowsingWriter, mut stopped: watch::Receiver<bool>) {
    let stop = async move {
        // An error means the node is gone, which is a reason to stop too.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    writer.run(Arc::new(TokioTimer), stop).await;
}

impl BrowsingJournals for Months {
    fn open(&self, period: Period) -> Result<Arc<dyn Journal>, JournalError> {
        // Held while it is opened: whoever else wants it gets the same.
        let mut open = match self.open.lock() {
            Ok(open) => open,
            Err(poisoned) => poisoned.into_inner(),
        };
        if let Some(journal) = open.get(&period).and_then(Weak::upgrade) {
            return Ok(journal);
        }
        let journal = self.open_anew(period)?;
        open.retain(|_, journal| journal.strong_count() > 0);
        open.insert(period, Arc::downgrade(&journal));
        Ok(journal)
    }

    fn list(&self) -> Result<Vec<Period>, JournalError> {
        match &self.place {
            JournalPlace::File(_) => in_directory(&self.directory, FILE_END),
            JournalPlace::Postgres(url) => in_postgres::list(url),
            JournalPlace::EventStore(url) => self.list_logs(url),
        }
    }

    fn remove(&self, period: Period) -> Result<(), JournalError> {
        match &self.place {
            JournalPlace::File(_) => remove_file(&self.file(period)),
            JournalPlace::Postgres(url) => in_postgres::remove(url, period),
            JournalPlace::EventStore(url) => {
                eventstore::delete(&log(url, period))?;
                remove_file(&self.mirror(period))
            }
        }
    }
}

impl Months {
    fn open_anew(&self, period: Period) -> Result<Arc<dyn Journal>, JournalError> {
        match &self.place {
            JournalPlace::File(_) => {
                self.make_directory()?;
                let journal = SqliteJournal::open(&self.file(period), self.journal.clone())?;
                Ok(Arc::new(journal))
            }
            JournalPlace::Postgres(url) => in_postgres::open(url, period, &self.journal),
            JournalPlace::EventStore(url) => {
                self.make_directory()?;
                eventstore::open(&log(url, period), &self.mirror(period), self.journal.clone())
            }
        }
    }

    fn file(&self, period: Period) -> PathBuf {
        self.directory.join(format!("{period}{FILE_END}"))
    }

    fn mirror(&self, period: Period) -> PathBuf {
        self.directory.join(format!("{period}{MIRROR_END}"))
    }

    fn make_directory(&self) -> Result<(), JournalError> {
        std::fs::create_dir_all(&self.directory).map_err(|error| named(&self.directory, &error))
    }

    /// Those this node has a mirror of, and those that the server has of late.
    fn list_logs(&self, url: &str) -> Result<Vec<Period>, JournalError> {
        let now = self.clock.now();
        let mut month = Period::of(self.options.kept_since(now));
        for _ in 0..LOOK_BACK_MONTHS {
            month = month.previous();
        }
        let mut found = in_directory(&self.directory, MIRROR_END)?;
        while month <= Period::of(now) {
            if !found.contains(&month) && eventstore::is_there(&log(url, month))? {
                found.push(month);
            }
            month = month.next();
        }
        found.sort();
        Ok(found)
    }
}

/// The log of a month, beside the shop's.
fn log(url: &str, period: Period) -> String {
    eventstore::beside(url, &format!("browsing-{period}"))
}

/// The months of the files in the directory whose names end so; none if there is no directory.
fn in_directory(directory: &Path, end: &str) -> Result<Vec<Period>, JournalError> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(named(directory, &error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.map_err(|error| named(directory, &error))?.file_name();
        let month = name.to_str().and_then(|name| name.strip_suffix(end));
        found.extend(month.and_then(|month| month.parse::<Period>().ok()));
    }
    found.sort();
    Ok(found)
}

/// Removes a journal's file, last of all that belongs to it: until then it is listed.
fn remove_file(path: &Path) -> Result<(), JournalError> {
    for end in BESIDE_A_FILE.into_iter().chain([""]) {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(named(path, &error)),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn named(path: &Path, error: &std::io::Error) -> JournalError {
    JournalError::Unavailable(format!("{}: {error}", path.display()))
}

#[cfg(feature = "postgres")]
mod in_postgres {
    use std::sync::Arc;

    use commands::browsing::Period;
    use journal::{Journal, JournalError, PostgresJournal, PostgresOptions};

    use crate::block_on::{block_on, block_on_tokio};

    /// The month follows.
    const SCHEMA: &str = "tillroll_browsing_";

    fn schema(period: Period) -> String {
        format!("{SCHEMA}{period}").replace('-', "_")
    }

    /// A month begins while nodes run, so they make the schema themselves, unlike those that
    /// `tillroll migrate` makes.
    pub(super) fn open(
        url: &str,
        period: Period,
        options: &journal::Options,
    ) -> Result<Arc<dyn Journal>, JournalError> {
        let options = PostgresOptions {
            migrate: true,
            schema: Some(schema(period)),
            tail_events: options.tail_events,
            tail_bytes: options.tail_bytes,
            read_connections: 1,
            ..PostgresOptions::default()
        };
        Ok(Arc::new(block_on(PostgresJournal::open(url, options))?))
    }

    pub(super) fn list(url: &str) -> Result<Vec<Period>, JournalError> {
        let work = journal::postgres_schemas(url, SCHEMA);
        let schemas = block_on_tokio(work, JournalError::Unavailable)?;
        let month = |name: &String| name.strip_prefix(SCHEMA)?.replace('_', "-").parse().ok();
        Ok(schemas.iter().filter_map(month).collect())
    }

    pub(super) fn remove(url: &str, period: Period) -> Result<(), JournalError> {
        let schema = schema(period);
        block_on_tokio(journal::drop_postgres_schema(url, &schema), JournalError::Unavailable)
    }
}

#[cfg(not(feature = "postgres"))]
mod in_postgres {
    use std::sync::Arc;

    use commands::browsing::Period;
    use journal::{Journal, JournalError};

    use super::super::stores::WITHOUT_POSTGRES;

    pub(super) fn open(
        _: &str,
        _: Period,
        _: &journal::Options,
    ) -> Result<Arc<dyn Journal>, JournalError> {
        Err(JournalError::Unavailable(WITHOUT_POSTGRES.to_owned()))
    }

    pub(super) fn list(_: &str) -> Result<Vec<Period>, JournalError> {
        Err(JournalError::Unavailable(WITHOUT_POSTGRES.to_owned()))
    }

    pub(super) fn remove(_: &str, _: Period) -> Result<(), JournalError> {
        Err(JournalError::Unavailable(WITHOUT_POSTGRES.to_owned()))
    }
}

#[cfg(test)]
mod tests;
