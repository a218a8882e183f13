//! One writer at a time: an advisory lock on a file beside the journal.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::JournalError;

/// Held for as long as the journal is open for writing; the system frees it when the
/// process dies, so a stale file never locks anyone out.
#[derive(Debug)]
pub(super) struct WriterLock {
    _file: File,
}

impl WriterLock {
    pub(super) fn take(journal: &Path) -> Result<Self, JournalError> {
        let path = lock_path(journal);
        let unavailable = |error: std::io::Error| {
            JournalError::Unavailable(format!("{}: {error}", path.display()))
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(unavailable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Who holds it is a courtesy: a holder that has not written yet has no name.
                let _ = file.read_to_string(&mut holder);
                let holder = holder.trim();
                return Err(JournalError::InUse {
                    path: journal.display().to_string(),
                    holder: (!holder.is_empty()).then(|| format!("pid {holder}")),
                });
            }
            Err(TryLockError::Error(error)) => return Err(unavailable(error)),
        }
        // The pid is for people only, so a full disk must not keep the journal from opening.
        let noted = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()));
        if let Err(error) = noted {
            tracing::info!(%error, "could not note the pid in the journal's lock file");
        }
        Ok(Self { _file: file })
    }
}

fn lock_path(journal: &Path) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}
