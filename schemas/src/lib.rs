//! What outlives a process: the names and versions of events, the codec that writes and reads
//! them, upcasters for old versions, and the frozen JSON Schemas and samples that hold all of
//! this to its promise.
//!
//! Nothing here knows a store, a database or HTTP.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failing test panics"))]

mod catalogue;
mod codec;
mod compatibility;
mod generate;
mod payload;
pub mod public;
mod raw_json;
mod request;
mod table;
mod upcast;
mod webhook;

pub use catalogue::{
    CatalogueEntry, CatalogueVersion, MessageCatalogueEntry, catalogue, message_catalogue,
};
pub use codec::{DecodeError, EventEntry, StoredEvent};
pub use compatibility::{Breaking, Change, compatible, normalised};
pub use generate::generate_schema;
pub use raw_json::RawJson;
pub use request::RequestEvent;
pub use table::{AnyEvent, current_version, decode_any, decode_any_all, events};
pub use webhook::WebhookEvent;
