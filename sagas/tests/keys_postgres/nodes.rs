//! Several nodes on one key store.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use sagas::key_store::{
    KeyStore, KeyStoreError, PersonalField, PostgresKeyOptions, PostgresKeyReader, PostgresKeyStore,
};
use sqlx::{Executor, Row};
use test_servers::postgres as server;

use crate::{connect, master, open, person, refused};

const NOTE: PersonalField = PersonalField::Note;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_meet_a_person_at_once_make_one_key() {
    let url = server::database().await;
    let nodes = join_all((0..4).map(|_| open(&url))).await;
    for n in 0..50 {
        let seals = nodes.iter().map(|node| node.seal(person(n), NOTE, "hello"));
        for sealed in join_all(seals).await {
            let sealed = sealed.unwrap();
            for node in &nodes {
                assert_eq!(node.open(NOTE, &sealed).await.unwrap(), "hello");
            }
        }
    }
    let rows = sqlx::query("SELECT count(*) FROM tillroll_keys.data_keys")
        .fetch_one(&mut connect(&url).await)
        .await
        .unwrap();
    assert_eq!(rows.get::<i64, _>(0), 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_one_node_erases_is_soon_erased_on_the_others() {
    let url = server::database().await;
    // Nobody polls, so it is the server that tells.
    let options = PostgresKeyOptions {
        poll_every: Duration::from_secs(600),
        cache_trusted_for: Duration::from_secs(600),
        ..PostgresKeyOptions::default()
    };
    let one = PostgresKeyStore::open(&url, master(1), options.clone()).await.unwrap();
    let other = PostgresKeyStore::open(&url, master(1), options).await.unwrap();
    let sealed = one.seal(person(1), NOTE, "hello").await.unwrap();
    assert_eq!(other.open(NOTE, &sealed).await.unwrap(), "hello");
    one.erase(person(1)).await.unwrap();
    let erased = KeyStoreError::Erased { person: person(1) };
    assert_eq!(refused(one.open(NOTE, &sealed).await), erased);
    while other.open(NOTE, &sealed).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(refused(other.open(NOTE, &sealed).await), erased);
    assert_eq!(refused(other.seal(person(1), NOTE, "again").await), erased);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_that_is_told_nothing_trusts_its_cache_no_longer_than_it_may() {
    let url = server::database().await;
    let trusted = Duration::from_millis(700);
    let options = PostgresKeyOptions {
        cache_trusted_for: trusted,
        poll_every: Duration::from_secs(600),
        ..PostgresKeyOptions::default()
    };
    let deaf = PostgresKeyStore::open(&url, master(1), options).await.unwrap();
    let sealed = deaf.seal(person(1), NOTE, "hello").await.unwrap();
    // Erased without a word to anybody.
    connect(&url)
        .await
        .execute(
            "BEGIN; UPDATE tillroll_keys.about SET erasures = erasures + 1; \
             UPDATE tillroll_keys.data_keys SET wrapped = NULL, \
                 erasure = (SELECT erasures FROM tillroll_keys.about); COMMIT",
        )
        .await
        .unwrap();
    tokio::time::sleep(trusted).await;
    let erased = KeyStoreError::Erased { person: person(1) };
    assert_eq!(refused(deaf.open(NOTE, &sealed).await), erased);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn making_opening_and_erasing_at_once_on_all_nodes_ends_erased() {
    let url = server::database().await;
    let nodes: Vec<_> =
        join_all((0..3).map(|_| open(&url))).await.into_iter().map(Arc::new).collect();
    let mut tasks = Vec::new();
    for (n, node) in nodes.iter().enumerate() {
        for erases in [false, true] {
            let node = Arc::clone(node);
            tasks.push(tokio::spawn(async move {
                for p in 0..100 {
                    // Each node erases a third of them.
                    if erases && p % 3 == n as u128 {
                        node.erase(person(p)).await.unwrap();
                        assert!(node.seal(person(p), NOTE, "x").await.is_err());
                    } else if !erases {
                        match node.seal(person(p), NOTE, "x").await {
                            Ok(_) | Err(KeyStoreError::Erased { .. }) => {}
                            Err(other) => panic!("{other}"),
                        }
                    }
                }
            }));
        }
    }
    for task in tasks {
        task.await.unwrap();
    }
    let late = open(&url).await;
    for p in 0..100 {
        assert!(late.is_erased(person(p)).await.unwrap());
        assert!(late.ensure(person(p)).await.is_err());
    }
    let live =
        sqlx::query("SELECT count(*) FROM tillroll_keys.data_keys WHERE wrapped IS NOT NULL")
            .fetch_one(&mut connect(&url).await)
            .await
            .unwrap();
    assert_eq!(live.get::<i64, _>(0), 0);
}

#[tokio::test]
async fn an_erasure_is_final_in_the_database_too() {
    let url = server::database().await;
    let keys = open(&url).await;
    keys.erase(person(1)).await.unwrap();
    let mut session = connect(&url).await;
    for change in ["SET wrapped = 'x', erasure = NULL", "SET person = gen_random_uuid()"] {
        let sql = format!("UPDATE tillroll_keys.data_keys {change}");
        let said = session.execute(&*sql).await.unwrap_err().to_string();
        assert!(said.contains("is final"), "{said}");
    }
    session.execute("DELETE FROM tillroll_keys.data_keys").await.unwrap_err();
    assert!(keys.is_erased(person(1)).await.unwrap());
}

#[tokio::test]
async fn neither_the_master_key_nor_a_data_key_is_in_the_database() {
    let url = server::database().await;
    let dir = tempfile::tempdir().unwrap();
    let options = PostgresKeyOptions::default();
    let keys = PostgresKeyStore::open_data_dir(&url, dir.path(), options).await.unwrap();
    let sealed = keys.seal(person(1), NOTE, "hello").await.unwrap();
    // What the database has opens nothing without the file.
    std::fs::rename(dir.path().join("master.key"), dir.path().join("hidden")).unwrap();
    let refused_to = refused(PostgresKeyReader::open_data_dir(&url, dir.path()).await);
    assert!(matches!(refused_to, KeyStoreError::MasterKeyMissing { .. }), "{refused_to}");
    let reopened =
        PostgresKeyStore::open_data_dir(&url, dir.path(), PostgresKeyOptions::default()).await;
    let refused_to = refused(reopened);
    assert!(matches!(refused_to, KeyStoreError::MasterKeyMissing { .. }), "none is made up");
    assert!(!dir.path().join("master.key").exists());
    std::fs::rename(dir.path().join("hidden"), dir.path().join("master.key")).unwrap();
    let reader = PostgresKeyReader::open_data_dir(&url, dir.path()).await.unwrap();
    assert_eq!(reader.open(NOTE, &sealed).await.unwrap(), "hello");
    assert!(reader.ensure(person(2)).await.is_err() && reader.erase(person(1)).await.is_err());
    keys.erase(person(1)).await.unwrap();
    assert_eq!(
        refused(reader.open(NOTE, &sealed).await),
        KeyStoreError::Erased { person: person(1) }
    );
    assert!(reader.is_erased(person(1)).await.unwrap());
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let keys = open(&server::database().await).await;
    let sealed = keys.seal(person(1), NOTE, "hello").await.unwrap();
    keys.close();
    keys.close();
    assert_eq!(refused(keys.open(NOTE, &sealed).await), KeyStoreError::Closed);
    assert_eq!(refused(keys.ensure(person(2)).await), KeyStoreError::Closed);
}
