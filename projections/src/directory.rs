//! Where read models live: one file for each generation of each model, and which one serves.
//!
//! On disk, `<name>-<generation>.db` is a model's file, `<name>.serving` names the generation
//! that answers, `<name>-<generation>.ready` says that a rebuild is finished, `<name>.retry` asks
//! for parked events to be tried again. The process that holds `owner.lock` is the only one that
//! writes serving files and swaps them; a rebuild elsewhere only adds files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::OpenFlags;

use crate::StoreError;
use crate::file::{Pragmas, set_up};
use crate::sql::Connection;

/// Number of a model's file; the highest is the newest.
pub type Generation = u64;

/// A connection that one thread uses at a time.
pub(crate) type SharedConnection = Arc<Mutex<Connection>>;

/// A directory of read models, on disk or in memory. Clones mean the same one.
#[derive(Debug, Clone)]
pub struct Directory(Arc<Place>);

#[derive(Debug)]
enum Place {
    Disk(PathBuf),
    Memory(Mutex<MemoryFiles>),
}

#[derive(Debug, Default)]
struct MemoryFiles {
    files: BTreeMap<(String, Generation), SharedConnection>,
    serving: BTreeMap<String, Generation>,
    ready: BTreeSet<(String, Generation)>,
    retries: BTreeSet<String>,
    locks: BTreeSet<String>,
}

/// A name held until dropped: the directory's owner, or the one rebuild of a model.
#[derive(Debug)]
pub(crate) struct HeldLock {
    _file: Option<File>,
    memory: Option<(Directory, String)>,
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        if let Some((directory, name)) = self.memory.take()
            && let Place::Memory(files) = &*directory.0
        {
            hold(files).locks.remove(&name);
        }
    }
}

/// A poisoned lock still guards sound values here: every change is one step.
pub(crate) fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Directory {
    /// Uses (and makes, if need be) the directory at `path`.
    ///
    /// # Errors
    /// `Io` when it cannot be made.
    pub fn on_disk(path: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(path)?;
        Ok(Self(Arc::new(Place::Disk(path.to_owned()))))
    }

    /// Keeps everything in memory, as long as a clone of this lives: for simulations and tests.
    #[must_use]
    pub fn in_memory() -> Self {
        Self(Arc::new(Place::Memory(Mutex::default())))
    }

    /// Takes the lock `name`; `None` while somebody else holds it.
    pub(crate) fn lock(&self, name: &str) -> Result<Option<HeldLock>, StoreError> {
        match &*self.0 {
            Place::Disk(path) => {
                let file = File::create(path.join(format!("{name}.lock")))?;
                match file.try_lock() {
                    Ok(()) => Ok(Some(HeldLock { _file: Some(file), memory: None })),
                    Err(TryLockError::WouldBlock) => Ok(None),
                    Err(TryLockError::Error(error)) => Err(error.into()),
                }
            }
            Place::Memory(files) => {
                let free = hold(files).locks.insert(name.to_owned());
                Ok(free.then(|| HeldLock {
                    _file: None,
                    memory: Some((self.clone(), name.to_owned())),
                }))
            }
        }
    }

    /// The generation that answers queries; `None` before the first.
    pub fn serving(&self, name: &str) -> Result<Option<Generation>, StoreError> {
        match &*self.0 {
            Place::Disk(path) => {
                match fs::read_to_string(path.join(format!("{name}.serving"))) {
                    // Written by rename, so never half there; anything else is not ours.
                    Ok(text) => Ok(text.trim().parse().ok()),
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(error.into()),
                }
            }
            Place::Memory(files) => Ok(hold(files).serving.get(name).copied()),
        }
    }

    /// Makes `generation` the one that answers, in one step that survives a loss of power.
    pub(crate) fn serve(&self, name: &str, generation: Generation) -> Result<(), StoreError> {
        match &*self.0 {
            Place::Disk(path) => {
                let next = path.join(format!("{name}.serving.next"));
                let mut file = File::create(&next)?;
                writeln!(file, "{generation}")?;
                file.sync_all()?;
                fs::rename(next, path.join(format!("{name}.serving")))?;
                File::open(path)?.sync_all()?;
            }
            Place::Memory(files) => {
                hold(files).serving.insert(name.to_owned(), generation);
            }
        }
        Ok(())
    }

    /// All generations of a model with a file, in order.
    pub(crate) fn generations(&self, name: &str) -> Result<Vec<Generation>, StoreError> {
        let mut found: Vec<Generation> = match &*self.0 {
            Place::Disk(path) => {
                let mut found: Vec<Generation> = Vec::new();
                for entry in fs::read_dir(path)? {
                    let file = entry?.file_name();
                    let generation = file
                        .to_str()
                        .and_then(|file| file.strip_suffix(".db"))
                        .and_then(|file| file.strip_prefix(name))
                        .and_then(|rest| rest.strip_prefix('-'))
                        .and_then(|number| number.parse::<Generation>().ok());
                    found.extend(generation);
                }
                found
            }
            Place::Memory(files) => {
                let files = hold(files);
                let of_name = files.files.keys().filter(|(file, _)| file == name);
                of_name.map(|(_, generation)| *generation).collect()
            }
        };
        found.sort_unstable();
        Ok(found)
    }

    /// Opens (making it if need be) a generation's file for its one writer.
    pub(crate) fn writer(
        &self,
        name: &str,
        generation: Generation,
        pragmas: Pragmas,
    ) -> Result<SharedConnection, StoreError> {
        let connection = match &*self.0 {
            Place::Disk(path) => rusqlite::Connection::open(Self::file(path, name, generation))?,
            Place::Memory(files) => {
                let mut files = hold(files);
                let key = (name.to_owned(), generation);
                if let Some(connection) = files.files.get(&key) {
                    return Ok(Arc::clone(connection));
                }
                let connection = rusqlite::Connection::open_in_memory()?;
                set_up(&connection, pragmas)?;
                let connection = Arc::new(Mutex::new(connection.into()));
                files.files.insert(key, Arc::clone(&connection));
                return Ok(connection);
            }
        };
        set_up(&connection, pragmas)?;
        Ok(Arc::new(Mutex::new(connection.into())))
    }

    /// Opens a generation's file for queries; fails if there is none.
    pub(crate) fn reader(
        &self,
        name: &str,
        generation: Generation,
    ) -> Result<SharedConnection, StoreError> {
        match &*self.0 {
            Place::Disk(path) => {
                // Not SQLITE_OPEN_READ_ONLY: a reader may have to make the WAL's index file.
                let connection = rusqlite::Connection::open_with_flags(
                    Self::file(path, name, generation),
                    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
                )?;
                set_up(&connection, Pragmas::Query)?;
                Ok(Arc::new(Mutex::new(connection.into())))
            }
            Place::Memory(files) => {
                hold(files).files.get(&(name.to_owned(), generation)).map(Arc::clone).ok_or_else(
                    || StoreError::Other(format!("no generation {generation} of {name}")),
                )
            }
        }
    }

    /// Whether readers and the writer share one connection.
    pub(crate) fn shares_connections(&self) -> bool {
        matches!(&*self.0, Place::Memory(_))
    }

    /// Deletes a generation's file. Readers that still have it open are not disturbed.
    pub(crate) fn remove(&self, name: &str, generation: Generation) -> Result<(), StoreError> {
        self.unmark_ready(name, generation)?;
        match &*self.0 {
            Place::Disk(path) => {
                let file = Self::file(path, name, generation);
                for suffix in ["", "-wal", "-shm"] {
                    let mut with_suffix = file.clone().into_os_string();
                    with_suffix.push(suffix);
                    remove_if_there(Path::new(&with_suffix))?;
                }
            }
            Place::Memory(files) => {
                hold(files).files.remove(&(name.to_owned(), generation));
            }
        }
        Ok(())
    }

    pub(crate) fn mark_ready(&self, name: &str, generation: Generation) -> Result<(), StoreError> {
        match &*self.0 {
            Place::Disk(path) => {
                File::create(path.join(format!("{name}-{generation}.ready")))?.sync_all()?;
                File::open(path)?.sync_all()?;
            }
            Place::Memory(files) => {
                hold(files).ready.insert((name.to_owned(), generation));
            }
        }
        Ok(())
    }

    pub(crate) fn unmark_ready(
        &self,
        name: &str,
        generation: Generation,
    ) -> Result<(), StoreError> {
        match &*self.0 {
            Place::Disk(path) => remove_if_there(&path.join(format!("{name}-{generation}.ready"))),
            Place::Memory(files) => {
                hold(files).ready.remove(&(name.to_owned(), generation));
                Ok(())
            }
        }
    }

    pub(crate) fn is_ready(&self, name: &str, generation: Generation) -> bool {
        match &*self.0 {
            Place::Disk(path) => path.join(format!("{name}-{generation}.ready")).exists(),
            Place::Memory(files) => hold(files).ready.contains(&(name.to_owned(), generation)),
        }
    }

    /// Asks whoever owns the directory to try a model's parked events again.
    ///
    /// # Errors
    /// `Io` when the request cannot be written.
    pub fn request_retry(&self, name: &str) -> Result<(), StoreError> {
        match &*self.0 {
            Place::Disk(path) => {
                File::create(path.join(format!("{name}.retry")))?;
            }
            Place::Memory(files) => {
                hold(files).retries.insert(name.to_owned());
            }
        }
        Ok(())
    }

    /// Takes the request to retry, if there is one.
    pub(crate) fn take_retry(&self, name: &str) -> bool {
        match &*self.0 {
            Place::Disk(path) => fs::remove_file(path.join(format!("{name}.retry"))).is_ok(),
            Place::Memory(files) => hold(files).retries.remove(name),
        }
    }

    fn file(path: &Path, name: &str, generation: Generation) -> PathBuf {
        path.join(format!("{name}-{generation}.db"))
    }
}

fn remove_if_there(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
