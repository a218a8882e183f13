//! The master key changes while nodes are at work.

use std::path::Path;
use std::sync::Arc;

use futures::future::join_all;
use sagas::key_store::{
    KeyStore, KeyStoreError, MASTER_KEY_FILE, MasterKey, OsEntropy, PersonalField,
    PostgresKeyOptions, PostgresKeyStore,
};
use sqlx::Row;
use test_servers::postgres as server;

use crate::{connect, master, open, person, refused};

const NOTE: PersonalField = PersonalField::Note;
const NEXT: &str = "master.key.next";

async fn in_dir(url: &str, dir: &Path) -> Result<PostgresKeyStore, KeyStoreError> {
    PostgresKeyStore::open_data_dir(url, dir, PostgresKeyOptions::default()).await
}

async fn wrapped(url: &str) -> Vec<Vec<u8>> {
    let rows = sqlx::query("SELECT wrapped FROM tillroll_keys.data_keys WHERE wrapped IS NOT NULL")
        .fetch_all(&mut connect(url).await)
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn rotation_leaves_nothing_under_the_old_master_key() {
    let url = server::database().await;
    let keys = open(&url).await;
    let sealed = keys.seal(person(0), NOTE, "hello").await.unwrap();
    let highest = keys.seal(person(u128::MAX), NOTE, "last").await.unwrap();
    join_all((1..2_500).map(|n| keys.ensure(person(n)))).await;
    keys.erase(person(7)).await.unwrap();
    let before = wrapped(&url).await;
    keys.rotate_master(master(2)).await.unwrap();
    let after = wrapped(&url).await;
    assert_eq!(after.len(), before.len());
    assert!(before.iter().all(|key| !after.contains(key)));
    // This node goes on under the new one.
    keys.ensure(person(5_000)).await.unwrap();
    assert_eq!(keys.open(NOTE, &sealed).await.unwrap(), "hello");
    let options = PostgresKeyOptions::default();
    assert_eq!(
        refused(PostgresKeyStore::open(&url, master(1), options.clone()).await),
        KeyStoreError::WrongMasterKey {
            expected: master(2).fingerprint(),
            given: master(1).fingerprint()
        }
    );
    let keys = PostgresKeyStore::open(&url, master(2), options).await.unwrap();
    assert_eq!(keys.open(NOTE, &sealed).await.unwrap(), "hello");
    assert_eq!(keys.open(NOTE, &highest).await.unwrap(), "last");
    assert!(keys.is_erased(person(7)).await.unwrap());
    keys.rotate_master(master(2)).await.unwrap();
}

#[tokio::test]
async fn a_node_without_the_new_master_key_says_what_it_needs_and_goes_on_when_it_is_there() {
    let url = server::database().await;
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let one = in_dir(&url, here.path()).await.unwrap();
    assert!(
        matches!(refused(in_dir(&url, there.path()).await), KeyStoreError::MasterKeyMissing { .. }),
        "no second master key is made up for the same store"
    );
    std::fs::copy(here.path().join(MASTER_KEY_FILE), there.path().join(MASTER_KEY_FILE)).unwrap();
    let other = in_dir(&url, there.path()).await.unwrap();
    let known = one.seal(person(1), NOTE, "known").await.unwrap();
    let unknown = one.seal(person(2), NOTE, "unknown").await.unwrap();
    assert_eq!(other.open(NOTE, &known).await.unwrap(), "known");
    one.rotate_data_dir(here.path()).await.unwrap();
    assert!(!here.path().join(NEXT).exists());
    for said in [refused(other.open(NOTE, &unknown).await), refused(other.ensure(person(3)).await)]
    {
        assert!(said.to_string().contains("bring the file master.key"), "{said}");
    }
    std::fs::copy(here.path().join(MASTER_KEY_FILE), there.path().join(MASTER_KEY_FILE)).unwrap();
    assert_eq!(other.open(NOTE, &unknown).await.unwrap(), "unknown");
    other.ensure(person(3)).await.unwrap();
}

#[tokio::test]
async fn a_next_key_that_is_everywhere_beforehand_is_missed_by_no_node() {
    let url = server::database().await;
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let one = in_dir(&url, here.path()).await.unwrap();
    std::fs::copy(here.path().join(MASTER_KEY_FILE), there.path().join(MASTER_KEY_FILE)).unwrap();
    let other = in_dir(&url, there.path()).await.unwrap();
    let sealed = one.seal(person(1), NOTE, "hello").await.unwrap();
    let next = MasterKey::prepare_rotation(here.path(), &OsEntropy).unwrap();
    std::fs::copy(here.path().join(NEXT), there.path().join(NEXT)).unwrap();
    one.rotate_data_dir(here.path()).await.unwrap();
    assert_eq!(other.open(NOTE, &sealed).await.unwrap(), "hello");
    other.ensure(person(2)).await.unwrap();
    drop(other);
    // Opened again, it puts the file in its place.
    let other = in_dir(&url, there.path()).await.unwrap();
    assert!(!there.path().join(NEXT).exists());
    let file = MasterKey::load(&there.path().join(MASTER_KEY_FILE)).unwrap();
    assert_eq!(file.fingerprint(), next.fingerprint());
    assert_eq!(other.open(NOTE, &sealed).await.unwrap(), "hello");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_made_and_erased_during_rotations_are_all_right_afterwards() {
    let url = server::database().await;
    let dir = tempfile::tempdir().unwrap();
    let rotating = in_dir(&url, dir.path()).await.unwrap();
    join_all((10_000..12_000).map(|n| rotating.ensure(person(n)))).await;
    let busy = Arc::new(in_dir(&url, dir.path()).await.unwrap());
    let making = {
        let busy = Arc::clone(&busy);
        tokio::spawn(async move {
            let mut sealed = Vec::new();
            for n in 0..300 {
                sealed.push(busy.seal(person(n), NOTE, "x").await.unwrap());
                if n % 10 == 9 {
                    busy.erase(person(n)).await.unwrap();
                }
            }
            sealed
        })
    };
    let mut rotations = 0;
    while !making.is_finished() {
        rotating.rotate_data_dir(dir.path()).await.unwrap();
        rotations += 1;
    }
    assert!(rotations > 1);
    let fresh = in_dir(&url, dir.path()).await.unwrap();
    for (n, sealed) in making.await.unwrap().iter().enumerate() {
        match fresh.open(NOTE, sealed).await {
            Ok(text) => assert!(text == "x" && n % 10 != 9),
            Err(error) => assert!(n % 10 == 9, "{error}"),
        }
    }
    for n in 10_000..12_000 {
        fresh.ensure(person(n)).await.unwrap();
    }
}
