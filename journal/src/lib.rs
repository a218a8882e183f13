//! Where facts are kept: the append-only store, its port and its adapters.
//!
//! The journal stores named JSON in streams and gives every event one place in one
//! global order. It knows no domain type, no schema and no HTTP.

mod check;
pub mod conformance;
mod copy;
mod error;
mod event;
#[cfg(feature = "eventstore")]
mod eventstore;
mod held;
mod lease;
mod memory;
mod port;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "postgres", feature = "eventstore"))]
mod queue;
mod sqlite;
mod stream;

pub use copy::{
    Copied, CopyError, CopyOptions, CopyProgress, CopyStage, JournalDigest, check_copy, copy,
};
pub use error::JournalError;
pub use event::{EventType, Group, NewEvent, Recorded, Unit, Verdict};
#[cfg(feature = "eventstore")]
pub use eventstore::{
    EventStoreJournal, EventStoreOptions, delete as delete_eventstore, is_there as is_in_eventstore,
};
pub use lease::{Epoch, Fence, Leases};
pub use memory::{Fault, Faults, MemoryJournal, Storage};
pub use port::{Journal, JournalId, Position, Properties, Stats, Version};
#[cfg(feature = "postgres")]
pub use postgres::{
    PostgresJournal, PostgresOptions, Server as PostgresServer,
    drop_schema as drop_postgres_schema, migrate as migrate_postgres, schemas as postgres_schemas,
};
pub use sqlite::{
    ArchiveBefore, Clock, Options, Problem, Removed, Sealed, SqliteJournal, VerifyReport,
    remove_archived, seal, verify,
};
#[doc(hidden)]
pub use sqlite::{CommitFault, Injected};
pub use stream::{Category, NotAStreamName, StreamId, StreamKey};
