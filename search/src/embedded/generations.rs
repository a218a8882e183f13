//! Where indexes are kept: each filling in a directory of its own, and a file that names the one that
//! serves.

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::SearchError;
use crate::text::{TextIndex, TextSettings};

/// Names the directory that serves.
const POINTER: &str = "serving";

/// Locked by whoever has the directory open, for as long as that is so.
const OWNER: &str = "owner.lock";
/// Longest to wait for somebody who is just closing it.
const PATIENCE: Duration = Duration::from_secs(1);

/// An index and its directory, which goes with it once it is retired and nobody searches in it.
pub(super) struct Generation {
    pub(super) index: TextIndex,
    // After the index: files are closed before they are deleted.
    files: Files,
}

struct Files {
    number: u64,
    directory: PathBuf,
    retired: AtomicBool,
}

impl Generation {
    /// Deletes the directory when the last one who searches in it is through.
    pub(super) fn retire(&self) {
        self.index.retire();
        self.files.retired.store(true, Ordering::Relaxed);
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if self.retired.load(Ordering::Relaxed) {
            remove(&self.directory);
        }
    }
}

/// What cannot be deleted is tried again when the next index is begun.
fn remove(directory: &Path) {
    if let Err(error) = fs::remove_dir_all(directory)
        && error.kind() != ErrorKind::NotFound
    {
        tracing::warn!(directory = %directory.display(), %error, "an old index cannot be deleted");
    }
}

pub(super) struct Generations {
    directory: PathBuf,
    settings: TextSettings,
    /// Each index has a lock of its own, but only once there is one that can be opened; and whoever
    /// begins another deletes what does not serve.
    _owner: File,
}

impl Generations {
    pub(super) fn new(directory: &Path, settings: TextSettings) -> Result<Self, SearchError> {
        fs::create_dir_all(directory).map_err(|error| unavailable(directory, &error))?;
        let path = directory.join(OWNER);
        let owner = File::create(&path).map_err(|error| unavailable(&path, &error))?;
        let began = Instant::now();
        loop {
            match owner.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if began.elapsed() < PATIENCE => {
                    std::thread::sleep(PATIENCE / 100);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(SearchError::Unavailable(format!(
                        "another process has the search index in {} open",
                        directory.display()
                    )));
                }
                Err(TryLockError::Error(error)) => return Err(unavailable(&path, &error)),
            }
        }
        Ok(Self { directory: directory.to_owned(), settings, _owner: owner })
    }

    /// `None` if nothing serves that can be read.
    pub(super) fn open_serving(&self) -> Result<Option<Generation>, SearchError> {
        let pointer = self.directory.join(POINTER);
        let number = match fs::read_to_string(&pointer) {
            Ok(text) => text.trim().parse().ok(),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) if error.kind() == ErrorKind::InvalidData => None,
            Err(error) => return Err(unavailable(&pointer, &error)),
        };
        let Some(number) = number else { return Ok(None) };
        let files = self.files(number);
        match TextIndex::open(&files.directory, &self.settings) {
            Ok(Some(index)) => Ok(Some(Generation { index, files })),
            Ok(None) => Ok(None),
            Err(SearchError::Damaged(what)) => {
                tracing::warn!(%what, "the search index has to be filled anew");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// An empty index beside the one that serves. All others are deleted.
    pub(super) fn begin(&self, serving: Option<&Generation>) -> Result<Generation, SearchError> {
        // Somebody may have deleted it all.
        fs::create_dir_all(&self.directory).map_err(|e| unavailable(&self.directory, &e))?;
        let serving = serving.map(|serving| serving.files.number);
        let mut last = serving.unwrap_or(0);
        for number in self.numbers()? {
            last = last.max(number);
            if Some(number) != serving {
                remove(&self.files(number).directory);
            }
        }
        let files = self.files(last + 1);
        let index = TextIndex::create(&files.directory, &self.settings)?;
        Ok(Generation { index, files })
    }

    /// From now on this one serves, also after a crash.
    pub(super) fn point_to(&self, generation: &Generation) -> Result<(), SearchError> {
        let pointer = self.directory.join(POINTER);
        let written = self.directory.join("serving.new");
        let write = || {
            let mut file = File::create(&written)?;
            writeln!(file, "{}", generation.files.number)?;
            file.sync_all()?;
            fs::rename(&written, &pointer)?;
            File::open(&self.directory)?.sync_all()
        };
        write().map_err(|error| unavailable(&pointer, &error))
    }

    /// Of directories that are named as ours are.
    fn numbers(&self) -> Result<Vec<u64>, SearchError> {
        let failed = |error| unavailable(&self.directory, &error);
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let number = entry.file_name().to_str().and_then(|name| name.parse::<u64>().ok());
            numbers.extend(number.filter(|_| entry.path().is_dir()));
        }
        Ok(numbers)
    }

    fn files(&self, number: u64) -> Files {
        let directory = self.directory.join(number.to_string());
        Files { number, directory, retired: AtomicBool::new(false) }
    }
}

fn unavailable(path: &Path, error: &std::io::Error) -> SearchError {
    SearchError::Unavailable(format!("{}: {error}", path.display()))
}
