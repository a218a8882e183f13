//! The master key: what wraps the data keys, kept in a file of its own or in the environment.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::sealing::SecretKey;
use super::{Entropy, KEY_STORE_FILE, KeyStoreError};

/// Name of the master key's file in a data directory: 32 bytes in base64.
pub const MASTER_KEY_FILE: &str = "master.key";
/// A master key on its way in; it is in force as soon as the key store says so.
pub(super) const NEXT_MASTER_KEY_FILE: &str = "master.key.next";

const FILE_BYTES_MAX: u64 = 1_024;

/// The key that wraps every data key; never shown.
#[derive(Clone)]
pub struct MasterKey(Arc<SecretKey>);

impl MasterKey {
    /// Reads 32 bytes in base64, such as `openssl rand -base64 32` prints; this is the form of
    /// the file and of the environment's variable.
    ///
    /// # Errors
    /// `BadMasterKey`; the text is not repeated.
    pub fn parse(text: &str) -> Result<Self, KeyStoreError> {
        let bad = |why: &str| KeyStoreError::BadMasterKey(why.to_owned());
        let bytes = STANDARD.decode(text.trim()).map_err(|_| bad("it is not base64"))?;
        let bytes = Zeroizing::new(bytes);
        let key = SecretKey::from_slice(&bytes).ok_or_else(|| bad("it has not 32 bytes"))?;
        Ok(Self(Arc::new(key)))
    }

    /// Reads the key from its file; warns if others than its owner may read it.
    ///
    /// # Errors
    /// `MasterKeyMissing`, `BadMasterKey`.
    pub fn load(path: &Path) -> Result<Self, KeyStoreError> {
        let bad = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => {
                KeyStoreError::MasterKeyMissing { path: path.display().to_string() }
            }
            _ => KeyStoreError::BadMasterKey(format!("{}: {error}", path.display())),
        };
        let file = File::open(path).map_err(bad)?;
        warn_if_open_to_others(path, &file);
        let mut text = Zeroizing::new(String::new());
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(bad)?;
        Self::parse(&text)
    }

    /// Makes a new key and its file, which must not exist; only its owner may read it, and it is
    /// on the disk on return.
    ///
    /// # Errors
    /// `BadMasterKey` when the file cannot be made; `NoEntropy`.
    pub fn create(path: &Path, entropy: &dyn Entropy) -> Result<Self, KeyStoreError> {
        let key = SecretKey::random(entropy)?;
        let text = Zeroizing::new(STANDARD.encode(key.bytes()));
        let written = || -> std::io::Result<()> {
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(path)?;
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            sync_directory_of(path)
        };
        written().map_err(|error| {
            KeyStoreError::BadMasterKey(format!("cannot make {}: {error}", path.display()))
        })?;
        Ok(Self(Arc::new(key)))
    }

    /// The key of a data directory: its file, or a new one if there is no key store yet.
    ///
    /// # Errors
    /// `MasterKeyMissing` when there is a key store without its key: making a new one would
    /// only hide the loss. `BadMasterKey`, `NoEntropy`.
    pub fn of_data_dir(dir: &Path, entropy: &dyn Entropy) -> Result<Self, KeyStoreError> {
        let path = dir.join(MASTER_KEY_FILE);
        match Self::load(&path) {
            Err(KeyStoreError::MasterKeyMissing { .. }) if !dir.join(KEY_STORE_FILE).exists() => {
                Self::create(&path, entropy)
            }
            loaded => loaded,
        }
    }

    /// The key a data directory is to get next, in the file `master.key.next`; made if there is none
    /// yet. It is not in force before the key store says so.
    ///
    /// # Errors
    /// `BadMasterKey`, `NoEntropy`.
    pub fn prepare_rotation(dir: &Path, entropy: &dyn Entropy) -> Result<Self, KeyStoreError> {
        let path = dir.join(NEXT_MASTER_KEY_FILE);
        // One left over from a rotation that never came into force is as good as a new one.
        match Self::load(&path) {
            Err(KeyStoreError::MasterKeyMissing { .. }) => Self::create(&path, entropy),
            loaded => loaded,
        }
    }

    /// Tells master keys apart without telling anything about them.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"tillroll master key\0");
        hash.update(self.0.bytes());
        hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(super) fn key(&self) -> &SecretKey {
        &self.0
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.fingerprint())
    }
}

/// Puts the next master key in the place of the one before.
pub(super) fn adopt_next(dir: &Path) -> Result<(), KeyStoreError> {
    let path = dir.join(MASTER_KEY_FILE);
    std::fs::rename(dir.join(NEXT_MASTER_KEY_FILE), &path)
        .and_then(|()| sync_directory_of(&path))
        .map_err(|error| KeyStoreError::BadMasterKey(format!("{}: {error}", path.display())))
}

/// Makes a change of names in the file's directory durable.
fn sync_directory_of(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => File::open(dir)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(unix)]
fn warn_if_open_to_others(path: &Path, file: &File) {
    use std::os::unix::fs::PermissionsExt;
    // Mounted secrets are often readable by a group, so this is not refused.
    if file.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0) {
        tracing::warn!(path = %path.display(), "the master key's file is open to others; chmod 600");
    }
}

#[cfg(not(unix))]
fn warn_if_open_to_others(_: &Path, _: &File) {}
