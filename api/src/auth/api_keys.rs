//! API keys: `tk_<role>_<id>_<secret>`, 256 random bits, shown once and stored as SHA-256 (what
//! has that many random bits needs no slow hash).

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{SellerId, Timestamp};
use sagas::key_store::Entropy;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::key_file::{KeyFile, Stamp};
use super::roles::{ADMIN, Access, SELLER, STOREFRONT, SUPPORT};

/// How often the file is looked at for changes, in milliseconds.
const LOOK_EVERY_MS: u64 = 1_000;

/// What a key lets its holder do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApiKeyRole {
    /// Shops for guests and customers.
    Storefront,
    /// One seller's own products, stock and orders.
    Seller,
    /// Reads everything about orders and customers, refunds and cancels.
    Support,
    /// Everything.
    Admin,
}

impl ApiKeyRole {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Storefront => "storefront",
            Self::Seller => "seller",
            Self::Support => "support",
            Self::Admin => "admin",
        }
    }

    pub(super) const fn access(self) -> Access {
        match self {
            Self::Storefront => STOREFRONT,
            Self::Seller => SELLER,
            Self::Support => SUPPORT,
            Self::Admin => ADMIN,
        }
    }
}

/// A key on record; the key itself is not in here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    pub id: String,
    pub role: ApiKeyRole,
    /// Whose seller's key it is; only for sellers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seller_id: Option<SellerId>,
    /// SHA-256 of the whole key, in hexadecimal digits.
    pub sha256: String,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// The key's last four characters, to tell keys apart.
    pub last4: String,
}

impl ApiKey {
    fn in_force(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// A key to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewApiKey {
    pub role: ApiKeyRole,
    pub seller_id: Option<SellerId>,
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug, thiserror::Error)]
pub enum ApiKeysError {
    #[error("API keys cannot be read or written")]
    Io(#[from] io::Error),
    #[error("a seller's key names its seller, and no other key does")]
    SellerMismatch,
    #[error("no API key `{0}`")]
    NoSuchKey(String),
    #[error("no random bytes to be had")]
    NoEntropy,
}

/// The keys of one file; clones share what was read. Changes made by other processes are seen
/// within a second.
#[derive(Clone)]
pub struct ApiKeys(Arc<Inner>);

struct Inner {
    file: KeyFile,
    entropy: Arc<dyn Entropy>,
    started: Instant,
    looked_ms: AtomicU64,
    table: RwLock<Table>,
}

struct Table {
    stamp: Stamp,
    by_id: HashMap<String, Arc<Known>>,
}

/// A key as a request needs it.
pub(crate) struct Known {
    pub(super) key: ApiKey,
    digest: Vec<u8>,
    /// As recorded: `storefront:<id>`.
    pub(super) actor: Arc<str>,
}

impl ApiKeys {
    /// # Errors
    /// `Io` when there is a file that cannot be read.
    pub fn open(path: &Path, entropy: Arc<dyn Entropy>) -> Result<Self, ApiKeysError> {
        let file = KeyFile::new(path);
        let stamp = file.stamp();
        let table = RwLock::new(Table { stamp, by_id: index(file.read()?) });
        let (started, looked_ms) = (Instant::now(), AtomicU64::new(0));
        Ok(Self(Arc::new(Inner { file, entropy, started, looked_ms, table })))
    }

    /// Makes a key and returns it; it is never shown again.
    ///
    /// # Errors
    /// `SellerMismatch`, `NoEntropy`, `Io`.
    pub fn create(&self, new: NewApiKey, now: Timestamp) -> Result<(String, ApiKey), ApiKeysError> {
        let NewApiKey { role, seller_id, expires_at } = new;
        if (role == ApiKeyRole::Seller) != seller_id.is_some() {
            return Err(ApiKeysError::SellerMismatch);
        }
        let mut random = [0; 40];
        self.0.entropy.fill(&mut random).map_err(|_| ApiKeysError::NoEntropy)?;
        let (id, secret) = random.split_at(8);
        let id = hex(id);
        let key = format!("tk_{}_{id}_{}", role.name(), URL_SAFE_NO_PAD.encode(secret));
        let record = ApiKey {
            id,
            role,
            seller_id,
            sha256: hex(&Sha256::digest(key.as_bytes())),
            created_at: now,
            expires_at,
            revoked_at: None,
            last4: key[key.len() - 4..].to_owned(),
        };
        let added = record.clone();
        self.0.file.change(|keys| {
            keys.push(added);
            Ok::<_, ApiKeysError>(())
        })?;
        self.reload();
        Ok((key, record))
    }

    /// All keys, revoked ones too.
    ///
    /// # Errors
    /// `Io`.
    pub fn list(&self) -> Result<Vec<ApiKey>, ApiKeysError> {
        Ok(self.0.file.read()?)
    }

    /// Takes a key out of force for good; harmless when repeated.
    ///
    /// # Errors
    /// `NoSuchKey`, `Io`.
    pub fn revoke(&self, id: &str, now: Timestamp) -> Result<(), ApiKeysError> {
        self.0.file.change(|keys| {
            let key = keys.iter_mut().find(|key| key.id == id);
            let key = key.ok_or_else(|| ApiKeysError::NoSuchKey(id.to_owned()))?;
            key.revoked_at = key.revoked_at.or(Some(now));
            Ok::<_, ApiKeysError>(())
        })?;
        self.reload();
        Ok(())
    }

    /// The key in force that `given` is.
    pub(super) fn check(&self, given: &str, now: Timestamp) -> Option<Arc<Known>> {
        self.look();
        let id = given.strip_prefix("tk_")?.split('_').nth(1)?;
        let known = {
            let table = self.0.table.read().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(table.by_id.get(id)?)
        };
        let digest = Sha256::digest(given.as_bytes());
        let same = bool::from(digest.as_slice().ct_eq(&known.digest));
        (same && known.key.in_force(now)).then_some(known)
    }

    /// Reads the file again if it has changed; looks once a second at most.
    fn look(&self) {
        let now = u64::try_from(self.0.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let looked = self.0.looked_ms.load(Ordering::Relaxed);
        let due = now.saturating_sub(looked) >= LOOK_EVERY_MS;
        let order = Ordering::Relaxed;
        if !due || self.0.looked_ms.compare_exchange(looked, now, order, order).is_err() {
            return;
        }
        let known = self.0.table.read().unwrap_or_else(PoisonError::into_inner).stamp;
        if self.0.file.stamp() != known {
            self.reload();
        }
    }

    fn reload(&self) {
        let stamp = self.0.file.stamp();
        match self.0.file.read() {
            Ok(keys) => {
                let by_id = index(keys);
                let table = Table { stamp, by_id };
                *self.0.table.write().unwrap_or_else(PoisonError::into_inner) = table;
            }
            // The keys read before stay in force.
            Err(error) => tracing::error!(%error, "API keys cannot be read"),
        }
    }
}

impl std::fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ApiKeys").field(&self.0.file).finish()
    }
}

fn index(keys: Vec<ApiKey>) -> HashMap<String, Arc<Known>> {
    let known = |key: ApiKey| {
        let digest = unhex(&key.sha256)?;
        let actor = Arc::from(format!("{}:{}", key.role.name(), key.id));
        Some((key.id.clone(), Arc::new(Known { key, digest, actor })))
    };
    keys.into_iter().filter_map(known).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pair = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (text.len() == 64).then(|| (0..64).step_by(2).map(pair).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use sagas::key_store::SeededEntropy;
    use uuid::Uuid;

    fn at(seconds: i64) -> Timestamp {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn open(dir: &tempfile::TempDir, seed: u64) -> ApiKeys {
        ApiKeys::open(&dir.path().join("api-keys.json"), Arc::new(SeededEntropy::new(seed)))
            .unwrap()
    }

    fn admin() -> NewApiKey {
        NewApiKey { role: ApiKeyRole::Admin, seller_id: None, expires_at: Some(at(100)) }
    }

    #[test]
    fn a_key_is_good_until_it_expires_or_is_revoked() {
        let dir = tempfile::tempdir().unwrap();
        let keys = open(&dir, 1);
        let (key, record) = keys.create(admin(), at(1)).unwrap();
        assert!(key.starts_with("tk_admin_"));
        assert!(keys.check(&key, at(99)).is_some());
        assert!(keys.check(&key, at(100)).is_none());
        for wrong in ["", "tk_", "tk_admin_x", &key[..key.len() - 1], &format!("{key}A")] {
            assert!(keys.check(wrong, at(2)).is_none(), "{wrong}");
        }
        assert_eq!(open(&dir, 2).list().unwrap(), vec![record.clone()]);
        keys.revoke(&record.id, at(50)).unwrap();
        assert!(keys.check(&key, at(51)).is_none());
        assert!(keys.revoke("nobody", at(50)).is_err());
    }

    #[test]
    fn the_file_holds_no_key_and_is_the_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (key, _) = open(&dir, 1).create(admin(), at(1)).unwrap();
        let path = dir.path().join("api-keys.json");
        assert!(!std::fs::read_to_string(&path).unwrap().contains(&key));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn another_process_is_heard_after_a_second() {
        let dir = tempfile::tempdir().unwrap();
        let serving = open(&dir, 1);
        let (key, record) = open(&dir, 2).create(admin(), at(1)).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        assert!(serving.check(&key, at(2)).is_some());
        open(&dir, 3).revoke(&record.id, at(3)).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        assert!(serving.check(&key, at(4)).is_none());
    }

    #[test]
    fn only_a_sellers_key_names_a_seller() {
        let dir = tempfile::tempdir().unwrap();
        let keys = open(&dir, 1);
        let seller_id = Some(SellerId::new(Uuid::from_u128(1)));
        let wrong = NewApiKey { seller_id, ..admin() };
        assert!(matches!(keys.create(wrong, at(1)), Err(ApiKeysError::SellerMismatch)));
        let seller = NewApiKey { role: ApiKeyRole::Seller, seller_id: None, expires_at: None };
        assert!(matches!(keys.create(seller, at(1)), Err(ApiKeysError::SellerMismatch)));
    }
}
