//! Keys in one SQLite file: WAL, `synchronous=FULL`, one thread that owns the connection.
//!
//! What is asked at the same time shares one commit. A cache of opened data keys makes sealing
//! and opening a matter of the processor alone; it is filled and emptied only by the thread
//! that reads and erases, so a key that was erased never comes back into it.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use domain::Sealed;
use lru::LruCache;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::master_key::{NEXT_MASTER_KEY_FILE, adopt_next};
use super::sealing::{self, SecretKey};
use super::sqlite_worker::{Ask, Worker};
use super::{Entropy, KeyStore, KeyStoreError, MasterKey, OsEntropy, PersonalField, person_of};

/// Name of the key store's file in a data directory.
pub const KEY_STORE_FILE: &str = "keys.db";

pub(super) type KeyCache = Arc<Mutex<LruCache<Uuid, Arc<SecretKey>>>>;

#[derive(Clone)]
pub struct KeyStoreOptions {
    /// Data keys kept open in memory, about 150 bytes each.
    pub keys_cached_max: NonZeroUsize,
    /// Calls that may wait for the disk; more are refused as `Unavailable`.
    pub queued_max: usize,
    pub entropy: Arc<dyn Entropy>,
}

impl Default for KeyStoreOptions {
    fn default() -> Self {
        Self {
            keys_cached_max: NonZeroUsize::MIN.saturating_add(49_999),
            queued_max: 8_192,
            entropy: Arc::new(OsEntropy),
        }
    }
}

/// The key store of one data directory; one process at a time.
pub struct SqliteKeyStore {
    cache: KeyCache,
    entropy: Arc<dyn Entropy>,
    /// `None` once closed.
    asks: Mutex<Option<SyncSender<Ask>>>,
    worker: Mutex<Option<JoinHandle<()>>>,
}

impl SqliteKeyStore {
    /// Opens or makes the store at `path`.
    ///
    /// # Errors
    /// `WrongMasterKey`, `NewerFormat`, `Corrupt`, `Unavailable` (another process has it).
    pub fn open(
        path: &Path,
        master: MasterKey,
        options: KeyStoreOptions,
    ) -> Result<Self, KeyStoreError> {
        let cache: KeyCache = Arc::new(Mutex::new(LruCache::new(options.keys_cached_max)));
        let entropy = Arc::clone(&options.entropy);
        let worker = Worker::open(path, master, Arc::clone(&cache), Arc::clone(&entropy))?;
        let (asks, asked) = sync_channel(options.queued_max.max(1));
        let thread = std::thread::Builder::new()
            .name("tillroll-keys".to_owned())
            .spawn(move || worker.run(&asked))
            .map_err(|error| KeyStoreError::Unavailable(error.to_string()))?;
        Ok(Self { cache, entropy, asks: Mutex::new(Some(asks)), worker: Mutex::new(Some(thread)) })
    }

    /// Opens the store of a data directory with the master key in its file, making both in a
    /// new directory; finishes a rotation that was cut off.
    ///
    /// # Errors
    /// As [`Self::open`] and [`MasterKey::of_data_dir`].
    pub fn open_data_dir(dir: &Path, options: KeyStoreOptions) -> Result<Self, KeyStoreError> {
        let path = dir.join(KEY_STORE_FILE);
        let master = MasterKey::of_data_dir(dir, options.entropy.as_ref())?;
        let next = dir.join(NEXT_MASTER_KEY_FILE);
        match Self::open(&path, master, options.clone()) {
            Err(KeyStoreError::WrongMasterKey { .. }) if next.exists() => {
                let store = Self::open(&path, MasterKey::load(&next)?, options)?;
                adopt_next(dir)?;
                Ok(store)
            }
            opened => opened,
        }
    }

    /// As [`Self::open_data_dir`] for a directory that may hold personal data already: a store
    /// that is gone is not made again, since that would only hide the loss.
    ///
    /// # Errors
    /// `StoreMissing`, and as [`Self::open_data_dir`].
    pub fn reopen_data_dir(dir: &Path, options: KeyStoreOptions) -> Result<Self, KeyStoreError> {
        let path = dir.join(KEY_STORE_FILE);
        if !path.exists() {
            return Err(KeyStoreError::StoreMissing { path: path.display().to_string() });
        }
        Self::open_data_dir(dir, options)
    }

    /// Wraps every data key under `master` instead, in one transaction: other calls wait,
    /// about 10 seconds for each million persons.
    ///
    /// # Errors
    /// `Full`, `Unavailable`, `NoEntropy`: the old master key is still in force.
    pub async fn rotate_master(&self, master: MasterKey) -> Result<(), KeyStoreError> {
        self.ask(|reply| Ask::Rotate { master, reply }).await
    }

    /// Makes a new master key, puts every data key under it, and puts it in the place of the
    /// old one's file. [`Self::open_data_dir`] finishes this if it is cut off.
    ///
    /// # Errors
    /// As [`Self::rotate_master`]; `BadMasterKey` when the files cannot be written.
    pub async fn rotate_data_dir(&self, dir: &Path) -> Result<(), KeyStoreError> {
        self.rotate_master(MasterKey::prepare_rotation(dir, self.entropy.as_ref())?).await?;
        adopt_next(dir)
    }

    /// Writes a copy of the store to `path`, which must not exist; the keys in it stay wrapped.
    ///
    /// # Errors
    /// `Full`, `Unavailable`.
    pub async fn back_up(&self, path: PathBuf) -> Result<(), KeyStoreError> {
        self.ask(|reply| Ask::BackUp { path, reply }).await
    }

    /// Answers what is queued, closes the file and wipes the cache. Idempotent; blocks for as
    /// long as the disk takes.
    pub fn close(&self) {
        drop(self.asks.lock().unwrap_or_else(PoisonError::into_inner).take());
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A worker that panicked has answered nobody it should not have: callers see `Closed`.
        if worker.is_some_and(|worker| worker.join().is_err()) {
            tracing::error!("the key store's thread panicked");
        }
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn cached(&self, person: Uuid) -> Option<Arc<SecretKey>> {
        // The cache holds whole keys only, whatever happened to the lock's last holder.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(&person).cloned()
    }

    async fn key(&self, person: Uuid, create: bool) -> Result<Arc<SecretKey>, KeyStoreError> {
        if let Some(key) = self.cached(person) {
            return Ok(key);
        }
        self.ask(|reply| Ask::Key { person, create, reply }).await
    }

    async fn ask<T>(
        &self,
        ask: impl FnOnce(oneshot::Sender<Result<T, KeyStoreError>>) -> Ask + Send,
    ) -> Result<T, KeyStoreError> {
        let (reply, answer) = oneshot::channel();
        let sent = match self.asks.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            None => return Err(KeyStoreError::Closed),
            Some(asks) => asks.try_send(ask(reply)),
        };
        match sent {
            Ok(()) => answer.await.unwrap_or(Err(KeyStoreError::Closed)),
            Err(TrySendError::Full(_)) => {
                Err(KeyStoreError::Unavailable("too many calls are waiting".to_owned()))
            }
            Err(TrySendError::Disconnected(_)) => Err(KeyStoreError::Closed),
        }
    }
}

impl Drop for SqliteKeyStore {
    fn drop(&mut self) {
        self.close();
    }
}

#[async_trait]
impl KeyStore for SqliteKeyStore {
    async fn ensure(&self, person: Uuid) -> Result<(), KeyStoreError> {
        self.key(person, true).await.map(|_| ())
    }

    async fn seal(
        &self,
        person: Uuid,
        field: PersonalField,
        plaintext: &str,
    ) -> Result<Sealed, KeyStoreError> {
        let key = self.key(person, true).await?;
        sealing::seal(&key, person, field, plaintext, self.entropy.as_ref())
    }

    async fn open(&self, field: PersonalField, sealed: &Sealed) -> Result<String, KeyStoreError> {
        let person = person_of(sealed).ok_or(KeyStoreError::NotSealed)?;
        let key = self.key(person, false).await?;
        sealing::open(&key, person, field, sealed)
    }

    async fn erase(&self, person: Uuid) -> Result<(), KeyStoreError> {
        self.ask(|reply| Ask::Erase { person, reply }).await
    }

    async fn is_erased(&self, person: Uuid) -> Result<bool, KeyStoreError> {
        match self.key(person, false).await {
            Ok(_) | Err(KeyStoreError::UnknownPerson { .. }) => Ok(false),
            Err(KeyStoreError::Erased { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn close(&self) {
        Self::close(self);
    }
}
