//! Reads the key store in a database, beside the nodes that use it.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use domain::Sealed;
use journal::PostgresServer;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::faults::unavailable;
use super::masters::{self, Masters};
use super::migrate;
use super::session::{Session, Statement};
use crate::key_store::sealing::{self, SecretKey};
use crate::key_store::{KeyStore, KeyStoreError, PersonalField, person_of};

/// A key store that opens what is sealed, and changes nothing. Nothing is kept in memory between two
/// calls, so that what is erased meanwhile stays erased. Needs a Tokio runtime.
pub struct PostgresKeyReader {
    session: Mutex<Session>,
    masters: Masters,
}

impl PostgresKeyReader {
    /// Opens the store in the database at `url` with the master key in the file of a data directory.
    ///
    /// # Errors
    /// `StoreEmpty`, `MasterKeyMissing`, `BadMasterKey`, `WrongMasterKey`, `NewerFormat`,
    /// `Unavailable`.
    pub async fn open_data_dir(url: &str, dir: &Path) -> Result<Self, KeyStoreError> {
        let server = PostgresServer::parse(url).map_err(unavailable)?;
        let mut session = server.connect_checked().await.map_err(unavailable)?;
        migrate::check(&mut session).await?;
        let masters = Masters::in_data_dir(dir);
        match masters::on_record(&mut session, false).await? {
            Some(fingerprint) => masters.with(&fingerprint)?,
            None => return Err(KeyStoreError::StoreEmpty { place: server.place().to_owned() }),
        };
        let session = Mutex::new(Session::new(server, session));
        Ok(Self { session, masters })
    }

    async fn key(&self, person: Uuid) -> Result<SecretKey, KeyStoreError> {
        let answer =
            self.session.lock().await.ask(&Statement::Find(&[person]), Duration::ZERO).await?;
        match answer.persons.into_iter().next() {
            None => Err(KeyStoreError::UnknownPerson { person }),
            Some((_, None)) => Err(KeyStoreError::Erased { person }),
            Some((_, Some(wrapped))) => self.masters.open(&answer.master, person, &wrapped),
        }
    }
}

fn read_only() -> KeyStoreError {
    KeyStoreError::Unavailable("the key store is open for reading only".to_owned())
}

#[async_trait]
impl KeyStore for PostgresKeyReader {
    async fn ensure(&self, _: Uuid) -> Result<(), KeyStoreError> {
        Err(read_only())
    }

    async fn seal(&self, _: Uuid, _: PersonalField, _: &str) -> Result<Sealed, KeyStoreError> {
        Err(read_only())
    }

    async fn open(&self, field: PersonalField, sealed: &Sealed) -> Result<String, KeyStoreError> {
        let person = person_of(sealed).ok_or(KeyStoreError::NotSealed)?;
        let key = self.key(person).await?;
        sealing::open(&key, person, field, sealed)
    }

    async fn erase(&self, _: Uuid) -> Result<(), KeyStoreError> {
        Err(read_only())
    }

    async fn is_erased(&self, person: Uuid) -> Result<bool, KeyStoreError> {
        match self.key(person).await {
            Ok(_) | Err(KeyStoreError::UnknownPerson { .. }) => Ok(false),
            Err(KeyStoreError::Erased { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }
}
