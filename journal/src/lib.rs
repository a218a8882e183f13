//! Where facts are kept: the append-only store, its port and its adapters.
//!
//! The journal stores named JSON in streams and gives every event one place in one
//! global order. It knows no domain type, no schema and no HTTP.

mod error;
mod event;
mod port;
mod stream;

pub use error::JournalError;
pub use event::{EventType, Group, NewEvent, Recorded, Unit, Verdict};
pub use port::{Journal, JournalId, Position, Properties, Version};
pub use stream::{Category, NotAStreamName, StreamId, StreamKey};
