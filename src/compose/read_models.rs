//! Where the read models are: files of each node, or a database that all nodes share and anybody may
//! read.

use projections::{Directory, StoreError};

use super::READ_MODELS;
use super::stores::Stores;

impl Stores {
    /// The read models, for whoever writes or reads them.
    ///
    /// # Errors
    /// The store's; the message says what to do.
    pub fn read_models(&self) -> Result<Directory, StoreError> {
        match &self.read_models {
            Some(url) => in_postgres::open(url),
            None => Directory::on_disk(&self.data.join(READ_MODELS)),
        }
    }

    /// Whether there are any yet.
    pub(crate) fn has_read_models(&self) -> bool {
        self.read_models.is_some() || self.data.join(READ_MODELS).is_dir()
    }

    /// Whether all nodes have the same ones.
    pub(super) fn has_shared_read_models(&self) -> bool {
        self.read_models.is_some()
    }

    /// Makes what the read models need in a database; tells where.
    pub(super) fn migrate_read_models(&self) -> Result<Option<String>, StoreError> {
        self.read_models.as_deref().map(in_postgres::migrate).transpose()
    }
}

#[cfg(feature = "postgres")]
mod in_postgres {
    use projections::{Directory, PostgresOptions, StoreError, migrate_postgres};

    use super::super::stores::without_credentials;

    pub(super) fn open(url: &str) -> Result<Directory, StoreError> {
        // As with the journal: `tillroll migrate` makes schemas, and nothing else does.
        let options = PostgresOptions { migrate: false, ..PostgresOptions::default() };
        Directory::in_postgres(url, &options)
    }

    pub(super) fn migrate(url: &str) -> Result<String, StoreError> {
        migrate_postgres(url, &PostgresOptions::default())?;
        Ok(format!("the read models at {}", without_credentials(url)))
    }
}

#[cfg(not(feature = "postgres"))]
mod in_postgres {
    use projections::{Directory, StoreError};

    use super::super::stores::WITHOUT_POSTGRES;

    pub(super) fn open(_: &str) -> Result<Directory, StoreError> {
        Err(StoreError::Other(WITHOUT_POSTGRES.to_owned()))
    }

    pub(super) fn migrate(_: &str) -> Result<String, StoreError> {
        Err(StoreError::Other(WITHOUT_POSTGRES.to_owned()))
    }
}
