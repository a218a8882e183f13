//! One sum over everything a journal holds, the same in every adapter.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::{Recorded, StreamKey};

/// SHA-256 over every field of every event in order; see the source for the layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalDigest([u8; 32]);

impl fmt::Display for JournalDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[derive(Default)]
pub(super) struct Digester {
    sum: Sha256,
    /// Filled anew for each event, since many small updates are slow.
    bytes: Vec<u8>,
}

impl Digester {
    /// Numbers are little-endian; texts come after their length, so no two events are alike.
    pub(super) fn add(&mut self, event: &Recorded) {
        self.bytes.clear();
        self.bytes.extend_from_slice(&event.position.0.to_le_bytes());
        self.bytes.extend_from_slice(&event.version.to_le_bytes());
        self.bytes.extend_from_slice(&event.occurred.timestamp_micros().to_le_bytes());
        self.bytes.extend_from_slice(&event.recorded.timestamp_micros().to_le_bytes());
        self.bytes.extend_from_slice(&event.schema_version.to_le_bytes());
        self.bytes.extend_from_slice(event.id.as_bytes());
        match &event.stream.key {
            StreamKey::Uuid(id) => {
                self.bytes.push(0);
                self.bytes.extend_from_slice(id.as_bytes());
            }
            StreamKey::Text(key) => {
                self.bytes.push(1);
                self.text(key);
            }
        }
        self.text(event.stream.category.as_str());
        self.text(event.event_type.as_str());
        self.text(&event.metadata);
        self.text(&event.payload);
        self.sum.update(&self.bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    pub(super) fn finish(self) -> JournalDigest {
        JournalDigest(self.sum.finalize().into())
    }
}
