//! The port every bus adapter implements.

use async_trait::async_trait;
use journal::{JournalId, Position};
use schemas::public::PublicMessage;
use uuid::Uuid;

/// How far a bus has been told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Everything up to here is published, or nothing for the outside.
    pub position: Position,
    /// The event at that position, which tells a journal from one that took another course.
    /// `None` where it is not known.
    pub event: Option<Uuid>,
}

/// Why a bus does not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// Not now; later, without anybody doing anything.
    #[error("{0}")]
    Unavailable(String),
    /// Another relay published meanwhile: [`MessageBus::resume`] says how far it got.
    #[error("another relay is publishing")]
    Overtaken,
    /// Not before a person has changed something; the text says what.
    #[error("{0}")]
    SetUp(String),
}

/// Takes public messages to whoever listens.
///
/// Every adapter MUST pass the suite in `sagas/tests/bus/conformance.rs`. There may be other relays
/// over the same bus at any time, also ones that believe to be alone: they publish the same
/// messages, since these follow from the journal.
#[async_trait]
pub trait MessageBus: Send + Sync {
    /// Makes ready and tells how far the bus has been told; `None` if it never was of anything.
    ///
    /// MUST be called before the first publish and after each error. MUST NOT tell of anything
    /// that is not durably published, and MUST tell at least of the last mark kept.
    async fn resume(&self, journal: JournalId) -> Result<Option<Mark>, BusError>;

    /// Publishes in the order given, which is that of positions.
    ///
    /// On `Ok` all are durable, none twice by this call and none after a later one. After an error
    /// the first few may be published. A future that is dropped MAY leave publishes under way.
    /// MUST fail with [`BusError::Overtaken`] rather than publish what another relay has
    /// published since [`resume`](Self::resume), where the bus can tell.
    async fn publish(&self, messages: Vec<PublicMessage>) -> Result<(), BusError>;

    /// Keeps how far the bus has been told, where that is past the last message.
    async fn keep(&self, mark: Mark) -> Result<(), BusError>;
}
