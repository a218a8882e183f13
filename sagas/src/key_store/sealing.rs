//! The cryptography, the same for every adapter: AES-256-GCM with a random 96-bit nonce.
//!
//! Sealed text is `v1.<person>.<nonce, ciphertext and tag>`, both in base64url without padding.
//! The person and the field are authenticated, so a value cannot be moved to another place.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Sealed;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Entropy, KeyStoreError, NoEntropy, PersonalField};

const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const KEY_BYTES: usize = 32;
/// A data key wrapped by the master key: nonce, key and tag.
pub(super) const WRAPPED_BYTES: usize = NONCE_BYTES + KEY_BYTES + TAG_BYTES;

/// A 256-bit key, wiped when it is dropped.
pub(super) struct SecretKey(Zeroizing<[u8; KEY_BYTES]>);

impl From<NoEntropy> for KeyStoreError {
    fn from(_: NoEntropy) -> Self {
        Self::NoEntropy
    }
}

impl SecretKey {
    pub(super) fn random(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        entropy.fill(key.as_mut_slice())?;
        Ok(Self(key))
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        (bytes.len() == KEY_BYTES).then(|| key.copy_from_slice(bytes))?;
        Some(Self(key))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Nonce, ciphertext and tag.
    fn encrypt(
        &self,
        entropy: &dyn Entropy,
        plaintext: &[u8],
        context: &[u8],
    ) -> Result<Vec<u8>, KeyStoreError> {
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce)?;
        let payload = Payload { msg: plaintext, aad: context };
        // AES-GCM takes up to 64 GiB; a text that long never gets here.
        let encrypted = self
            .cipher()
            .encrypt(&nonce.into(), payload)
            .map_err(|_| KeyStoreError::Unavailable("the value is too long to seal".to_owned()))?;
        let mut sealed = Vec::with_capacity(NONCE_BYTES + encrypted.len());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&encrypted);
        Ok(sealed)
    }

    fn decrypt(&self, sealed: &[u8], context: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, encrypted) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: encrypted, aad: context };
        let opened = self.cipher().decrypt(&(*nonce).into(), payload).ok()?;
        Some(Zeroizing::new(opened))
    }

    fn cipher(&self) -> Aes256Gcm {
        let key: &[u8; KEY_BYTES] = &self.0;
        Aes256Gcm::new(key.into())
    }

    /// This data key under `master`.
    pub(super) fn wrap(
        &self,
        master: &Self,
        person: Uuid,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, KeyStoreError> {
        master.encrypt(entropy, self.bytes(), &context("wrap", person))
    }

    pub(super) fn unwrap(master: &Self, person: Uuid, wrapped: &[u8]) -> Option<Self> {
        Self::from_slice(&master.decrypt(wrapped, &context("wrap", person))?)
    }
}

pub(super) fn seal(
    key: &SecretKey,
    person: Uuid,
    field: PersonalField,
    plaintext: &str,
    entropy: &dyn Entropy,
) -> Result<Sealed, KeyStoreError> {
    let sealed = key.encrypt(entropy, plaintext.as_bytes(), &context(field.name(), person))?;
    let mut text = String::with_capacity(26 + sealed.len().div_ceil(3) * 4);
    text.push_str("v1.");
    URL_SAFE_NO_PAD.encode_string(person.as_bytes(), &mut text);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(&sealed, &mut text);
    Ok(Sealed::from_ciphertext(text))
}

pub(super) fn open(
    key: &SecretKey,
    person: Uuid,
    field: PersonalField,
    sealed: &Sealed,
) -> Result<String, KeyStoreError> {
    let (_, encoded) = parts(sealed).ok_or(KeyStoreError::NotSealed)?;
    let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| KeyStoreError::NotSealed)?;
    let tampered = KeyStoreError::Tampered { person };
    let opened =
        key.decrypt(&bytes, &context(field.name(), person)).ok_or_else(|| tampered.clone())?;
    String::from_utf8(opened.to_vec()).map_err(|_| tampered)
}

/// Whose value this is; readable without any key, also after an erasure. `None` when the text
/// has not the form of a sealed value.
#[must_use]
pub fn person_of(sealed: &Sealed) -> Option<Uuid> {
    parts(sealed).map(|(person, _)| person)
}

fn parts(sealed: &Sealed) -> Option<(Uuid, &str)> {
    let (person, encoded) = sealed.ciphertext().strip_prefix("v1.")?.split_once('.')?;
    let bytes = URL_SAFE_NO_PAD.decode(person).ok()?;
    Some((Uuid::from_slice(&bytes).ok()?, encoded))
}

/// What is authenticated beside the text. Names have no NUL, so no two contexts are alike.
fn context(name: &str, person: Uuid) -> Vec<u8> {
    [b"tillroll/v1\0", name.as_bytes(), b"\0", person.as_bytes()].concat()
}
