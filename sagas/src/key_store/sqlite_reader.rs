//! Reads the key store of a data directory, also beside the process that keeps it.
//!
//! Nothing is kept in memory between two calls, so that what is erased meanwhile stays erased.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use domain::Sealed;
use rusqlite::{Connection, OpenFlags};
use uuid::Uuid;

use super::master_key::{MASTER_KEY_FILE, NEXT_MASTER_KEY_FILE};
use super::sqlite_worker::{READERS_PATIENCE, failure, find, recognise};
use super::{
    KEY_STORE_FILE, KeyStore, KeyStoreError, MasterKey, PersonalField, person_of, sealing,
};

/// A key store that opens what is sealed, and changes nothing.
pub struct KeyReader {
    connection: Mutex<Connection>,
    master: MasterKey,
}

impl KeyReader {
    /// # Errors
    /// `StoreMissing`, `MasterKeyMissing`, `BadMasterKey`, `WrongMasterKey`, `NewerFormat`,
    /// `Corrupt`, `Unavailable`.
    pub fn open_data_dir(dir: &Path) -> Result<Self, KeyStoreError> {
        let path = dir.join(KEY_STORE_FILE);
        if !path.exists() {
            return Err(KeyStoreError::StoreMissing { path: path.display().to_string() });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags).map_err(failure)?;
        connection.busy_timeout(READERS_PATIENCE).map_err(failure)?;
        connection.pragma_update(None, "query_only", true).map_err(failure)?;
        let mut master = MasterKey::load(&dir.join(MASTER_KEY_FILE))?;
        if let Err(error) = recognise(&connection, &master) {
            // A rotation may have been cut off after the store took the new key.
            let next = dir.join(NEXT_MASTER_KEY_FILE);
            if !matches!(error, KeyStoreError::WrongMasterKey { .. }) || !next.exists() {
                return Err(error);
            }
            master = MasterKey::load(&next)?;
            recognise(&connection, &master)?;
        }
        Ok(Self { connection: Mutex::new(connection), master })
    }
}

fn read_only() -> KeyStoreError {
    KeyStoreError::Unavailable("the key store is open for reading only".to_owned())
}

#[async_trait]
impl KeyStore for KeyReader {
    async fn ensure(&self, _: Uuid) -> Result<(), KeyStoreError> {
        Err(read_only())
    }

    async fn seal(&self, _: Uuid, _: PersonalField, _: &str) -> Result<Sealed, KeyStoreError> {
        Err(read_only())
    }

    async fn open(&self, field: PersonalField, sealed: &Sealed) -> Result<String, KeyStoreError> {
        let person = person_of(sealed).ok_or(KeyStoreError::NotSealed)?;
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let key = find(&connection, &self.master, person)?;
        sealing::open(&key, person, field, sealed)
    }

    async fn erase(&self, _: Uuid) -> Result<(), KeyStoreError> {
        Err(read_only())
    }

    async fn is_erased(&self, person: Uuid) -> Result<bool, KeyStoreError> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        match find(&connection, &self.master, person) {
            Ok(_) | Err(KeyStoreError::UnknownPerson { .. }) => Ok(false),
            Err(KeyStoreError::Erased { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }
}
