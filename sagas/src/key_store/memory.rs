//! Keys in memory, for tests and simulations: the same sealing, nothing kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::Sealed;
use uuid::Uuid;

use super::sealing::{self, SecretKey};
use super::{Entropy, KeyStore, KeyStoreError, OsEntropy, PersonalField, person_of};

/// A key store that lasts as long as it lives.
pub struct MemoryKeyStore {
    /// `None` marks the erased.
    keys: Mutex<HashMap<Uuid, Option<Arc<SecretKey>>>>,
    entropy: Arc<dyn Entropy>,
}

impl Default for MemoryKeyStore {
    fn default() -> Self {
        Self::new(Arc::new(OsEntropy))
    }
}

impl MemoryKeyStore {
    /// An empty store; a seeded `entropy` makes its sealed texts repeatable.
    #[must_use]
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self { keys: Mutex::default(), entropy }
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<Uuid, Option<Arc<SecretKey>>>> {
        // Each change is one insertion, so a poisoned lock still holds sound keys.
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self, person: Uuid) -> Result<Arc<SecretKey>, KeyStoreError> {
        let mut keys = self.keys();
        match keys.get(&person) {
            Some(Some(key)) => Ok(Arc::clone(key)),
            Some(None) => Err(KeyStoreError::Erased { person }),
            None => {
                let key = Arc::new(SecretKey::random(self.entropy.as_ref())?);
                keys.insert(person, Some(Arc::clone(&key)));
                Ok(key)
            }
        }
    }
}

#[async_trait]
impl KeyStore for MemoryKeyStore {
    async fn ensure(&self, person: Uuid) -> Result<(), KeyStoreError> {
        self.key(person).map(|_| ())
    }

    async fn seal(
        &self,
        person: Uuid,
        field: PersonalField,
        plaintext: &str,
    ) -> Result<Sealed, KeyStoreError> {
        let key = self.key(person)?;
        sealing::seal(&key, person, field, plaintext, self.entropy.as_ref())
    }

    async fn open(&self, field: PersonalField, sealed: &Sealed) -> Result<String, KeyStoreError> {
        let person = person_of(sealed).ok_or(KeyStoreError::NotSealed)?;
        let key = match self.keys().get(&person) {
            Some(Some(key)) => Arc::clone(key),
            Some(None) => return Err(KeyStoreError::Erased { person }),
            None => return Err(KeyStoreError::UnknownPerson { person }),
        };
        sealing::open(&key, person, field, sealed)
    }

    async fn erase(&self, person: Uuid) -> Result<(), KeyStoreError> {
        self.keys().insert(person, None);
        Ok(())
    }

    async fn is_erased(&self, person: Uuid) -> Result<bool, KeyStoreError> {
        Ok(matches!(self.keys().get(&person), Some(None)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SeededEntropy, conformance};
    use super::*;

    struct InMemory;

    #[async_trait]
    impl conformance::Factory for InMemory {
        async fn fresh(&self) -> Arc<dyn KeyStore> {
            Arc::new(MemoryKeyStore::new(Arc::new(SeededEntropy::new(1))))
        }
    }

    #[tokio::test]
    async fn the_store_in_memory_conforms() {
        conformance::check_all(&InMemory).await;
    }
}
