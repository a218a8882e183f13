//! The frozen schemas and samples, built in, so that a reader outside can ask the binary for them.

use crate::events;

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

// FILES: every version that has a schema and both samples, by type and version.
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
            versions: FILES
                .iter()
                .filter(|(event_type, _)| *event_type == event.event_type)
                .map(|(_, version)| *version)
                .collect(),
        })
        .collect()
}
