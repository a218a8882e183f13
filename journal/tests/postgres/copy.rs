//! A journal goes from memory to a file, to PostgreSQL and back to a file, and is the same everywhere.

use journal::{
    Copied, CopyError, CopyOptions, Journal, Options, Position, PostgresJournal, PostgresOptions,
    SqliteJournal, check_copy, copy, migrate_postgres, verify,
};
use sqlx::Executor;
use tempfile::TempDir;
use test_servers::postgres as server;
use uuid::Uuid;

use crate::sample::connect;
use crate::varied::{everything, varied};

async fn target(url: &str, id: Uuid) -> PostgresJournal {
    let options = PostgresOptions { id: Some(id), ..PostgresOptions::default() };
    PostgresJournal::open(url, options).await.unwrap()
}

async fn copied(source: &dyn Journal, target: &dyn Journal) -> Copied {
    copy(source, target, &CopyOptions { batch_events: 700 }, &mut |_| ()).await.unwrap()
}

async fn checked(copied: &Copied, target: &dyn Journal) -> Result<(), CopyError> {
    check_copy(copied, target, &CopyOptions::default(), &mut |_| ()).await
}

#[tokio::test]
async fn a_journal_that_goes_round_is_the_same_event_by_event() {
    let source = varied(5_000).await;
    let events = everything(&source).await;
    let dir = TempDir::new().unwrap();
    let file = |name: &str| {
        let options = Options { id: Some(source.id()), ..Options::default() };
        SqliteJournal::open(&dir.path().join(name), options).unwrap()
    };
    let first = file("first");
    let mut digests = vec![copied(&source, &first).await.digest];
    // An empty database that was migrated already takes the journal's id too.
    let url = server::database().await;
    migrate_postgres(&url, None).await.unwrap();
    let database = target(&url, source.id()).await;
    digests.push(copied(&first, &database).await.digest);
    let last = file("last");
    let done = copied(&database, &last).await;
    digests.push(done.digest);
    digests.dedup();
    assert_eq!(digests.len(), 1);
    for journal in [&first as &dyn Journal, &database, &last] {
        assert_eq!(journal.id(), source.id());
        assert_eq!(everything(journal).await, events);
    }
    last.close().await.unwrap();
    database.close().await.unwrap();
    checked(&done, &target(&url, source.id()).await).await.unwrap();
    checked(&done, &file("last")).await.unwrap();
    assert!(verify(&dir.path().join("last"), |_, _| ()).unwrap().is_sound());
}

#[tokio::test]
async fn a_database_with_events_keeps_its_id() {
    let url = server::database().await;
    let source = varied(10).await;
    copied(&source, &target(&url, source.id()).await).await;
    let other = target(&url, Uuid::from_u128(7)).await;
    assert_eq!(other.id(), source.id());
}

#[tokio::test]
async fn one_changed_letter_in_the_target_is_noticed() {
    let url = server::database().await;
    let (part, whole) = (varied(1_000).await, varied(2_000).await);
    let database = target(&url, whole.id()).await;
    let done = copied(&part, &database).await;
    checked(&done, &target(&url, whole.id()).await).await.unwrap();
    let change = "ALTER TABLE events DISABLE TRIGGER ALL; \
        UPDATE events SET payload = replace(payload::text, '1.0e0', '2.0e0')::json \
        WHERE position = 777; ALTER TABLE events ENABLE TRIGGER ALL";
    connect(&url).await.execute(change).await.unwrap();
    let database = target(&url, whole.id()).await;
    let refused = checked(&done, &database).await.unwrap_err();
    assert!(matches!(refused, CopyError::NotAsCopied { .. }), "{refused}");
    let head = database.head();
    let refused = copy(&whole, &database, &CopyOptions::default(), &mut |_| ()).await.unwrap_err();
    let at = Position(777);
    assert!(matches!(refused, CopyError::Differs { at: found, what: "payload" } if found == at));
    assert_eq!(database.head(), head, "nothing is added to it");
}
