//! What goes wrong on the way to a server, told so that it can be put right.

use journal::{
    Category, Journal, JournalError, PostgresJournal, PostgresOptions, StreamId, StreamKey,
};
use sqlx::Executor;

use crate::sample::{all, cart, connect, open, unit};
use test_servers::postgres::{self as server, Server};

async fn refused(url: &str) -> String {
    let opened = PostgresJournal::open(url, PostgresOptions::default()).await;
    match opened.expect_err("this must not open") {
        JournalError::Unavailable(said) => said,
        other => panic!("unavailable, not {other:?}"),
    }
}

fn says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "`{word}` is not in: {said}");
    }
    assert!(!said.contains("secret"), "a password must not be told: {said}");
}

#[tokio::test]
async fn every_way_to_be_turned_away_says_what_to_do() {
    let server = server::shared();
    says(&refused("mysql://me:secret@x/y").await, &["not a PostgreSQL URL", "postgres://USER"]);
    let url = server.url_tcp("postgres:secret", "postgres");
    says(&refused(&url).await, &["refuses the password of user postgres", "URL"]);
    let url = server.url_tcp("postgres:right", "nowhere");
    says(&refused(&url).await, &["no such database", "createdb"]);
    let url = server.url_tcp("postgres:right", "postgres") + "?sslmode=require";
    says(&refused(&url).await, &["no TLS with", "sslmode=prefer"]);
    says(
        &refused("postgres://me:secret@127.0.0.1:1/x").await,
        &["nobody listens at 127.0.0.1:1/x"],
    );
    let url = "postgres://localhost:5432/x?host=/nowhere";
    says(&refused(url).await, &["no PostgreSQL socket at /nowhere"]);
    connect(&server.url("postgres"))
        .await
        .execute("CREATE ROLE sealed LOGIN PASSWORD 'secret'")
        .await
        .unwrap();
    let url = server.url_tcp("sealed:secret", "postgres");
    says(&refused(&url).await, &["does not let user sealed in", "pg_hba.conf"]);
}

#[tokio::test]
async fn a_server_that_demands_tls_says_so() {
    // Without the rule that rejects, the one that wants TLS is all there is.
    let server = Server::start_with("hostssl all postgres 127.0.0.1/32 scram-sha-256\n");
    let said = refused(&server.url_tcp("postgres:right", "postgres")).await;
    says(&said, &["demands TLS", "sslmode=require"]);
}

#[tokio::test]
async fn what_postgresql_cannot_keep_is_invalid_and_harms_no_other() {
    let url = server::database().await;
    let journal = open(&url).await;
    let category = Category::new("cart");
    let long = StreamId::of_text(category, &"k".repeat(3_000));
    let nul = StreamId { category, key: StreamKey::Text("a\0b".into()) };
    let mut late = unit(&cart(9), 0, 1);
    late.groups[0].events[0].occurred = chrono::DateTime::<chrono::Utc>::MAX_UTC;
    for broken in [unit(&long, 0, 1), unit(&nul, 0, 1), late] {
        let (good, bad) = tokio::join!(
            journal.append(vec![unit(&cart(journal.head().0.into()), 0, 1)]),
            journal.append(vec![broken]),
        );
        assert!(matches!(bad, Err(JournalError::Invalid(_))), "{bad:?}");
        good.unwrap();
    }
    // JSON that this side takes and the server does not: found out by the server.
    let mut odd = unit(&cart(77), 0, 1);
    let deep = 120;
    odd.groups[0].events[0].payload = format!("{}{}", "[".repeat(deep), "]".repeat(deep)).into();
    let (good, fine) =
        tokio::join!(journal.append(vec![unit(&cart(50), 0, 1)]), journal.append(vec![odd]),);
    good.unwrap();
    fine.unwrap();
    assert_eq!(all(&*journal).await.len(), 5);
}

#[tokio::test]
async fn a_lost_privilege_is_named() {
    let url = server::database().await;
    let journal = open(&url).await;
    connect(&url).await.execute("DROP FUNCTION tillroll_append").await.unwrap();
    let said = journal.append(vec![unit(&cart(1), 0, 1)]).await.unwrap_err().to_string();
    says(&said, &["not as they were made", "migrate"]);
    journal.close().await.unwrap();
}
