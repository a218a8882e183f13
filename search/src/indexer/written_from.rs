//! Which generation of a node's own catalogue an index of several nodes was written from: a file, since the
//! catalogue may be built anew while the node is stopped.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use journal::JournalId;
use serde::{Deserialize, Serialize};

const FILE: &str = "written-from.json";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WrittenFrom {
    pub(super) journal: JournalId,
    pub(super) generation: u64,
}

impl WrittenFrom {
    /// `None` if this node never wrote, or nobody can read what it noted.
    pub(super) fn read(directory: &Path) -> Option<Self> {
        let text = fs::read_to_string(directory.join(FILE)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Noted whole or not at all. Where that cannot be, the next start knows less, and nothing else: it
    /// must not keep products from being found.
    pub(super) fn note(self, directory: &Path) {
        let write = || {
            let text = serde_json::to_string(&self)?;
            let part = directory.join("written-from.part");
            match fs::write(&part, &text) {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    fs::create_dir_all(directory)?;
                    fs::write(&part, &text)?;
                }
                written => written?,
            }
            fs::rename(part, directory.join(FILE))
        };
        if let Err(error) = write() {
            tracing::warn!(
                %error,
                "not noted which catalogue the search index is of: if that is built anew while this \
                 node is stopped, `tillroll rebuild search` is needed"
            );
        }
    }
}
