//! How a journal fails, by what the caller can do about it.

use crate::Position;

/// A journal that could not do what it was asked. Conflicts are verdicts, not errors.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// No room on the disk; nothing was appended. Reads go on; try again when there is room.
    #[error("the journal's disk is full: nothing was written")]
    Full,
    /// The store could not be reached or written for now; nothing of the call is acknowledged.
    #[error("journal unavailable: {0}")]
    Unavailable(String),
    /// Another process holds the journal for writing.
    #[error("the journal at {path} is in use by another writer{}", holder.as_ref().map(|h| format!(" ({h})")).unwrap_or_default())]
    InUse { path: String, holder: Option<String> },
    /// The data was written by a newer version of the program.
    #[error(
        "the journal has format {found}, this program reads up to {supported}: use a newer tillroll"
    )]
    NewerFormat { found: u32, supported: u32 },
    /// What is stored contradicts itself.
    #[error("journal corrupt at position {}: {problem}", at.map_or("?".to_owned(), |p| p.0.to_string()))]
    Corrupt { at: Option<Position>, problem: String },
    /// The caller broke the port's rules (an empty group, a stream twice in one unit, invalid JSON).
    #[error("invalid append: {0}")]
    Invalid(String),
    /// The journal was closed.
    #[error("the journal is closed")]
    Closed,
}
