//! The tables: made once, by however many; refused when they are another's or newer.

use sagas::key_store::{
    KeyStore, KeyStoreError, PostgresKeyOptions, PostgresKeyReader, PostgresKeyStore,
    migrate_postgres,
};
use sqlx::Executor;
use test_servers::postgres as server;

use crate::{connect, master, open, person, refused};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_make_one_store() {
    let url = server::database().await;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { migrate_postgres(&url).await.unwrap() })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let keys = open(&url).await;
    keys.ensure(person(1)).await.unwrap();
    keys.erase(person(2)).await.unwrap();
    migrate_postgres(&url).await.unwrap();
    assert!(keys.is_erased(person(2)).await.unwrap(), "what is there stays");
}

#[tokio::test]
async fn without_leave_to_migrate_nothing_is_made() {
    let url = server::database().await;
    let options = PostgresKeyOptions { migrate: false, ..PostgresKeyOptions::default() };
    let said = refused(PostgresKeyStore::open(&url, master(1), options.clone()).await).to_string();
    assert!(said.contains("tillroll migrate"), "{said}");
    migrate_postgres(&url).await.unwrap();
    PostgresKeyStore::open(&url, master(1), options).await.unwrap();
}

#[tokio::test]
async fn a_newer_format_is_refused() {
    let url = server::database().await;
    migrate_postgres(&url).await.unwrap();
    connect(&url).await.execute("UPDATE tillroll_keys.about SET format = 99").await.unwrap();
    let newer = KeyStoreError::NewerFormat { found: 99, supported: 1 };
    assert_eq!(refused(migrate_postgres(&url).await), newer);
    let opened = PostgresKeyStore::open(&url, master(1), PostgresKeyOptions::default()).await;
    assert_eq!(refused(opened), newer);
}

#[tokio::test]
async fn a_schema_of_another_program_is_left_alone() {
    let url = server::database().await;
    let theirs = "CREATE SCHEMA tillroll_keys; CREATE TABLE tillroll_keys.doors (id int)";
    connect(&url).await.execute(theirs).await.unwrap();
    let said = refused(migrate_postgres(&url).await).to_string();
    assert!(said.contains("another program's: nothing was changed"), "{said}");
}

#[tokio::test]
async fn where_there_are_events_a_store_without_keys_is_not_taken_for_new() {
    let url = server::database().await;
    migrate_postgres(&url).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let options = PostgresKeyOptions::default();
    let said = refused(PostgresKeyStore::reopen_data_dir(&url, dir.path(), options).await);
    assert!(matches!(said, KeyStoreError::StoreEmpty { .. }), "{said}");
    let said = refused(PostgresKeyReader::open_data_dir(&url, dir.path()).await);
    assert!(matches!(said, KeyStoreError::StoreEmpty { .. }), "{said}");
    assert!(!dir.path().join("master.key").exists(), "no key was made");
    let options = PostgresKeyOptions::default();
    drop(PostgresKeyStore::open_data_dir(&url, dir.path(), options.clone()).await.unwrap());
    PostgresKeyStore::reopen_data_dir(&url, dir.path(), options).await.unwrap();
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_told_without_its_password() {
    let url = "postgres://me:secret@127.0.0.1:1/x";
    let said = refused(PostgresKeyStore::open(url, master(1), PostgresKeyOptions::default()).await);
    let said = said.to_string();
    assert!(said.contains("nobody listens at 127.0.0.1:1/x") && !said.contains("secret"), "{said}");
}
