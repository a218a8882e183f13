//! The index's files on disk, as durable as they have to be and no sooner.
//!
//! Left to itself, the engine waits for the disk after each file of a segment, and once more before
//! each to have its list of files written: some twenty times for one changed product. But nothing
//! counts before `meta.json` names it, and before that is written the directory is synced. So files
//! are synced then, each once and all at the same time, which a journaling file system takes as one
//! commit or two. A crash before that leaves files that the last commit knows nothing of. Deletions
//! and the list of files after them wait for the next commit: what is deleted is needed by nobody.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    AntiCallToken, Directory, DirectoryLock, FileHandle, Lock, MmapDirectory, TerminatingWrite,
    WatchCallback, WatchHandle, WritePtr,
};

/// What says which files are the index.
pub(super) const META: &str = "meta.json";
/// Files written beside others so far.
static WRITTEN: AtomicU64 = AtomicU64::new(0);
/// Files synced at the same time.
const AT_ONCE: usize = 16;

#[derive(Debug, Clone)]
pub(super) struct Files {
    files: MmapDirectory,
    directory: PathBuf,
    unsynced: Arc<Unsynced>,
}

#[derive(Debug, Default)]
struct Unsynced(Mutex<Waiting>);

/// What may not be on the disk yet.
#[derive(Debug, Default)]
struct Waiting {
    /// Files that are complete.
    files: Vec<(PathBuf, File)>,
    /// Whether the directory names anything that matters and that it did not name when it was synced.
    directory: bool,
}

impl Unsynced {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn put(&mut self, path: &Path, file: File) {
        self.files.retain(|(other, _)| other != path);
        self.files.push((path.to_owned(), file));
    }
}

impl Files {
    pub(super) fn open(directory: &Path) -> tantivy::Result<Self> {
        let files = MmapDirectory::open(directory)?;
        Ok(Self { files, directory: directory.to_owned(), unsynced: Arc::default() })
    }
}

/// A file being written.
struct Writing {
    path: PathBuf,
    file: File,
    unsynced: Arc<Unsynced>,
}

impl Write for Writing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl TerminatingWrite for Writing {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        let file = self.file.try_clone()?;
        let mut waiting = self.unsynced.waiting();
        waiting.put(&self.path, file);
        waiting.directory = true;
        Ok(())
    }
}

impl Directory for Files {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        self.files.get_file_handle(path)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.unsynced.waiting().files.retain(|(other, _)| other != path);
        self.files.delete(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.files.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let opened =
            OpenOptions::new().write(true).create_new(true).open(self.directory.join(path));
        let file = opened.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => OpenWriteError::FileAlreadyExists(path.to_owned()),
            _ => OpenWriteError::wrap_io_error(error, path.to_owned()),
        })?;
        let unsynced = Arc::clone(&self.unsynced);
        Ok(BufWriter::new(Box::new(Writing { path: path.to_owned(), file, unsynced })))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.files.atomic_read(path)
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        if path == Path::new(META) {
            self.files.atomic_write(path, data)?;
            self.unsynced.waiting().directory = true;
            return Ok(());
        }
        let mut beside = self.directory.join(path).into_os_string();
        // Merging may go on for a moment after its index was closed, beside the one opened next.
        beside.push(format!(".{}.new", WRITTEN.fetch_add(1, Ordering::Relaxed)));
        let mut file = File::create(&beside)?;
        file.write_all(data)?;
        fs::rename(&beside, self.directory.join(path))?;
        self.unsynced.waiting().put(path, file);
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        // Whoever comes meanwhile waits: what it may rely on is being synced here.
        let mut waiting = self.unsynced.waiting();
        if !waiting.directory {
            return Ok(());
        }
        for files in waiting.files.chunks(AT_ONCE) {
            std::thread::scope(|scope| {
                let (last, others) =
                    files.split_last().map_or((None, files), |(l, o)| (Some(l), o));
                let others: Vec<_> =
                    others.iter().map(|(_, file)| scope.spawn(|| file.sync_data())).collect();
                last.map_or(Ok(()), |(_, file)| file.sync_data())?;
                for other in others {
                    other.join().map_err(|_| io::Error::other("a sync did not end"))??;
                }
                Ok::<(), io::Error>(())
            })?;
        }
        waiting.files.clear();
        self.files.sync_directory()?;
        waiting.directory = false;
        Ok(())
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.files.acquire_lock(lock)
    }

    fn watch(&self, callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.files.watch(callback)
    }
}
