//! The store of the keys to personal data: a file in the data directory, or a database that all
//! nodes share.

use std::sync::Arc;

use sagas::key_store::{KeyReader, KeyStore, KeyStoreError, KeyStoreOptions, SqliteKeyStore};

use super::stores::{JournalPlace, Stores};

impl Stores {
    /// The database with the keys, if they are in one: the one that was named, else the journal's.
    fn keys_url(&self) -> Option<&str> {
        match (&self.keys, &self.journal) {
            (Some(url), _) | (None, JournalPlace::Postgres(url)) => Some(url),
            (None, JournalPlace::File(_) | JournalPlace::EventStore(_)) => None,
        }
    }

    /// `is_new`: the journal is empty, so that there cannot be personal data yet.
    pub(crate) fn open_keys(&self, is_new: bool) -> Result<Arc<dyn KeyStore>, KeyStoreError> {
        if let Some(url) = self.keys_url() {
            return in_postgres::open(url, &self.data, is_new);
        }
        let options = KeyStoreOptions::default();
        Ok(Arc::new(if is_new {
            SqliteKeyStore::open_data_dir(&self.data, options)?
        } else {
            SqliteKeyStore::reopen_data_dir(&self.data, options)?
        }))
    }

    /// For whoever only opens what is sealed, beside nodes or without any. Needs a Tokio runtime
    /// where the keys are in a database.
    pub(crate) async fn read_keys(&self) -> Result<Box<dyn KeyStore>, KeyStoreError> {
        match self.keys_url() {
            Some(url) => in_postgres::read(url, &self.data).await,
            None => Ok(Box::new(KeyReader::open_data_dir(&self.data)?)),
        }
    }

    /// Puts all keys under a new master key, which takes the place of `master.key`.
    pub(crate) async fn rotate_master(&self) -> Result<(), KeyStoreError> {
        if let Some(url) = self.keys_url() {
            return in_postgres::rotate(url, &self.data).await;
        }
        let store = SqliteKeyStore::reopen_data_dir(&self.data, KeyStoreOptions::default())?;
        store.rotate_data_dir(&self.data).await?;
        store.close();
        Ok(())
    }

    /// Copies the keys of the data directory into the database; returns of how many persons.
    pub(crate) async fn copy_keys(&self) -> Result<u64, KeyStoreError> {
        match self.keys_url() {
            Some(url) => in_postgres::copy(url, &self.data).await,
            None => Err(KeyStoreError::Unavailable(
                "name the database that they go to: --keys postgres://…".to_owned(),
            )),
        }
    }

    /// Makes the tables of the keys, or brings them up to date; tells where.
    pub(super) fn migrate_keys(&self) -> Result<Option<String>, KeyStoreError> {
        match self.keys_url() {
            Some(url) => in_postgres::migrate(url).map(Some),
            None => Ok(None),
        }
    }
}

#[cfg(feature = "postgres")]
mod in_postgres {
    use std::path::Path;
    use std::sync::Arc;

    use sagas::key_store::{
        KeyStore, KeyStoreError, PostgresKeyOptions, PostgresKeyReader, PostgresKeyStore,
        bring_keys, migrate_postgres,
    };

    use super::super::stores::without_credentials;
    use crate::block_on::{block_on, block_on_tokio};

    fn options() -> PostgresKeyOptions {
        // As with the journal: `tillroll migrate` makes tables, and nothing else does.
        PostgresKeyOptions { migrate: false, ..PostgresKeyOptions::default() }
    }

    pub(super) fn open(
        url: &str,
        data: &Path,
        is_new: bool,
    ) -> Result<Arc<dyn KeyStore>, KeyStoreError> {
        Ok(Arc::new(block_on(async {
            match is_new {
                true => PostgresKeyStore::open_data_dir(url, data, options()).await,
                false => PostgresKeyStore::reopen_data_dir(url, data, options()).await,
            }
        })?))
    }

    pub(super) async fn read(url: &str, data: &Path) -> Result<Box<dyn KeyStore>, KeyStoreError> {
        Ok(Box::new(PostgresKeyReader::open_data_dir(url, data).await?))
    }

    pub(super) async fn rotate(url: &str, data: &Path) -> Result<(), KeyStoreError> {
        let store = PostgresKeyStore::reopen_data_dir(url, data, options()).await?;
        store.rotate_data_dir(data).await?;
        store.close();
        Ok(())
    }

    pub(super) async fn copy(url: &str, data: &Path) -> Result<u64, KeyStoreError> {
        bring_keys(data, url).await
    }

    pub(super) fn migrate(url: &str) -> Result<String, KeyStoreError> {
        block_on_tokio(migrate_postgres(url), KeyStoreError::Unavailable)?;
        Ok(format!("the keys to personal data at {}", without_credentials(url)))
    }
}

#[cfg(not(feature = "postgres"))]
mod in_postgres {
    use std::path::Path;
    use std::sync::Arc;

    use sagas::key_store::{KeyStore, KeyStoreError};

    use super::super::stores::WITHOUT_POSTGRES;

    fn refused<T>() -> Result<T, KeyStoreError> {
        Err(KeyStoreError::Unavailable(WITHOUT_POSTGRES.to_owned()))
    }

    pub(super) fn open(_: &str, _: &Path, _: bool) -> Result<Arc<dyn KeyStore>, KeyStoreError> {
        refused()
    }

    pub(super) async fn read(_: &str, _: &Path) -> Result<Box<dyn KeyStore>, KeyStoreError> {
        refused()
    }

    pub(super) async fn rotate(_: &str, _: &Path) -> Result<(), KeyStoreError> {
        refused()
    }

    pub(super) async fn copy(_: &str, _: &Path) -> Result<u64, KeyStoreError> {
        refused()
    }

    pub(super) fn migrate(_: &str) -> Result<String, KeyStoreError> {
        refused()
    }
}
