//! One order, whoever writes: this journal twice, plain SQL, and transactions left open.

use std::collections::BTreeSet;
use std::time::Duration;

use journal::{Category, Journal, Position, PostgresJournal, PostgresOptions, StreamId, Verdict};
use sqlx::{Connection, Executor, Row};
use uuid::Uuid;

use crate::sample::{
    PLAIN_INSERT, all, append, assert_sound, cart, connect, is_committed, open, unit,
};
use test_servers::postgres as server;

/// Reads from its last position on, as a projection does, and checks that nothing was skipped.
async fn read_naively(url: &str, until: i64) -> usize {
    let mut session = connect(url).await;
    let (mut last, mut reads) = (0_i64, 0);
    while last < until {
        let rows = sqlx::query(
            "SELECT position FROM events WHERE position > $1 ORDER BY position LIMIT 100",
        )
        .bind(last)
        .fetch_all(&mut session)
        .await
        .unwrap();
        for row in &rows {
            let position: i64 = row.get(0);
            assert_eq!(position, last + 1, "a reader must never meet a gap");
            last = position;
        }
        reads += usize::from(!rows.is_empty());
    }
    reads
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_naive_reader_meets_no_gap() {
    const ROUNDS: u64 = 60;
    let url = server::database().await;
    let journal = open(&url).await;
    let mut tasks = Vec::new();
    for n in 0..4_u128 {
        let journal = journal.clone();
        tasks.push(tokio::spawn(async move {
            for round in 0..ROUNDS {
                assert!(is_committed(&append(&*journal, unit(&cart(n), round * 2, 2)).await));
            }
        }));
    }
    for n in 0..4_i64 {
        let url = url.clone();
        tasks.push(tokio::spawn(async move {
            let mut session = connect(&url).await;
            for round in 0..ROUNDS as i64 {
                // Two events a transaction, with time between, and a rollback now and then.
                let mut work = session.begin().await.unwrap();
                for k in 1..=2 {
                    sqlx::query(PLAIN_INSERT)
                        .bind("note")
                        .bind(format!("note {n}"))
                        .bind(round * 2 + k)
                        .execute(&mut *work)
                        .await
                        .unwrap();
                    tokio::task::yield_now().await;
                }
                if round % 5 == 0 {
                    work.rollback().await.unwrap();
                    let mut work = session.begin().await.unwrap();
                    for k in 1..=2 {
                        let id = format!("note {n}");
                        let query = sqlx::query(PLAIN_INSERT).bind("note").bind(id);
                        query.bind(round * 2 + k).execute(&mut *work).await.unwrap();
                    }
                    work.commit().await.unwrap();
                } else {
                    work.commit().await.unwrap();
                }
            }
        }));
    }
    let total = 8 * ROUNDS * 2;
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { read_naively(&url, total as i64).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    for reader in readers {
        assert!(reader.await.unwrap() > 1, "it read while others wrote");
    }
    journal.wait_past(Position(total - 1)).await.unwrap();
    let events = all(&*journal).await;
    assert_eq!(events.len() as u64, total);
    assert_sound(&events);
}

#[tokio::test]
async fn an_open_transaction_holds_up_nobody_and_comes_last() {
    let url = server::database().await;
    let journal = open(&url).await;
    let mut other = connect(&url).await;
    let mut work = other.begin().await.unwrap();
    let insert = sqlx::query(PLAIN_INSERT).bind("note").bind("n").bind(1_i64);
    insert.execute(&mut *work).await.unwrap();
    for n in 0..20 {
        assert!(is_committed(&append(&*journal, unit(&cart(1), n, 1)).await));
    }
    let mut third = connect(&url).await;
    let insert = sqlx::query(PLAIN_INSERT).bind("note").bind("m").bind(1_i64);
    insert.execute(&mut third).await.unwrap();
    assert_eq!(journal.wait_past(Position(20)).await.unwrap(), Position(21));
    assert_eq!(all(&*journal).await.len(), 21);
    work.commit().await.unwrap();
    assert_eq!(journal.wait_past(Position(21)).await.unwrap(), Position(22));
    let events = all(&*journal).await;
    assert_sound(&events);
    assert_eq!(events[21].stream, StreamId::of_text(Category::new("note"), "n"));
    assert_eq!((events[21].version, events[21].schema_version), (1, 1));
}

#[tokio::test]
async fn an_open_transaction_on_the_same_stream_harms_no_other_call() {
    let url = server::database().await;
    let journal = open(&url).await;
    append(&*journal, unit(&cart(1), 0, 1)).await;
    let mut other = connect(&url).await;
    let mut work = other.begin().await.unwrap();
    let key = Uuid::from_u128(1).to_string();
    let insert = sqlx::query(PLAIN_INSERT).bind("cart").bind(&key).bind(2_i64);
    insert.execute(&mut *work).await.unwrap();
    // All are asked for at once, so they share a batch.
    let (blocked, good, also) = tokio::join!(
        journal.append(vec![unit(&cart(1), 1, 1)]),
        journal.append(vec![unit(&cart(2), 0, 1)]),
        journal.append(vec![unit(&cart(3), 0, 1)]),
    );
    let said = blocked.expect_err("its place is taken by an open transaction").to_string();
    assert!(said.contains("another program's open transaction"), "{said}");
    assert!(is_committed(&good.unwrap()[0]) && is_committed(&also.unwrap()[0]));
    work.commit().await.unwrap();
    let verdict = append(&*journal, unit(&cart(1), 1, 1)).await;
    assert_eq!(verdict, Verdict::Conflict { stream: cart(1), expected: 1, actual: 2 });
    journal.wait_past(Position(3)).await.unwrap();
    assert_sound(&all(&*journal).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_journals_on_one_database_meet_at_the_expected_versions() {
    let url = server::database().await;
    let journals = [open(&url).await, open(&url).await];
    assert_eq!(journals[0].id(), journals[1].id());
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let journal = journals[n % 2].clone();
            tokio::spawn(async move {
                let (mut won, mut lost, mut version) = (0, 0, 0);
                while won < 25 {
                    match append(&*journal, unit(&cart(1), version, 1)).await {
                        Verdict::Committed { .. } => (won, version) = (won + 1, version + 1),
                        Verdict::Conflict { actual, expected, .. } => {
                            assert_eq!(expected, version);
                            assert!(actual > version, "others only add");
                            (lost, version) = (lost + 1, actual);
                        }
                        other => panic!("{other:?}"),
                    }
                }
                lost
            })
        })
        .collect();
    let mut conflicts = 0;
    for task in tasks {
        conflicts += task.await.unwrap();
    }
    assert!(conflicts > 0, "eight writers of one stream get in each other's way");
    for journal in &journals {
        journal.wait_past(Position(199)).await.unwrap();
        let events = all(&**journal).await;
        assert_eq!(events.len(), 200);
        assert_sound(&events);
        let ids: BTreeSet<_> = events.iter().map(|event| event.id).collect();
        assert_eq!(ids.len(), 200);
    }
    assert_eq!(all(&*journals[0]).await, all(&*journals[1]).await);
}

#[tokio::test]
async fn events_of_others_are_heard_of_without_polling() {
    let url = server::database().await;
    let patient = PostgresOptions { poll_every: Duration::from_secs(86_400), ..Default::default() };
    let reader = PostgresJournal::open(&url, patient).await.unwrap();
    let writer = open(&url).await;
    for n in 0..20 {
        append(&*writer, unit(&cart(1), n, 1)).await;
        assert!(reader.wait_past(Position(n)).await.unwrap().0 > n);
        assert_eq!(reader.read_all(Position(n), 1).await.unwrap()[0].version, n + 1);
    }
}

#[tokio::test]
async fn the_database_refuses_what_would_break_the_order() {
    let url = server::database().await;
    let journal = open(&url).await;
    append(&*journal, unit(&cart(1), 0, 3)).await;
    let mut other = connect(&url).await;
    let insert = |sequence: i64| sqlx::query(PLAIN_INSERT).bind("note").bind("n").bind(sequence);
    for sequence in [0, 2] {
        let said = insert(sequence).execute(&mut other).await.unwrap_err().to_string();
        assert!(said.contains("sequences run 1, 2, 3"), "{said}");
    }
    for position in [5, 100] {
        let sql = format!(
            "INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version, \
             payload, metadata, position) VALUES ('note', 'n', 1, 'Noted', '1', '{{}}', '{{}}', {position})"
        );
        let said = other.execute(&*sql).await.unwrap_err().to_string();
        assert!(said.contains("do not follow the last one"), "{said}");
    }
    for sql in ["DELETE FROM events", "UPDATE events SET payload = '1'", "TRUNCATE events"] {
        let said = other.execute(sql).await.unwrap_err().to_string();
        assert!(said.contains("neither changed nor removed"), "{said}");
    }
    // What does not commit takes no position.
    insert(1).execute(&mut other).await.unwrap();
    journal.wait_past(Position(3)).await.unwrap();
    let events = all(&*journal).await;
    assert_eq!(events.len(), 4);
    assert_sound(&events);
}

#[tokio::test]
async fn a_program_that_may_only_insert_gets_its_positions() {
    let url = server::database().await;
    let journal = open(&url).await;
    let mut session = connect(&url).await;
    // Roles are the whole server's: one is kept for all runs.
    let sql = "DO $$ BEGIN CREATE ROLE tillroll_test_writer; \
               EXCEPTION WHEN duplicate_object THEN NULL; END $$; \
               GRANT INSERT ON events TO tillroll_test_writer; SET ROLE tillroll_test_writer; \
               SET search_path = nowhere; SET synchronous_commit = off";
    session.execute(sql).await.unwrap();
    let insert = PLAIN_INSERT.replace("INTO events", "INTO public.events");
    for n in 1..=3_i64 {
        sqlx::query(&insert).bind("note").bind("n").bind(n).execute(&mut session).await.unwrap();
    }
    assert_eq!(journal.wait_past(Position(2)).await.unwrap(), Position(3));
    assert_sound(&all(&*journal).await);
}

#[tokio::test]
async fn a_stream_taken_for_new_that_is_not_harms_no_other_unit() {
    let url = server::database().await;
    let journal = open(&url).await;
    append(&*journal, unit(&cart(1), 0, 3)).await;
    let conflict = |n, expected, actual| Verdict::Conflict { stream: cart(n), expected, actual };
    let both = |first: (u128, u64), second: (u128, u64)| {
        let mut both = unit(&cart(first.0), first.1, 1);
        both.groups.extend(unit(&cart(second.0), second.1, 1).groups);
        both
    };
    // Found out by the key alone; by a refusal beside it; by the true version later on.
    let verdicts = journal
        .append(vec![unit(&cart(2), 0, 1), unit(&cart(1), 0, 1), unit(&cart(1), 3, 1)])
        .await
        .unwrap();
    assert!(is_committed(&verdicts[0]) && is_committed(&verdicts[2]), "{verdicts:?}");
    assert_eq!(verdicts[1], conflict(1, 0, 3));
    let verdicts = journal
        .append(vec![both((1, 0), (9, 5)), unit(&cart(1), 4, 1), both((3, 0), (1, 0))])
        .await
        .unwrap();
    assert_eq!(verdicts[0], conflict(1, 0, 4), "the first group that is wrong is told");
    assert!(is_committed(&verdicts[1]), "{verdicts:?}");
    assert_eq!(verdicts[2], conflict(1, 0, 5));
    let verdicts = journal.append(vec![unit(&cart(1), 0, 1)]).await.unwrap();
    assert_eq!(verdicts[0], conflict(1, 0, 5));
    let events = all(&*journal).await;
    assert_eq!(events.len(), 6);
    assert_sound(&events);
}
