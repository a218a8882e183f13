//! Both adapters keep the port's promises.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use journal::conformance::{Factory, check_all};
use journal::{Journal, MemoryJournal, Options, SqliteJournal, Storage};
use tempfile::TempDir;
use uuid::Uuid;

struct Memory {
    storage: Mutex<Arc<Storage>>,
    shared: bool,
}

impl Memory {
    fn new(shared: bool) -> Self {
        Self { storage: Mutex::new(Arc::new(Storage::new(Uuid::nil()))), shared }
    }

    fn over(&self, storage: &Arc<Storage>) -> Arc<dyn Journal> {
        let journal = MemoryJournal::over(Arc::clone(storage));
        Arc::new(if self.shared { journal.shared() } else { journal })
    }
}

#[async_trait]
impl Factory for Memory {
    async fn fresh(&self) -> Arc<dyn Journal> {
        let storage = Arc::new(Storage::new(Uuid::nil()));
        *self.storage.lock().unwrap() = Arc::clone(&storage);
        self.over(&storage)
    }

    async fn reopen(&self, _: Arc<dyn Journal>) -> Option<Arc<dyn Journal>> {
        Some(self.over(&self.storage.lock().unwrap()))
    }
}

struct Sqlite {
    directory: TempDir,
    made: AtomicU32,
    options: Options,
}

impl Sqlite {
    fn with(options: Options) -> Self {
        Self { directory: TempDir::new().unwrap(), made: AtomicU32::new(0), options }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join(format!("{}.journal", self.made.load(Ordering::Relaxed)))
    }
}

#[async_trait]
impl Factory for Sqlite {
    async fn fresh(&self) -> Arc<dyn Journal> {
        self.made.fetch_add(1, Ordering::Relaxed);
        Arc::new(SqliteJournal::open(&self.path(), self.options.clone()).unwrap())
    }

    async fn reopen(&self, _: Arc<dyn Journal>) -> Option<Arc<dyn Journal>> {
        Some(Arc::new(SqliteJournal::open(&self.path(), self.options.clone()).unwrap()))
    }
}

#[tokio::test]
async fn the_journal_in_memory_conforms() {
    check_all(&Memory::new(false)).await;
}

#[tokio::test]
async fn the_journal_in_memory_conforms_when_it_is_shared() {
    check_all(&Memory::new(true)).await;
}

#[tokio::test]
async fn the_embedded_journal_conforms() {
    check_all(&Sqlite::with(Options::default())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_embedded_journal_conforms_on_many_threads() {
    check_all(&Sqlite::with(Options::default())).await;
}

#[tokio::test]
async fn the_embedded_journal_conforms_with_next_to_no_memory() {
    let options = Options {
        tail_events: 2,
        head_cache_streams: 2,
        chunk_cache_bytes: 0,
        read_connections: 1,
        page_cache_kib: 64,
        ..Options::default()
    };
    check_all(&Sqlite::with(options)).await;
}
