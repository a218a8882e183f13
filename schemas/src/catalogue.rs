//! The frozen schemas and samples, built in, so that a reader outside can ask the binary for them.

use crate::events;
use crate::public::messages;

/// All that is promised about one kind of event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueEntry {
    /// Stored name, such as `order.placed`.
    pub event_type: &'static str,
    /// Category of its streams, such as `order`.
    pub category: &'static str,
    /// One sentence on what happened.
    pub doc: &'static str,
    /// The version written now.
    pub current_version: u16,
    /// Every version that can be read, oldest first.
    pub versions: Vec<CatalogueVersion>,
}

/// One version of an event, as JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CatalogueVersion {
    /// From 1.
    pub version: u16,
    /// JSON Schema, draft 2020-12.
    pub schema: &'static str,
    /// A payload with every field.
    pub full_sample: &'static str,
    /// A payload with only the fields that must be there.
    pub minimal_sample: &'static str,
}

/// All that is promised about one kind of public message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageCatalogueEntry {
    /// Its name, such as `order.placed`.
    pub message_type: &'static str,
    /// Where it goes, below the bus's prefix.
    pub topic: &'static str,
    /// One sentence on what happened.
    pub doc: &'static str,
    /// The version sent now.
    pub current_version: u16,
    /// Every version ever sent, oldest first; samples are whole messages.
    pub versions: Vec<CatalogueVersion>,
}

// FILES, MESSAGE_FILES: every version that has a schema and both samples, by type and version.
include!(concat!(env!("OUT_DIR"), "/frozen.rs"));

/// Every kind of event, in the table's order.
#[must_use]
pub fn catalogue() -> Vec<CatalogueEntry> {
    events()
        .map(|event| CatalogueEntry {
            event_type: event.event_type,
            category: event.category,
            doc: event.doc,
            current_version: event.version,
            versions: versions(FILES, event.event_type),
        })
        .collect()
}

/// Every kind of public message, in the table's order.
#[must_use]
pub fn message_catalogue() -> Vec<MessageCatalogueEntry> {
    messages()
        .iter()
        .map(|message| MessageCatalogueEntry {
            message_type: message.message_type,
            topic: message.topic,
            doc: message.doc,
            current_version: message.version,
            versions: versions(MESSAGE_FILES, message.message_type),
        })
        .collect()
}

fn versions(files: &[(&str, CatalogueVersion)], name: &str) -> Vec<CatalogueVersion> {
    files.iter().filter(|(of, _)| *of == name).map(|(_, version)| *version).collect()
}
