//! The thread that owns the key store's connection.
//!
//! Rows are only ever added at the end and overwritten in place by as many bytes, so no page is
//! split or shuffled and no copy of a wrapped key stays behind in one; `secure_delete` is on all
//! the same. An erasure empties the write-ahead log too before it is acknowledged.

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::sealing::{SecretKey, WRAPPED_BYTES};
use super::sqlite::KeyCache;
use super::{Entropy, KeyStoreError, MasterKey};

const FORMAT: u32 = 1;
/// Calls answered by one commit at most.
const BATCH_MAX: usize = 4_096;
/// Longest wait for those who only read.
pub(super) const READERS_PATIENCE: Duration = Duration::from_secs(2);
pub(super) const LIVE: i64 = 0;
const ERASED: i64 = 1;

type Reply<T> = oneshot::Sender<Result<T, KeyStoreError>>;
type KeyReply = Reply<Arc<SecretKey>>;

pub(super) enum Ask {
    Key { person: Uuid, create: bool, reply: KeyReply },
    Erase { person: Uuid, reply: Reply<()> },
    Rotate { master: MasterKey, reply: Reply<()> },
    BackUp { path: PathBuf, reply: Reply<()> },
}

pub(super) struct Worker {
    connection: Connection,
    master: MasterKey,
    cache: KeyCache,
    entropy: Arc<dyn Entropy>,
    /// Held until the connection is closed: what another process erased would live on in the cache.
    _lock: File,
    /// Set when the disk failed a write: what the file holds is not known until it is reopened.
    broken: Option<String>,
}

impl Worker {
    pub(super) fn open(
        path: &Path,
        master: MasterKey,
        cache: KeyCache,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, KeyStoreError> {
        let lock = lock(path)?;
        create_private(path)?;
        let connection = Connection::open(path).map_err(failure)?;
        // For those who only read, which takes them a moment.
        connection.busy_timeout(READERS_PATIENCE).map_err(failure)?;
        let worker = Self { connection, master, cache, entropy, _lock: lock, broken: None };
        worker.prepare()?;
        Ok(worker)
    }

    fn prepare(&self) -> Result<(), KeyStoreError> {
        self.connection
            .execute_batch(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;
                 PRAGMA temp_store=MEMORY;",
            )
            .map_err(failure)?;
        self.connection
            .execute_batch(
                "BEGIN IMMEDIATE;
                 CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
                 CREATE TABLE IF NOT EXISTS data_keys (slot INTEGER PRIMARY KEY,
                     person BLOB NOT NULL, state INTEGER NOT NULL, wrapped BLOB NOT NULL);
                 CREATE UNIQUE INDEX IF NOT EXISTS data_keys_person ON data_keys (person);
                 COMMIT;",
            )
            .map_err(failure)?;
        if about(&self.connection, "format")?.is_none() {
            self.set_about("format", &FORMAT.to_string()).map_err(failure)?;
        }
        if about(&self.connection, "master_key")?.is_none() {
            self.set_about("master_key", &self.master.fingerprint()).map_err(failure)?;
        }
        recognise(&self.connection, &self.master)
    }

    /// Answers until every sender is gone.
    pub(super) fn run(mut self, asked: &Receiver<Ask>) {
        while let Ok(first) = asked.recv() {
            let mut wanted = Vec::new();
            for ask in std::iter::once(first).chain(asked.try_iter().take(BATCH_MAX)) {
                match ask {
                    Ask::Key { person, create, reply } => wanted.push((person, create, reply)),
                    // The rest keep their place in the order of calls.
                    Ask::Erase { person, reply } => {
                        self.keys(std::mem::take(&mut wanted));
                        let erased = self.erase(person);
                        self.answer(reply, erased);
                    }
                    Ask::Rotate { master, reply } => {
                        self.keys(std::mem::take(&mut wanted));
                        let rotated = self.rotate(master);
                        self.answer(reply, rotated);
                    }
                    Ask::BackUp { path, reply } => {
                        self.keys(std::mem::take(&mut wanted));
                        let backed_up = self.back_up(&path);
                        self.answer(reply, backed_up);
                    }
                }
            }
            self.keys(wanted);
        }
    }

    /// Answers what is there at once; makes what is missing in one commit.
    fn keys(&mut self, wanted: Vec<(Uuid, bool, KeyReply)>) {
        let mut missing: HashMap<Uuid, Vec<KeyReply>> = HashMap::new();
        for (person, create, reply) in wanted {
            match self.usable().and_then(|()| find(&self.connection, &self.master, person)) {
                Err(KeyStoreError::UnknownPerson { .. }) if create => {
                    missing.entry(person).or_default().push(reply);
                }
                Ok(key) => {
                    self.keep(person, &key);
                    self.answer(reply, Ok(key));
                }
                Err(error) => self.answer(reply, Err(error)),
            }
        }
        if missing.is_empty() {
            return;
        }
        match self.create(missing.keys().copied().collect()) {
            Ok(made) => {
                for (person, key) in made {
                    self.keep(person, &key);
                    for reply in missing.remove(&person).unwrap_or_default() {
                        self.answer(reply, Ok(Arc::clone(&key)));
                    }
                }
            }
            Err(error) => {
                for reply in missing.into_values().flatten() {
                    self.answer(reply, Err(error.clone()));
                }
            }
        }
    }

    fn create(
        &mut self,
        mut persons: Vec<Uuid>,
    ) -> Result<Vec<(Uuid, Arc<SecretKey>)>, KeyStoreError> {
        // In order, so that the index is filled from left to right.
        persons.sort_unstable();
        let mut made = Vec::with_capacity(persons.len());
        let mut rows = Vec::with_capacity(persons.len());
        for person in persons {
            let key = SecretKey::random(self.entropy.as_ref())?;
            rows.push((person, key.wrap(self.master.key(), person, self.entropy.as_ref())?));
            made.push((person, Arc::new(key)));
        }
        self.write(|connection| {
            let mut insert = connection.prepare_cached(
                "INSERT INTO data_keys (person, state, wrapped) VALUES (?1, ?2, ?3)",
            )?;
            for (person, wrapped) in &rows {
                insert.execute(params![person.as_bytes().as_slice(), LIVE, wrapped])?;
            }
            Ok(())
        })?;
        Ok(made)
    }

    fn erase(&mut self, person: Uuid) -> Result<(), KeyStoreError> {
        let zeros = [0_u8; WRAPPED_BYTES];
        let key = person.as_bytes().as_slice();
        self.write(|connection| {
            let overwritten = connection
                .prepare_cached("UPDATE data_keys SET state = ?2, wrapped = ?3 WHERE person = ?1")?
                .execute(params![key, ERASED, zeros.as_slice()])?;
            if overwritten == 0 {
                connection
                    .prepare_cached(
                        "INSERT INTO data_keys (person, state, wrapped) VALUES (?1, ?2, ?3)",
                    )?
                    .execute(params![key, ERASED, zeros.as_slice()])?;
            }
            Ok(())
        })?;
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).pop(&person);
        self.empty_log()
    }

    fn rotate(&mut self, master: MasterKey) -> Result<(), KeyStoreError> {
        self.usable()?;
        let (from, to) = (self.master.clone(), &master);
        let entropy = Arc::clone(&self.entropy);
        let mut problem = None;
        let written = self.write(|connection| {
            let mut select = connection.prepare(
                "SELECT slot, person, wrapped FROM data_keys
                 WHERE slot > ?1 AND state = 0 ORDER BY slot LIMIT 1000",
            )?;
            let mut update =
                connection.prepare("UPDATE data_keys SET wrapped = ?2 WHERE slot = ?1")?;
            let mut last_slot = i64::MIN;
            loop {
                // Read before writing: a table is not changed under its own cursor.
                let page: Vec<(i64, Vec<u8>, Vec<u8>)> = select
                    .query_map([last_slot], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                    .collect::<Result<_, _>>()?;
                let Some((last, _, _)) = page.last() else {
                    break;
                };
                last_slot = *last;
                for (slot, person, wrapped) in page {
                    match rewrap(&person, &wrapped, &from, to, entropy.as_ref()) {
                        Ok(rewrapped) => update.execute(params![slot, rewrapped])?,
                        Err(error) => {
                            problem = Some(error);
                            return Err(rusqlite::Error::QueryReturnedNoRows);
                        }
                    };
                }
            }
            connection.execute(
                "UPDATE about SET value = ?1 WHERE name = 'master_key'",
                [to.fingerprint()],
            )?;
            Ok(())
        });
        if let Some(problem) = problem {
            return Err(problem);
        }
        written?;
        self.master = master;
        self.empty_log()
    }

    fn back_up(&mut self, path: &Path) -> Result<(), KeyStoreError> {
        self.usable()?;
        create_private(path)?;
        let path = path.to_str().ok_or_else(|| {
            KeyStoreError::Unavailable("the backup's path is not UTF-8".to_owned())
        })?;
        self.connection.execute("VACUUM INTO ?1", [path]).map_err(failure)?;
        Ok(())
    }

    /// One durable transaction, or nothing.
    fn write(
        &mut self,
        change: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), KeyStoreError> {
        self.usable()?;
        let written = self.connection.transaction().and_then(|transaction| {
            change(&transaction)?;
            transaction.commit()
        });
        written.map_err(|error| self.failed(error))
    }

    /// Moves the log into the file and cuts it to nothing, so that no older page is left in it.
    fn empty_log(&mut self) -> Result<(), KeyStoreError> {
        let busy: rusqlite::Result<i64> =
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
        match busy {
            Ok(0) => Ok(()),
            Ok(_) => Err(KeyStoreError::Unavailable(
                "the log could not be emptied: ask again".to_owned(),
            )),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn failed(&mut self, error: rusqlite::Error) -> KeyStoreError {
        // A failed write or flush is final: later ones may seem to work and be lost.
        if error.sqlite_error_code() == Some(rusqlite::ErrorCode::SystemIoFailure) {
            tracing::error!(%error, "the key store's disk failed; it must be reopened");
            self.broken = Some(error.to_string());
        }
        failure(error)
    }

    fn usable(&self) -> Result<(), KeyStoreError> {
        match &self.broken {
            None => Ok(()),
            Some(why) => Err(KeyStoreError::Unavailable(format!("reopen it: {why}"))),
        }
    }

    fn keep(&self, person: Uuid, key: &Arc<SecretKey>) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.put(person, Arc::clone(key));
    }

    fn answer<T>(&self, reply: Reply<T>, answer: Result<T, KeyStoreError>) {
        // A caller that went away needs no answer.
        drop(reply.send(answer));
    }

    fn set_about(&self, name: &str, value: &str) -> rusqlite::Result<()> {
        self.connection
            .execute("INSERT INTO about (name, value) VALUES (?1, ?2)", [name, value])
            .map(|_| ())
    }
}

/// The person's data key.
pub(super) fn find(
    connection: &Connection,
    master: &MasterKey,
    person: Uuid,
) -> Result<Arc<SecretKey>, KeyStoreError> {
    let found: Option<(i64, Vec<u8>)> = connection
        .prepare_cached("SELECT state, wrapped FROM data_keys WHERE person = ?1")
        .and_then(|mut select| {
            let key = params![person.as_bytes().as_slice()];
            select.query_row(key, |row| Ok((row.get(0)?, row.get(1)?))).optional()
        })
        .map_err(failure)?;
    match found {
        None => Err(KeyStoreError::UnknownPerson { person }),
        Some((LIVE, wrapped)) => SecretKey::unwrap(master.key(), person, &wrapped)
            .map(Arc::new)
            .ok_or_else(|| KeyStoreError::Corrupt(format!("the key of {person} does not open"))),
        Some(_) => Err(KeyStoreError::Erased { person }),
    }
}

/// Makes sure that this program and this master key can read the store.
pub(super) fn recognise(connection: &Connection, master: &MasterKey) -> Result<(), KeyStoreError> {
    let missing = |name: &str| KeyStoreError::Corrupt(format!("no {name} on record"));
    let format = about(connection, "format")?.ok_or_else(|| missing("format"))?;
    let found: u32 =
        format.parse().map_err(|_| KeyStoreError::Corrupt(format!("format `{format}`")))?;
    if found > FORMAT {
        return Err(KeyStoreError::NewerFormat { found, supported: FORMAT });
    }
    let given = master.fingerprint();
    match about(connection, "master_key")?.ok_or_else(|| missing("master key"))? {
        expected if expected == given => Ok(()),
        expected => Err(KeyStoreError::WrongMasterKey { expected, given }),
    }
}

fn about(connection: &Connection, name: &str) -> Result<Option<String>, KeyStoreError> {
    connection
        .query_row("SELECT value FROM about WHERE name = ?1", [name], |row| row.get(0))
        .optional()
        .map_err(failure)
}

/// One process keeps the store; the system frees the lock when that process dies.
fn lock(path: &Path) -> Result<File, KeyStoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let failed =
        |error: std::io::Error| KeyStoreError::Unavailable(format!("{}: {error}", name.display()));
    let file = private_file(&name).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(in_use()),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn in_use() -> KeyStoreError {
    KeyStoreError::Unavailable("another process has the key store open".to_owned())
}

fn rewrap(
    person: &[u8],
    wrapped: &[u8],
    from: &MasterKey,
    to: &MasterKey,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, KeyStoreError> {
    let person = Uuid::from_slice(person)
        .map_err(|_| KeyStoreError::Corrupt("a person who is no UUID".to_owned()))?;
    SecretKey::unwrap(from.key(), person, wrapped)
        .ok_or_else(|| KeyStoreError::Corrupt(format!("the key of {person} does not open")))?
        .wrap(to.key(), person, entropy)
}

/// Makes the file, if there is none, for its owner only; SQLite gives its log the same mode.
fn create_private(path: &Path) -> Result<(), KeyStoreError> {
    let made = private_file(path).map(|_| ());
    made.map_err(|error| KeyStoreError::Unavailable(format!("{}: {error}", path.display())))
}

fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

pub(super) fn failure(error: rusqlite::Error) -> KeyStoreError {
    use rusqlite::ErrorCode;
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => KeyStoreError::Full,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            KeyStoreError::Corrupt(error.to_string())
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => in_use(),
        _ => KeyStoreError::Unavailable(error.to_string()),
    }
}
