//! Where read models live: some generations of each model, and which of them serves.
//!
//! Whoever holds the lock `owner` is the only one that writes serving generations and swaps them;
//! a rebuild elsewhere only adds generations.

mod disk;
mod memory;

use std::any::Any;
use std::fmt::Debug;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::StoreError;
use crate::file::Pragmas;
use crate::progress::ModelPosition;
use crate::read_models::Inner;
use crate::sql::Connection;

/// Number of a model's generation; the highest is the newest.
pub type Generation = u64;

/// A connection that one thread uses at a time.
pub(crate) type SharedConnection = Arc<Mutex<Connection>>;

/// The lock of the one who writes.
pub(crate) const OWNER: &str = "owner";

/// A directory of read models, wherever it is. Clones mean the same one.
#[derive(Debug, Clone)]
pub struct Directory(Arc<dyn Place>);

/// A name held until dropped: the directory's owner, or the one rebuild of a model.
#[derive(Debug)]
pub(crate) struct HeldLock {
    _held: Box<dyn Any + Send>,
}

impl HeldLock {
    pub(crate) fn new(held: impl Any + Send) -> Self {
        Self { _held: Box::new(held) }
    }
}

/// What a directory does in each kind of place.
pub(crate) trait Place: Debug + Send + Sync {
    fn lock(&self, name: &str) -> Result<Option<HeldLock>, StoreError>;
    fn serving(&self, name: &str) -> Result<Option<Generation>, StoreError>;
    fn serve(&self, name: &str, generation: Generation) -> Result<(), StoreError>;
    /// In order.
    fn generations(&self, name: &str) -> Result<Vec<Generation>, StoreError>;
    fn writer(
        &self,
        name: &str,
        generation: Generation,
        pragmas: Pragmas,
    ) -> Result<SharedConnection, StoreError>;
    fn reader(&self, name: &str, generation: Generation) -> Result<SharedConnection, StoreError>;
    fn remove(&self, name: &str, generation: Generation) -> Result<(), StoreError>;
    fn mark_ready(&self, name: &str, generation: Generation) -> Result<(), StoreError>;
    fn unmark_ready(&self, name: &str, generation: Generation) -> Result<(), StoreError>;
    fn is_ready(&self, name: &str, generation: Generation) -> Result<bool, StoreError>;
    fn request_retry(&self, name: &str) -> Result<(), StoreError>;
    fn take_retry(&self, name: &str) -> Result<bool, StoreError>;

    /// Whether a reader is to be kept for the next query.
    fn keeps_readers(&self) -> bool {
        false
    }

    /// Whether several processes have it, of which any may write next.
    fn is_shared(&self) -> bool {
        false
    }

    /// Tells other processes how far the models are.
    fn announce(&self, _positions: &[ModelPosition]) {}

    /// Keeps `models` up with what is announced, as long as they are there.
    fn follow(&self, _models: Weak<Inner>) {}

    /// Removes for good what was put aside for readers that had not moved on.
    fn tidy(&self) -> Result<(), StoreError> {
        Ok(())
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
        Ok(Self(Arc::new(disk::Disk::open(path)?)))
    }

    /// Keeps everything in memory, as long as a clone of this lives: for simulations and tests.
    #[must_use]
    pub fn in_memory() -> Self {
        Self(Arc::new(memory::Memory::default()))
    }

    /// Uses the schemas of a PostgreSQL database, which several processes may do at once: one
    /// writes, all read. Blocks its thread while it connects.
    ///
    /// # Errors
    /// `Unavailable` when the server cannot be reached or used, or the schemas are another
    /// program's or a newer one's; it says what to do.
    #[cfg(feature = "postgres")]
    pub fn in_postgres(url: &str, options: &crate::PostgresOptions) -> Result<Self, StoreError> {
        Ok(Self(Arc::new(crate::postgres::Store::open(url, options)?)))
    }

    /// Takes the lock `name`; `None` while somebody else holds it.
    pub(crate) fn lock(&self, name: &str) -> Result<Option<HeldLock>, StoreError> {
        self.0.lock(name)
    }

    /// The generation that answers queries; `None` before the first.
    ///
    /// # Errors
    /// The store's.
    pub fn serving(&self, name: &str) -> Result<Option<Generation>, StoreError> {
        self.0.serving(name)
    }

    /// Makes `generation` the one that answers, in one step that survives a loss of power.
    pub(crate) fn serve(&self, name: &str, generation: Generation) -> Result<(), StoreError> {
        self.0.serve(name, generation)
    }

    /// All generations of a model that are there, in order.
    pub(crate) fn generations(&self, name: &str) -> Result<Vec<Generation>, StoreError> {
        self.0.generations(name)
    }

    /// Opens (making it if need be) a generation for its one writer.
    pub(crate) fn writer(
        &self,
        name: &str,
        generation: Generation,
        pragmas: Pragmas,
    ) -> Result<SharedConnection, StoreError> {
        self.0.writer(name, generation, pragmas)
    }

    /// Opens a generation for queries; fails if there is none.
    pub(crate) fn reader(
        &self,
        name: &str,
        generation: Generation,
    ) -> Result<SharedConnection, StoreError> {
        self.0.reader(name, generation)
    }

    /// Deletes a generation. Readers that still have it open are not disturbed.
    pub(crate) fn remove(&self, name: &str, generation: Generation) -> Result<(), StoreError> {
        self.unmark_ready(name, generation)?;
        self.0.remove(name, generation)
    }

    pub(crate) fn mark_ready(&self, name: &str, generation: Generation) -> Result<(), StoreError> {
        self.0.mark_ready(name, generation)
    }

    pub(crate) fn unmark_ready(
        &self,
        name: &str,
        generation: Generation,
    ) -> Result<(), StoreError> {
        self.0.unmark_ready(name, generation)
    }

    pub(crate) fn is_ready(&self, name: &str, generation: Generation) -> Result<bool, StoreError> {
        self.0.is_ready(name, generation)
    }

    /// Asks whoever owns the directory to try a model's parked events again.
    ///
    /// # Errors
    /// The store's when the request cannot be written.
    pub fn request_retry(&self, name: &str) -> Result<(), StoreError> {
        self.0.request_retry(name)
    }

    /// Takes the request to retry, if there is one.
    pub(crate) fn take_retry(&self, name: &str) -> Result<bool, StoreError> {
        self.0.take_retry(name)
    }

    pub(crate) fn place(&self) -> &dyn Place {
        &*self.0
    }
}
