//! Where random bytes come from.

use std::sync::atomic::{AtomicU64, Ordering};

use aes_gcm::aead::Generate;
use sha2::{Digest, Sha256};

/// The source has no random bytes to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no random bytes to be had")]
pub struct NoEntropy;

/// Gives random bytes. An adapter for production MUST be fit for keys.
pub trait Entropy: Send + Sync {
    /// # Errors
    /// [`NoEntropy`]; `bytes` must not be used then.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy>;
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        for chunk in bytes.chunks_mut(32) {
            let random =
                zeroize::Zeroizing::new(<[u8; 32]>::try_generate().map_err(|_| NoEntropy)?);
            chunk.copy_from_slice(&random[..chunk.len()]);
        }
        Ok(())
    }
}

/// The same bytes for the same seed: for simulations and tests, never for real keys.
#[derive(Debug, Default)]
pub struct SeededEntropy {
    seed: u64,
    drawn: AtomicU64,
}

impl SeededEntropy {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: AtomicU64::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        for chunk in bytes.chunks_mut(32) {
            let mut hash = Sha256::new();
            hash.update(self.seed.to_be_bytes());
            hash.update(self.drawn.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            chunk.copy_from_slice(&hash.finalize()[..chunk.len()]);
        }
        Ok(())
    }
}
