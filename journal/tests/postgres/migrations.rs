//! The tables: made once, by however many; adopted; refused.

use journal::{
    Category, Journal, JournalError, PostgresJournal, PostgresOptions, StreamId, migrate_postgres,
};
use sqlx::{Executor, Row};

use crate::sample::{all, append, assert_sound, cart, connect, is_committed, open, unit};
use test_servers::postgres as server;

/// As in `postgres-es` 0.5.
const PEER: &str = "CREATE TABLE events (aggregate_type text NOT NULL, aggregate_id text NOT NULL, \
    sequence bigint CHECK (sequence >= 0) NOT NULL, event_type text NOT NULL, \
    event_version text NOT NULL, payload json NOT NULL, metadata json NOT NULL, \
    PRIMARY KEY (aggregate_type, aggregate_id, sequence));";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_make_one_journal() {
    let url = server::database().await;
    let mut made = Vec::new();
    for schema in [None, Some("beside_it")] {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let url = url.clone();
                tokio::spawn(async move { migrate_postgres(&url, schema).await.unwrap() })
            })
            .collect();
        let mut ids = Vec::new();
        for task in tasks {
            ids.push(task.await.unwrap());
        }
        ids.push(migrate_postgres(&url, schema).await.unwrap());
        let schema = schema.map(str::to_owned);
        let options = PostgresOptions { migrate: false, schema, ..PostgresOptions::default() };
        ids.push(PostgresJournal::open(&url, options).await.unwrap().id());
        ids.dedup();
        assert_eq!(ids.len(), 1, "all have made, or found, the same journal");
        made.extend(ids);
    }
    assert_ne!(made[0], made[1], "each schema has a journal of its own");
}

#[tokio::test]
async fn without_leave_to_migrate_nothing_is_made() {
    let url = server::database().await;
    let options = PostgresOptions { migrate: false, ..PostgresOptions::default() };
    let said = PostgresJournal::open(&url, options.clone()).await.unwrap_err().to_string();
    assert!(said.contains("run `tillroll migrate` first"), "{said}");
    assert_eq!(tables(&url).await, Vec::<String>::new());
    migrate_postgres(&url, None).await.unwrap();
    PostgresJournal::open(&url, options).await.unwrap();
}

#[tokio::test]
async fn a_newer_format_is_refused() {
    let url = server::database().await;
    migrate_postgres(&url, None).await.unwrap();
    connect(&url).await.execute("UPDATE tillroll_meta SET format = 99").await.unwrap();
    let refused = migrate_postgres(&url, None).await;
    assert!(matches!(refused, Err(JournalError::NewerFormat { found: 99, .. })), "{refused:?}");
    let refused = PostgresJournal::open(&url, PostgresOptions::default()).await;
    assert!(matches!(refused, Err(JournalError::NewerFormat { found: 99, .. })), "{refused:?}");
}

#[tokio::test]
async fn what_belongs_to_another_program_is_refused_and_left_alone() {
    let others = [
        ("CREATE TABLE customers (id int)", "belongs to another program (it has customers)"),
        ("CREATE TABLE events (id int, what text)", "the table `events` is another program's"),
        (
            &format!("{PEER} INSERT INTO events VALUES ('a', 'b', 2, 'c', '1', '{{}}', '{{}}')"),
            "the events of a b do not run 1, 2, 3",
        ),
    ];
    for (theirs, word) in others {
        let url = server::database().await;
        connect(&url).await.execute(theirs).await.unwrap();
        let before = tables(&url).await;
        let said = migrate_postgres(&url, None).await.unwrap_err().to_string();
        assert!(said.contains(word) && said.contains("nothing was changed"), "{said}");
        assert_eq!(tables(&url).await, before);
        // Beside it there is room in a schema of its own.
        connect(&url).await.execute("CREATE SCHEMA shop").await.unwrap();
        let beside = if url.contains('?') { "&" } else { "?" };
        let beside = format!("{url}{beside}options=-csearch_path%3Dshop");
        let journal = open(&beside).await;
        assert!(is_committed(&append(&*journal, unit(&cart(1), 0, 2)).await));
        assert_eq!(tables(&url).await, before);
    }
}

#[tokio::test]
async fn events_of_a_peer_are_adopted_in_their_order() {
    let url = server::database().await;
    let mut session = connect(&url).await;
    session.execute(PEER).await.unwrap();
    for (stream, sequence) in [("b", 1), ("a", 1), ("b", 2), ("c", 1), ("a", 2), ("b", 3)] {
        let sql = format!(
            "INSERT INTO events VALUES ('note', '{stream}', {sequence}, 'Noted', '1.0', '{{}}', '{{}}')"
        );
        session.execute(&*sql).await.unwrap();
    }
    let journal = open(&url).await;
    assert_eq!(journal.head().0, 6);
    let events = all(&*journal).await;
    assert_sound(&events);
    let order: Vec<_> = events.iter().map(|event| event.stream.key.to_string()).collect();
    assert_eq!(order, ["b", "a", "b", "c", "a", "b"]);
    let b = StreamId::of_text(Category::new("note"), "b");
    assert!(is_committed(&append(&*journal, unit(&b, 3, 1)).await));
    assert_sound(&all(&*journal).await);
}

async fn tables(url: &str) -> Vec<String> {
    let rows = sqlx::query(
        "SELECT table_name || ' ' || column_name FROM information_schema.columns \
         WHERE table_schema = 'public' ORDER BY 1",
    )
    .fetch_all(&mut connect(url).await)
    .await
    .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}
