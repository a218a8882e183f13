//! Keys in PostgreSQL, for several nodes over one journal.
//!
//! Each node brings the master key in a file of its own; the database holds the data keys wrapped by
//! it and nothing that opens them. Opened keys are cached for as long as this node knows of all
//! erasures: the server tells of each, and a node that has not been told for
//! [`PostgresKeyOptions::cache_trusted_for`] asks for every key. So on other nodes an erased key is out
//! of use within that time, as a rule within milliseconds.
//!
//! A server keeps more than it shows: a deleted row stays in dead tuples, in the log and in backups
//! until they are written over. There the key is wrapped, so what is left of it ends with the master
//! key: change that after erasures that must stand up to somebody who has both.

mod bring;
mod cache;
mod faults;
mod masters;
mod migrate;
mod reader;
mod session;
mod worker;

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use domain::Sealed;
use journal::PostgresServer;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

pub use bring::bring_keys;
pub use migrate::migrate;
pub use reader::PostgresKeyReader;

use super::master_key::adopt_next;
use super::sealing::{self, SecretKey};
use super::{Entropy, KeyStore, KeyStoreError, MasterKey, OsEntropy, PersonalField, person_of};
use cache::Cache;
use faults::unavailable;
use masters::Masters;
use worker::{Ask, Start};

/// Settings of a [`PostgresKeyStore`].
#[derive(Clone)]
pub struct PostgresKeyOptions {
    /// Make or upgrade the tables on opening; else a database without them is `Unavailable` until
    /// [`migrate`](super::migrate_postgres) has run.
    pub migrate: bool,
    /// Data keys kept open in memory, about 150 bytes each.
    pub keys_cached_max: NonZeroUsize,
    /// Longest use of a cached key without having heard of all erasures: the bound on how long a
    /// key that was erased on another node can still be used here.
    pub cache_trusted_for: Duration,
    /// How often to ask for erasures, whether the server tells of any or not.
    pub poll_every: Duration,
    /// How long a call waits for a server that is away before it is `Unavailable`.
    pub patience: Duration,
    /// Calls that may wait for the server; more are refused as `Unavailable`.
    pub queued_max: usize,
    pub entropy: Arc<dyn Entropy>,
}

impl Default for PostgresKeyOptions {
    fn default() -> Self {
        Self {
            migrate: true,
            keys_cached_max: NonZeroUsize::MIN.saturating_add(49_999),
            cache_trusted_for: Duration::from_secs(5),
            poll_every: Duration::from_secs(1),
            patience: Duration::from_secs(5),
            queued_max: 8_192,
            entropy: Arc::new(OsEntropy),
        }
    }
}

/// The key store of all nodes over one database. It has a thread of its own, so its futures need
/// no particular executor. Dropping it closes it.
pub struct PostgresKeyStore {
    cache: Arc<Cache>,
    entropy: Arc<dyn Entropy>,
    /// `None` once closed.
    asks: Mutex<Option<mpsc::Sender<Ask>>>,
    worker: Mutex<Option<JoinHandle<()>>>,
}

impl PostgresKeyStore {
    /// Opens the store in the database at `url`: `postgres://USER:PASSWORD@HOST:5432/DATABASE`. A
    /// store without keys is under `master` from now on.
    ///
    /// # Errors
    /// `WrongMasterKey`, `NewerFormat`, `Corrupt`, and `Unavailable` when the server cannot be reached
    /// or used; the message says what to do.
    pub async fn open(
        url: &str,
        master: MasterKey,
        options: PostgresKeyOptions,
    ) -> Result<Self, KeyStoreError> {
        Self::start(url, Masters::given(master), true, options).await
    }

    /// Opens the store with the master key in the file of a data directory; finishes a rotation
    /// that was cut off. The first node of a new store makes the file if there is none; it is to be
    /// copied to all others. A key that was changed elsewhere is found as soon as its file is here.
    ///
    /// # Errors
    /// As [`Self::open`]; `MasterKeyMissing`, `BadMasterKey`, `NoEntropy`.
    pub async fn open_data_dir(
        url: &str,
        dir: &Path,
        options: PostgresKeyOptions,
    ) -> Result<Self, KeyStoreError> {
        Self::start(url, Masters::in_data_dir(dir), true, options).await
    }

    /// As [`Self::open_data_dir`] where there may be personal data already: a store without keys is
    /// not taken for a new one, since that would only hide the loss.
    ///
    /// # Errors
    /// `StoreEmpty`, and as [`Self::open_data_dir`].
    pub async fn reopen_data_dir(
        url: &str,
        dir: &Path,
        options: PostgresKeyOptions,
    ) -> Result<Self, KeyStoreError> {
        Self::start(url, Masters::in_data_dir(dir), false, options).await
    }

    async fn start(
        url: &str,
        masters: Masters,
        may_be_new: bool,
        options: PostgresKeyOptions,
    ) -> Result<Self, KeyStoreError> {
        let server = PostgresServer::parse(url).map_err(unavailable)?;
        let cache = Arc::new(Cache::new(options.keys_cached_max, options.cache_trusted_for));
        let entropy = Arc::clone(&options.entropy);
        let (asks, asked) = mpsc::channel(options.queued_max.max(1));
        let (ready, started) = oneshot::channel();
        let start = Start { server, masters, may_be_new, options, cache: Arc::clone(&cache) };
        let failed = |error: std::io::Error| KeyStoreError::Unavailable(error.to_string());
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let thread = std::thread::Builder::new()
            .name("tillroll-keys".to_owned())
            .spawn(move || runtime.block_on(worker::run(start, ready, asked)))
            .map_err(failed)?;
        started.await.unwrap_or(Err(KeyStoreError::Closed))?;
        Ok(Self { cache, entropy, asks: Mutex::new(Some(asks)), worker: Mutex::new(Some(thread)) })
    }

    /// Wraps every data key under `master` instead, in one transaction, while other nodes read and
    /// erase. Making new keys waits for it, for 10 s, and is then `Unavailable`. Running it again
    /// after an error is safe. Other nodes need the new key for whatever they have not cached.
    ///
    /// # Errors
    /// `Full`, `Unavailable`, `NoEntropy`; the old master key is still in force unless the connection
    /// was lost at the end.
    pub async fn rotate_master(&self, master: MasterKey) -> Result<(), KeyStoreError> {
        self.ask(|reply| Ask::Rotate { master, reply }).await
    }

    /// Makes a new master key as `master.key.next`, puts every data key under it, and puts it in the
    /// place of `master.key`. [`Self::open_data_dir`] finishes this if it is cut off. A
    /// `master.key.next` that is there already is taken: made with
    /// [`MasterKey::prepare_rotation`] and copied to all nodes beforehand, no node misses it.
    ///
    /// # Errors
    /// As [`Self::rotate_master`]; `BadMasterKey` when the files cannot be written.
    pub async fn rotate_data_dir(&self, dir: &Path) -> Result<(), KeyStoreError> {
        let next = MasterKey::prepare_rotation(dir, self.entropy.as_ref())?;
        self.rotate_master(next).await?;
        adopt_next(dir)
    }

    /// Answers what is queued, closes the sessions and wipes the cache. Idempotent; blocks for as
    /// long as the server takes.
    pub fn close(&self) {
        drop(self.asks.lock().unwrap_or_else(PoisonError::into_inner).take());
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A worker that panicked has answered nobody it should not have: callers see `Closed`.
        if worker.is_some_and(|worker| worker.join().is_err()) {
            tracing::error!("the key store's thread panicked");
        }
        self.cache.clear();
    }

    async fn key(&self, person: Uuid, create: bool) -> Result<Arc<SecretKey>, KeyStoreError> {
        if let Some(key) = self.cache.get(person) {
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
            Err(TrySendError::Closed(_)) => Err(KeyStoreError::Closed),
        }
    }
}

impl Drop for PostgresKeyStore {
    fn drop(&mut self) {
        self.close();
    }
}

#[async_trait]
impl KeyStore for PostgresKeyStore {
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
