//! The file of API keys: digests only, owner-readable only, replaced as a whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::ApiKey;

/// How long a change waits for another one to end.
const WAIT: Duration = Duration::from_secs(2);
/// A change that is under way for longer was left behind by a process that died.
const ABANDONED: Duration = Duration::from_secs(30);

/// What tells one state of the file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp(Option<(SystemTime, u64)>);

#[derive(Debug, Default, Serialize, Deserialize)]
struct Content {
    keys: Vec<ApiKey>,
}

#[derive(Debug, Clone)]
pub(super) struct KeyFile {
    path: PathBuf,
}

impl KeyFile {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    pub(super) fn stamp(&self) -> Stamp {
        let stamp = |file: fs::Metadata| Some((file.modified().ok()?, file.len()));
        Stamp(fs::metadata(&self.path).ok().and_then(stamp))
    }

    /// No file is a file without keys.
    pub(super) fn read(&self) -> io::Result<Vec<ApiKey>> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(serde_json::from_slice::<Content>(&bytes)?.keys),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Reads, changes and replaces the file; nobody else changes it meanwhile. What `change`
    /// refuses leaves it as it was.
    pub(super) fn change<T, E: From<io::Error>>(
        &self,
        change: impl FnOnce(&mut Vec<ApiKey>) -> Result<T, E>,
    ) -> Result<T, E> {
        let next = self.path.with_extension("json.new");
        let file = begin(&next)?;
        let done = (|| {
            let mut keys = self.read()?;
            let value = change(&mut keys)?;
            write(file, &Content { keys })?;
            fs::rename(&next, &self.path)?;
            Ok(value)
        })();
        if done.is_err() {
            // Whoever comes next takes an abandoned file away as well.
            drop(fs::remove_file(&next));
        }
        done
    }
}

/// Creates the file that replaces the other; that it can be created once only is the lock.
fn begin(next: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let started = SystemTime::now();
    loop {
        match options.open(next) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let age = fs::metadata(next).and_then(|file| file.modified());
                let age = age.ok().and_then(|at| at.elapsed().ok());
                if age.is_some_and(|age| age > ABANDONED) {
                    fs::remove_file(next)?;
                } else if started.elapsed().is_ok_and(|waited| waited > WAIT) {
                    return Err(error);
                } else {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
            opened => return opened,
        }
    }
}

fn write(mut file: File, content: &Content) -> io::Result<()> {
    let mut bytes = serde_json::to_vec_pretty(content)?;
    bytes.push(b'\n');
    file.write_all(&bytes)?;
    file.sync_all()
}
