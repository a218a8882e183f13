//! The SQLite adapter's promises about its files.

#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use super::master_key::NEXT_MASTER_KEY_FILE;
use super::*;

fn person(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn seeded_master(seed: u64) -> MasterKey {
    let dir = tempfile::tempdir().unwrap();
    MasterKey::create(&dir.path().join("key"), &SeededEntropy::new(seed)).unwrap()
}

/// Keeps the directories for as long as it lives.
#[derive(Default)]
struct Files(std::sync::Mutex<Vec<tempfile::TempDir>>);

#[async_trait]
impl conformance::Factory for Files {
    async fn fresh(&self) -> Arc<dyn KeyStore> {
        let dir = tempfile::tempdir().unwrap();
        let keys = SqliteKeyStore::open_data_dir(dir.path(), options()).unwrap();
        self.0.lock().unwrap().push(dir);
        Arc::new(keys)
    }
}

#[tokio::test]
async fn the_store_in_a_file_conforms() {
    conformance::check_all(&Files::default()).await;
}

/// A small cache, so that most keys are read from the file.
fn options() -> KeyStoreOptions {
    KeyStoreOptions { keys_cached_max: NonZeroUsize::new(2).unwrap(), ..KeyStoreOptions::default() }
}

fn open(dir: &Path, master: &MasterKey) -> Result<SqliteKeyStore, KeyStoreError> {
    SqliteKeyStore::open(&dir.join(KEY_STORE_FILE), master.clone(), options())
}

/// The wrapped keys of live persons, read past the store.
fn wrapped(dir: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let connection = Connection::open(dir.join(KEY_STORE_FILE)).unwrap();
    let mut select =
        connection.prepare("SELECT person, wrapped FROM data_keys WHERE state = 0").unwrap();
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn is_in_a_file(dir: &Path, needle: &[u8]) -> bool {
    std::fs::read_dir(dir).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(needle.len()).any(|window| window == needle)
    })
}

async fn fill(keys: &SqliteKeyStore, persons: std::ops::Range<u128>) {
    for result in futures::future::join_all(persons.map(|n| keys.ensure(person(n)))).await {
        result.unwrap();
    }
}

#[tokio::test]
async fn an_erased_key_is_in_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let master = seeded_master(1);
    let keys = open(dir.path(), &master).unwrap();
    fill(&keys, 0..3_000).await;
    keys.close();
    let before = wrapped(dir.path());
    assert_eq!(before.len(), 3_000);
    assert!(is_in_a_file(dir.path(), &before[0].1), "the search finds what is there");

    let keys = open(dir.path(), &master).unwrap();
    // What was made before and what has just been made, with the log in use.
    fill(&keys, 3_000..3_100).await;
    let erased: Vec<_> = before.iter().step_by(500).collect();
    for (id, _) in &erased {
        keys.erase(Uuid::from_slice(id).unwrap()).await.unwrap();
    }
    for (_, key) in &erased {
        assert!(!is_in_a_file(dir.path(), &key[12..]), "while the store is open");
    }
    fill(&keys, 3_100..6_000).await;
    keys.close();
    for (_, key) in &erased {
        assert!(!is_in_a_file(dir.path(), &key[12..]), "after more writing and a close");
    }
    assert_eq!(wrapped(dir.path()).len(), 6_000 - erased.len());
}

#[tokio::test]
async fn the_log_alone_keeps_no_erased_key() {
    let dir = tempfile::tempdir().unwrap();
    let keys = open(dir.path(), &seeded_master(1)).unwrap();
    fill(&keys, 0..20).await;
    let log = dir.path().join("keys.db-wal");
    assert!(std::fs::metadata(&log).unwrap().len() > 0, "the keys are in the log");
    keys.erase(person(3)).await.unwrap();
    assert_eq!(std::fs::metadata(&log).unwrap().len(), 0);
}

#[tokio::test]
async fn keys_and_tombstones_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let keys = SqliteKeyStore::open_data_dir(dir.path(), options()).unwrap();
    let sealed = keys.seal(person(1), PersonalField::Contact, "Ada").await.unwrap();
    keys.erase(person(2)).await.unwrap();
    drop(keys);
    let keys = SqliteKeyStore::open_data_dir(dir.path(), options()).unwrap();
    assert_eq!(keys.open(PersonalField::Contact, &sealed).await.unwrap(), "Ada");
    assert!(keys.is_erased(person(2)).await.unwrap());
    keys.close();
    assert_eq!(keys.ensure(person(3)).await, Err(KeyStoreError::Closed));
    assert_eq!(keys.open(PersonalField::Contact, &sealed).await, Err(KeyStoreError::Closed));
}

#[tokio::test]
async fn a_key_is_durable_before_its_sealed_text_is_out() {
    let dir = tempfile::tempdir().unwrap();
    let master = seeded_master(1);
    let keys = open(dir.path(), &master).unwrap();
    let sealed = keys.seal(person(1), PersonalField::Contact, "Ada").await.unwrap();
    // What a crash would leave: the files as they are now.
    let copy = tempfile::tempdir().unwrap();
    for name in ["keys.db", "keys.db-wal"] {
        std::fs::copy(dir.path().join(name), copy.path().join(name)).unwrap();
    }
    let restored = open(copy.path(), &master).unwrap();
    assert_eq!(restored.open(PersonalField::Contact, &sealed).await.unwrap(), "Ada");
}

#[tokio::test]
async fn the_wrong_master_key_is_named_and_a_missing_one_is_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let (right, wrong) = (seeded_master(1), seeded_master(2));
    drop(open(dir.path(), &right).unwrap());
    let error = open(dir.path(), &wrong).err().unwrap();
    assert_eq!(
        error,
        KeyStoreError::WrongMasterKey { expected: right.fingerprint(), given: wrong.fingerprint() }
    );
    let error = SqliteKeyStore::open_data_dir(dir.path(), options()).err().unwrap();
    assert!(matches!(error, KeyStoreError::MasterKeyMissing { .. }));
}

#[tokio::test]
async fn two_stores_on_one_file_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let master = seeded_master(1);
    let _keys = open(dir.path(), &master).unwrap();
    let error = open(dir.path(), &master).err().unwrap();
    assert!(matches!(error, KeyStoreError::Unavailable(_)), "{error}");
}

#[tokio::test]
async fn rotation_leaves_nothing_under_the_old_master_key() {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (seeded_master(1), seeded_master(2));
    let keys = open(dir.path(), &old).unwrap();
    let sealed = keys.seal(person(0), PersonalField::Contact, "Ada").await.unwrap();
    fill(&keys, 1..2_500).await;
    keys.erase(person(7)).await.unwrap();
    keys.close();
    let before = wrapped(dir.path());
    let keys = open(dir.path(), &old).unwrap();
    keys.rotate_master(new.clone()).await.unwrap();
    for (_, key) in before.iter().step_by(400) {
        assert!(!is_in_a_file(dir.path(), &key[12..]));
    }
    keys.ensure(person(5_000)).await.unwrap();
    drop(keys);
    assert!(matches!(open(dir.path(), &old), Err(KeyStoreError::WrongMasterKey { .. })));
    let keys = open(dir.path(), &new).unwrap();
    assert_eq!(keys.open(PersonalField::Contact, &sealed).await.unwrap(), "Ada");
    fill(&keys, 5_000..5_001).await;
    assert!(keys.is_erased(person(7)).await.unwrap());
}

#[tokio::test]
async fn a_rotation_cut_off_before_the_file_changed_is_finished_at_start() {
    let dir = tempfile::tempdir().unwrap();
    let keys = SqliteKeyStore::open_data_dir(dir.path(), options()).unwrap();
    let sealed = keys.seal(person(0), PersonalField::Contact, "Ada").await.unwrap();
    let next = MasterKey::create(&dir.path().join(NEXT_MASTER_KEY_FILE), &OsEntropy).unwrap();
    keys.rotate_master(next.clone()).await.unwrap();
    drop(keys);
    let keys = SqliteKeyStore::open_data_dir(dir.path(), options()).unwrap();
    assert_eq!(keys.open(PersonalField::Contact, &sealed).await.unwrap(), "Ada");
    let file = MasterKey::load(&dir.path().join(MASTER_KEY_FILE)).unwrap();
    assert_eq!(file.fingerprint(), next.fingerprint());
    keys.rotate_data_dir(dir.path()).await.unwrap();
    drop(keys);
    let keys = SqliteKeyStore::open_data_dir(dir.path(), options()).unwrap();
    assert_eq!(keys.open(PersonalField::Contact, &sealed).await.unwrap(), "Ada");
    assert!(!dir.path().join(NEXT_MASTER_KEY_FILE).exists());
}

#[tokio::test]
async fn a_backup_opens_under_the_same_master_key() {
    let dir = tempfile::tempdir().unwrap();
    let master = seeded_master(1);
    let keys = open(dir.path(), &master).unwrap();
    let sealed = keys.seal(person(0), PersonalField::Contact, "Ada").await.unwrap();
    let copy = tempfile::tempdir().unwrap();
    keys.back_up(copy.path().join(KEY_STORE_FILE)).await.unwrap();
    let restored = open(copy.path(), &master).unwrap();
    assert_eq!(restored.open(PersonalField::Contact, &sealed).await.unwrap(), "Ada");
}

#[cfg(unix)]
#[test]
fn the_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let _keys = SqliteKeyStore::open_data_dir(dir.path(), options()).unwrap();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?}", entry.file_name());
    }
}

#[test]
fn a_master_key_is_read_strictly_and_never_shown() {
    for text in ["", "abc", "****", &"A".repeat(40)] {
        assert!(matches!(MasterKey::parse(text), Err(KeyStoreError::BadMasterKey(_))), "{text}");
    }
    let text = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=";
    let key = MasterKey::parse(&format!(" {text}\n")).unwrap();
    assert!(!format!("{key:?}").contains("QUFB"));
}

#[tokio::test]
async fn ensure_erase_and_open_at_once_end_erased() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Arc::new(open(dir.path(), &seeded_master(1)).unwrap());
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let keys = Arc::clone(&keys);
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(async {
                    for n in 0..100 {
                        match thread {
                            0 => keys.erase(person(n)).await.unwrap(),
                            _ => drop(keys.seal(person(n), PersonalField::Note, "x").await),
                        }
                    }
                });
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    for n in 0..100 {
        assert!(keys.seal(person(n), PersonalField::Note, "x").await.is_err());
    }
}

#[tokio::test]
async fn a_reader_beside_the_store_opens_what_is_sealed_until_it_is_erased() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(
        KeyReader::open_data_dir(dir.path()),
        Err(KeyStoreError::StoreMissing { .. })
    ));
    let keys = SqliteKeyStore::open_data_dir(dir.path(), options()).unwrap();
    let person = Uuid::from_u128(7);
    let sealed = keys.seal(person, PersonalField::Contact, "Ada").await.unwrap();
    let reader = KeyReader::open_data_dir(dir.path()).unwrap();
    assert_eq!(reader.open(PersonalField::Contact, &sealed).await.unwrap(), "Ada");
    assert!(reader.seal(person, PersonalField::Contact, "Eve").await.is_err());
    assert!(reader.erase(person).await.is_err());
    keys.erase(person).await.unwrap();
    let error = reader.open(PersonalField::Contact, &sealed).await.unwrap_err();
    assert!(matches!(error, KeyStoreError::Erased { .. }), "{error}");
    assert!(reader.is_erased(person).await.unwrap());
}
