//! The server goes away and comes back.

use std::sync::Arc;
use std::time::Duration;

use sagas::key_store::{
    KeyStore, KeyStoreError, PersonalField, PostgresKeyOptions, PostgresKeyStore,
};
use sqlx::Executor;
use test_servers::postgres::{self as server, Server};

use crate::{connect, master, open, person};

const NOTE: PersonalField = PersonalField::Note;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_stopped_and_started_again_costs_nothing_but_time() {
    let mut server = Server::start();
    let url = server.url("postgres");
    let options = PostgresKeyOptions {
        patience: Duration::from_secs(300),
        cache_trusted_for: Duration::from_millis(50),
        poll_every: Duration::from_millis(10),
        ..PostgresKeyOptions::default()
    };
    let keys = PostgresKeyStore::open(&url, master(1), options).await.unwrap();
    let sealed = keys.seal(person(0), NOTE, "hello").await.unwrap();
    keys.erase(person(1)).await.unwrap();
    server.halt("immediate");
    let (opened, made) = tokio::join!(
        async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            tokio::join!(keys.open(NOTE, &sealed), keys.ensure(person(2)))
        },
        tokio::task::spawn_blocking(move || {
            std::thread::sleep(Duration::from_millis(600));
            server.run();
            server
        }),
    );
    let _server = made.unwrap();
    assert_eq!(opened.0.unwrap(), "hello");
    opened.1.unwrap();
    assert!(keys.is_erased(person(1)).await.unwrap());
}

#[tokio::test]
async fn while_the_server_is_away_keys_are_soon_unavailable() {
    let mut server = Server::start();
    let options = PostgresKeyOptions {
        patience: Duration::ZERO,
        cache_trusted_for: Duration::from_millis(200),
        ..PostgresKeyOptions::default()
    };
    let keys = PostgresKeyStore::open(&server.url("postgres"), master(1), options).await.unwrap();
    let sealed = keys.seal(person(0), NOTE, "hello").await.unwrap();
    server.halt("fast");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let said = keys.open(NOTE, &sealed).await;
    assert!(matches!(said, Err(KeyStoreError::Unavailable(_))), "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_ended_in_the_middle_are_made_good() {
    let url = server::database().await;
    let keys = Arc::new(open(&url).await);
    let making = {
        let keys = Arc::clone(&keys);
        tokio::spawn(async move {
            for n in 0..200 {
                let sealed = keys.seal(person(n), NOTE, "hello").await.unwrap();
                if n % 4 == 0 {
                    keys.erase(person(n)).await.unwrap();
                    let said = keys.open(NOTE, &sealed).await;
                    assert_eq!(said, Err(KeyStoreError::Erased { person: person(n) }));
                }
            }
        })
    };
    let mut session = connect(&url).await;
    while !making.is_finished() {
        session
            .execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    making.await.unwrap();
    for n in 0..200 {
        assert_eq!(keys.is_erased(person(n)).await.unwrap(), n % 4 == 0);
    }
}
