//! Personal data under keys that can be destroyed.
//!
//! Each person (a customer, a seller, a guest by the order's id) has one random 256-bit data
//! key. Personal fields are sealed under it before they reach the journal; destroying the key
//! erases the person everywhere the sealed text was ever written, backups of the journal
//! included. Keys live here, never in the journal, and are backed up apart from it; a backup of
//! this store keeps the keys it had until it is thrown away itself.

pub mod conformance;
mod entropy;
mod master_key;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod sealing;
mod sqlite;
mod sqlite_reader;
mod sqlite_worker;

#[cfg(test)]
mod sqlite_tests;

use async_trait::async_trait;
use domain::Sealed;
use uuid::Uuid;

pub use entropy::{Entropy, NoEntropy, OsEntropy, SeededEntropy};
pub use master_key::{MASTER_KEY_FILE, MasterKey};
pub use memory::MemoryKeyStore;
#[cfg(feature = "postgres")]
pub use postgres::{
    PostgresKeyOptions, PostgresKeyReader, PostgresKeyStore, bring_keys,
    migrate as migrate_postgres,
};
pub use sealing::person_of;
pub use sqlite::{KEY_STORE_FILE, KeyStoreOptions, SqliteKeyStore};
pub use sqlite_reader::KeyReader;

/// What kind of value is sealed; a value sealed as one kind does not open as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PersonalField {
    /// Name, e-mail, telephone: a customer's, a guest's or a seller's.
    Contact,
    /// Where parcels go.
    Address,
    /// A payment provider's token.
    PaymentToken,
    /// What a shopper knows a payment method by.
    PaymentLabel,
    /// Free text a person wrote.
    Note,
}

impl PersonalField {
    /// Part of what is authenticated: never to be changed.
    fn name(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Address => "address",
            Self::PaymentToken => "payment_token",
            Self::PaymentLabel => "payment_label",
            Self::Note => "note",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyStoreError {
    /// The person's key was destroyed; nothing under it can be read, and nothing new sealed.
    #[error("the personal data of {person} is erased")]
    Erased { person: Uuid },
    /// There never was a key for this person here: a wrong key store, or a restore from an
    /// older backup.
    #[error("no key for {person}")]
    UnknownPerson { person: Uuid },
    /// The text has not the form this store gives it.
    #[error("not a sealed value")]
    NotSealed,
    /// Altered, cut, sealed for someone else, or sealed as another field.
    #[error("a sealed value of {person} does not open: it was altered or belongs elsewhere")]
    Tampered { person: Uuid },
    #[error(
        "the key store is under master key {expected}, the one given is {given}: bring the file master.key from where it was made or changed"
    )]
    WrongMasterKey { expected: String, given: String },
    #[error(
        "there is a key store but no master key at {path}: restore it, without it nothing personal can be read"
    )]
    MasterKeyMissing { path: String },
    #[error(
        "there is no key store at {path}: restore it, without it nothing personal can be read (to go on without it for good, put an empty file in its place)"
    )]
    StoreMissing { path: String },
    #[error(
        "the database {place} has no keys yet, but there are events: restore it, or bring the keys over from the data directory they are in"
    )]
    StoreEmpty { place: String },
    #[error("unusable master key: {0}")]
    BadMasterKey(String),
    #[error("the key store has format {found}, this program reads {supported}")]
    NewerFormat { found: u32, supported: u32 },
    #[error("the key store's disk is full")]
    Full,
    /// Nothing asked for is acknowledged; it may be asked for again.
    #[error("key store unavailable: {0}")]
    Unavailable(String),
    #[error("key store corrupt: {0}")]
    Corrupt(String),
    #[error("no random bytes to be had")]
    NoEntropy,
    #[error("the key store is closed")]
    Closed,
}

/// Keeps the data keys, seals and opens.
///
/// Every adapter MUST hold to this:
///
/// - A key is durable before anything sealed under it is handed out.
/// - Once `erase` has returned, no call opens or seals for that person again, and the key is in
///   no file of the store. A store that several nodes share says how soon the others follow, and
///   what its server may keep.
/// - Calls may be made concurrently; two at once for a new person make one key.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Makes the person's key unless there is one.
    ///
    /// # Errors
    /// `Erased`; `Full`, `Unavailable`, `NoEntropy`, `Closed`.
    async fn ensure(&self, person: Uuid) -> Result<(), KeyStoreError>;

    /// Encrypts `plaintext` for the person, making the key if there is none.
    ///
    /// # Errors
    /// As [`Self::ensure`].
    async fn seal(
        &self,
        person: Uuid,
        field: PersonalField,
        plaintext: &str,
    ) -> Result<Sealed, KeyStoreError>;

    /// Decrypts what was sealed as `field`.
    ///
    /// # Errors
    /// `Erased`, `UnknownPerson`, `NotSealed`, `Tampered`; `Unavailable`, `Closed`.
    async fn open(&self, field: PersonalField, sealed: &Sealed) -> Result<String, KeyStoreError>;

    /// Destroys the person's key for good; a tombstone refuses a new one, also for a person who
    /// had none. Erasing again is success.
    ///
    /// # Errors
    /// `Full`, `Unavailable` (ask again until it succeeds), `Closed`.
    async fn erase(&self, person: Uuid) -> Result<(), KeyStoreError>;

    /// Whether the person is erased.
    ///
    /// # Errors
    /// `Unavailable`, `Closed`.
    async fn is_erased(&self, person: Uuid) -> Result<bool, KeyStoreError>;

    /// Finishes what is under way and wipes what is in memory. Idempotent; may block for a moment.
    fn close(&self) {}
}
