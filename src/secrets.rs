//! Secrets of one data directory: made at the first start, kept in a file only its owner reads.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sagas::key_store::Entropy;
use serde::{Deserialize, Serialize};

/// Name of the file.
pub const SECRETS_FILE: &str = "secrets.json";

/// What the engine signs with. Never shown, never logged.
#[derive(Clone, Serialize, Deserialize)]
pub struct Secrets {
    /// Signs guest session tokens and order tokens; base64.
    token_key: String,
    /// Sign and verify payment webhooks, newest first; `whsec_…`. Several during a rotation.
    pub webhook_secrets: Vec<String>,
}

/// A secrets file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    #[error("{path}: {source}")]
    File { path: String, source: std::io::Error },
    #[error("{path}: not a secrets file: {why}")]
    Malformed { path: String, why: String },
    #[error("no random bytes to be had")]
    NoEntropy,
}

impl Secrets {
    /// Reads the directory's secrets, or makes them.
    pub fn of_data_dir(data: &Path, entropy: &dyn Entropy) -> Result<Self, SecretsError> {
        let path = data.join(SECRETS_FILE);
        let name = path.display().to_string();
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| SecretsError::Malformed { path: name, why: error.to_string() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let made = Self::make(entropy)?;
                made.write(&path).map_err(|source| SecretsError::File { path: name, source })?;
                Ok(made)
            }
            Err(source) => Err(SecretsError::File { path: name, source }),
        }
    }

    /// The key that tokens are signed with.
    #[must_use]
    pub fn token_key(&self) -> Vec<u8> {
        STANDARD.decode(&self.token_key).unwrap_or_default()
    }

    fn make(entropy: &dyn Entropy) -> Result<Self, SecretsError> {
        let mut bytes = [0_u8; 64];
        entropy.fill(&mut bytes).map_err(|_| SecretsError::NoEntropy)?;
        Ok(Self {
            token_key: STANDARD.encode(&bytes[..32]),
            webhook_secrets: vec![format!("whsec_{}", STANDARD.encode(&bytes[32..]))],
        })
    }

    fn write(&self, path: &Path) -> std::io::Result<()> {
        let text = serde_json::to_vec_pretty(self)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(&text)?;
        file.sync_all()
    }
}
