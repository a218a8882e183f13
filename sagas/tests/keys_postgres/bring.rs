//! One node becomes several: its keys are brought into the database.

use sagas::key_store::{
    KeyStore, KeyStoreError, KeyStoreOptions, PersonalField, PostgresKeyOptions, PostgresKeyStore,
    SqliteKeyStore, bring_keys,
};
use test_servers::postgres as server;

use crate::{open, person, refused};

const NOTE: PersonalField = PersonalField::Note;

#[tokio::test]
async fn what_was_sealed_under_keys_in_a_file_opens_under_those_in_the_database() {
    let url = server::database().await;
    let dir = tempfile::tempdir().unwrap();
    let file = SqliteKeyStore::open_data_dir(dir.path(), KeyStoreOptions::default()).unwrap();
    let mut sealed = Vec::new();
    for n in 0..2_100 {
        sealed.push(file.seal(person(n), NOTE, &n.to_string()).await.unwrap());
    }
    for n in (0..2_100).step_by(100) {
        file.erase(person(n)).await.unwrap();
    }
    let said = refused(bring_keys(dir.path(), &url).await).to_string();
    assert!(said.contains("another process has the key store open"), "{said}");
    drop(file);
    for _ in 0..2 {
        assert_eq!(bring_keys(dir.path(), &url).await.unwrap(), 2_100);
        let options = PostgresKeyOptions::default();
        let keys = PostgresKeyStore::reopen_data_dir(&url, dir.path(), options).await.unwrap();
        for (n, sealed) in (0..).zip(&sealed) {
            match keys.open(NOTE, sealed).await {
                Ok(text) => assert!(text == n.to_string() && n % 100 != 0),
                Err(error) => {
                    assert_eq!(error, KeyStoreError::Erased { person: person(n) });
                    assert_eq!(n % 100, 0);
                }
            }
        }
        // What is erased in the database stays erased, also if it is brought once more.
        keys.erase(person(1_500)).await.unwrap();
        sealed.truncate(1_500);
    }
}

#[tokio::test]
async fn keys_of_another_master_key_or_another_shop_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = SqliteKeyStore::open_data_dir(dir.path(), KeyStoreOptions::default()).unwrap();
    file.ensure(person(1)).await.unwrap();
    drop(file);
    let url = server::database().await;
    drop(open(&url).await);
    let said = refused(bring_keys(dir.path(), &url).await);
    assert!(matches!(said, KeyStoreError::WrongMasterKey { .. }), "{said}");

    let url = server::database().await;
    let options = PostgresKeyOptions::default();
    let keys = PostgresKeyStore::open_data_dir(&url, dir.path(), options).await.unwrap();
    keys.ensure(person(1)).await.unwrap();
    let said = refused(bring_keys(dir.path(), &url).await).to_string();
    assert!(said.contains("another key for"), "{said}");
}
