//! Keys in PostgreSQL: the port's promises, and those to several nodes.
//!
//! The tests start a PostgreSQL of their own; `TILLROLL_TEST_POSTGRES_URL` names another.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod bring;
mod migrations;
mod nodes;
mod outage;
mod rotation;

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use sagas::key_store::conformance::{Factory, check_all};
use sagas::key_store::{
    KeyStore, KeyStoreError, MasterKey, PostgresKeyOptions, PostgresKeyStore, SeededEntropy,
};
use sqlx::{Connection, PgConnection};
use test_servers::postgres as server;
use uuid::Uuid;

struct Databases(PostgresKeyOptions);

#[async_trait]
impl Factory for Databases {
    async fn fresh(&self) -> Arc<dyn KeyStore> {
        let url = server::database().await;
        Arc::new(PostgresKeyStore::open(&url, master(1), self.0.clone()).await.unwrap())
    }
}

#[tokio::test]
async fn the_store_in_postgresql_conforms() {
    check_all(&Databases(PostgresKeyOptions::default())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_conforms_with_next_to_no_cache_on_many_threads() {
    let keys_cached_max = NonZeroUsize::MIN;
    check_all(&Databases(PostgresKeyOptions { keys_cached_max, ..Default::default() })).await;
}

fn person(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// The same for the same seed.
fn master(seed: u64) -> MasterKey {
    let dir = tempfile::tempdir().unwrap();
    MasterKey::create(&dir.path().join("key"), &SeededEntropy::new(seed)).unwrap()
}

async fn open(url: &str) -> PostgresKeyStore {
    PostgresKeyStore::open(url, master(1), PostgresKeyOptions::default()).await.unwrap()
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

/// The error of what must not succeed.
fn refused<T>(result: Result<T, KeyStoreError>) -> KeyStoreError {
    match result {
        Ok(_) => panic!("this must be refused"),
        Err(error) => error,
    }
}
