//! The server goes away in the middle of appends and comes back: nothing that was acknowledged is
//! lost, nothing is there twice, and what is not known is found out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use journal::{
    Journal, JournalError, Position, PostgresJournal, PostgresOptions, Recorded, Verdict,
};
use sqlx::{Executor, Row};
use tokio::sync::Notify;

use crate::sample::{all, append, assert_sound, cart, connect, is_committed, unit};
use test_servers::postgres::{self as server, Server};

async fn open_with(url: &str, patience: Duration) -> Arc<PostgresJournal> {
    let options = PostgresOptions { patience, ..PostgresOptions::default() };
    Arc::new(PostgresJournal::open(url, options).await.unwrap())
}

struct Writing {
    stop: AtomicBool,
    acknowledged: AtomicU64,
}

/// Appends to a stream of its own until it is stopped. The only writer of a stream meets no
/// conflict, unless an append took effect of which it was told otherwise.
async fn write(
    journal: Arc<PostgresJournal>,
    n: u128,
    writing: Arc<Writing>,
) -> Vec<(Position, uuid::Uuid)> {
    let mut kept = Vec::new();
    let mut version = 0;
    while !writing.stop.load(Ordering::Relaxed) {
        let unit = unit(&cart(n), version, 2);
        let id = unit.groups[0].events[0].id;
        match journal.append(vec![unit]).await.as_deref() {
            Ok([Verdict::Committed { first, .. }]) => {
                kept.push((*first, id));
                version += 2;
                writing.acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            other => panic!("every append is answered for good: {other:?}"),
        }
    }
    kept
}

async fn acknowledged_past(writing: &Writing, more: u64) {
    let wanted = writing.acknowledged.load(Ordering::Relaxed) + more;
    while writing.acknowledged.load(Ordering::Relaxed) < wanted {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn assert_kept(events: &[Recorded], kept: &[(Position, uuid::Uuid)]) {
    let by_position: BTreeMap<_, _> = events.iter().map(|e| (e.position, e.id)).collect();
    for (position, id) in kept {
        assert_eq!(by_position.get(position), Some(id), "acknowledged at {position:?} and lost");
    }
    // Two events each, and no append of which its writer did not hear.
    assert_eq!(events.len(), kept.len() * 2, "each append is there once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_stopped_and_started_again_costs_nothing_but_time() {
    let mut server = Server::start();
    let url = server.url("postgres");
    let journal = open_with(&url, Duration::from_secs(300)).await;
    let writing =
        Arc::new(Writing { stop: AtomicBool::new(false), acknowledged: AtomicU64::new(0) });
    let writers: Vec<_> =
        (0..8).map(|n| tokio::spawn(write(journal.clone(), n, writing.clone()))).collect();
    for how in ["immediate", "fast", "immediate"] {
        acknowledged_past(&writing, 100).await;
        let halted = tokio::task::spawn_blocking(move || {
            server.halt(how);
            server.run();
            server
        });
        server = halted.await.unwrap();
    }
    acknowledged_past(&writing, 100).await;
    writing.stop.store(true, Ordering::Relaxed);
    let mut kept = Vec::new();
    for writer in writers {
        kept.extend(writer.await.unwrap());
    }
    let events = all(&*journal).await;
    assert_sound(&events);
    assert_kept(&events, &kept);
    assert!(journal.stats().reopens > 0, "the server went away in the middle of an append");
    // News still come in.
    let other = open_with(&url, Duration::from_secs(5)).await;
    append(&*other, unit(&cart(99), 0, 1)).await;
    journal.wait_past(Position(events.len() as u64)).await.unwrap();
    journal.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_ended_in_the_middle_leave_no_append_in_doubt() {
    let url = server::database().await;
    let journal = open_with(&url, Duration::from_secs(300)).await;
    let writing =
        Arc::new(Writing { stop: AtomicBool::new(false), acknowledged: AtomicU64::new(0) });
    let writers: Vec<_> =
        (0..8).map(|n| tokio::spawn(write(journal.clone(), n, writing.clone()))).collect();
    let mut session = connect(&url).await;
    for _ in 0..30 {
        acknowledged_past(&writing, 20).await;
        session
            .execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE \
                 application_name = 'tillroll' AND datname = current_database()",
            )
            .await
            .unwrap();
    }
    acknowledged_past(&writing, 20).await;
    writing.stop.store(true, Ordering::Relaxed);
    let mut kept = Vec::new();
    for writer in writers {
        kept.extend(writer.await.unwrap());
    }
    let events = all(&*journal).await;
    assert_sound(&events);
    assert_kept(&events, &kept);
}

/// The network between: passes bytes on, and can cut the way back just when an answer comes.
async fn proxy(to: (String, u16), deaf: Arc<AtomicBool>, cut: Arc<Notify>) -> u16 {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (to, deaf, cut) = (to.clone(), deaf.clone(), cut.clone());
            tokio::spawn(async move {
                let server = tokio::net::TcpStream::connect((&*to.0, to.1)).await.unwrap();
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                tokio::spawn(async move {
                    let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
                });
                let mut bytes = [0; 65_536];
                loop {
                    let read = tokio::select! {
                        read = from_server.read(&mut bytes) => read,
                        () = cut.notified() => return,
                    };
                    let Ok(count @ 1..) = read else { return };
                    if deaf.load(Ordering::SeqCst) {
                        return;
                    }
                    if to_client.write_all(&bytes[..count]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_append_whose_answer_is_cut_off_is_found_to_have_taken_effect() {
    let server = Server::start();
    let deaf = Arc::new(AtomicBool::new(false));
    let port = proxy(server.address(), deaf.clone(), Arc::default()).await;
    let url = format!("postgres://postgres:right@127.0.0.1:{port}/postgres");
    let journal = open_with(&url, Duration::from_secs(300)).await;
    for n in 0..10 {
        append(&*journal, unit(&cart(1), n * 2, 1)).await;
        deaf.store(true, Ordering::SeqCst);
        let appending = {
            let journal = journal.clone();
            tokio::spawn(async move {
                // A conflict in the same batch: the other is rightly refused after the outage too.
                let unit = vec![unit(&cart(1), n * 2 + 1, 1), unit(&cart(2), 7, 1)];
                journal.append(unit).await.unwrap()
            })
        };
        // It has taken effect, as others see; its answer never comes.
        let mut other = connect(&server.url("postgres")).await;
        loop {
            let row = sqlx::query("SELECT count(*) FROM events").fetch_one(&mut other).await;
            let there = row.unwrap().get::<i64, _>(0) as u64 == n * 2 + 2;
            if there && journal.stats().reopens == n + 1 {
                break;
            }
        }
        deaf.store(false, Ordering::SeqCst);
        let verdicts = appending.await.unwrap();
        let at = Position(n * 2 + 2);
        assert_eq!(verdicts[0], Verdict::Committed { first: at, last: at });
        let refused = Verdict::Conflict { stream: cart(2), expected: 7, actual: 0 };
        assert_eq!(verdicts[1], refused);
        assert!(journal.head() >= at);
    }
    assert_sound(&all(&*journal).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn with_patience_at_its_end_an_append_is_unavailable() {
    let mut server = Server::start();
    let journal = open_with(&server.url("postgres"), Duration::ZERO).await;
    assert!(is_committed(&append(&*journal, unit(&cart(1), 0, 1)).await));
    server.halt("fast");
    for _ in 0..3 {
        let answer = journal.append(vec![unit(&cart(1), 1, 1)]).await;
        assert!(matches!(answer, Err(JournalError::Unavailable(_))), "{answer:?}");
    }
    assert_eq!(journal.read_all(Position(0), 1).await.unwrap().len(), 1, "served from memory");
    server.run();
    while journal.append(vec![unit(&cart(1), 1, 1)]).await.is_err() {}
    assert_eq!(all(&*journal).await.len(), 2);
    // Closing while it is away does not hang.
    server.halt("fast");
    journal.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_append_that_still_waits_on_a_lost_session_takes_effect_once() {
    let server = Server::start();
    let cut = Arc::new(Notify::new());
    let port = proxy(server.address(), Arc::default(), cut.clone()).await;
    let url = format!("postgres://postgres:right@127.0.0.1:{port}/postgres");
    let journal = open_with(&url, Duration::from_secs(300)).await;
    let mut holder = connect(&server.url("postgres")).await;
    holder.execute("BEGIN; SELECT tillroll_order_lock()").await.unwrap();
    let appending = {
        let journal = journal.clone();
        tokio::spawn(async move { append(&*journal, unit(&cart(1), 0, 1)).await })
    };
    let mut observer = connect(&server.url("postgres")).await;
    let mut waiting = async |but: i32| loop {
        let sql = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        let rows = sqlx::query(sql).fetch_all(&mut observer).await.unwrap();
        let mut pids = rows.iter().map(|row| row.get::<i32, _>(0));
        if let Some(pid) = pids.find(|pid| *pid != but) {
            return pid;
        }
    };
    let lost = waiting(0).await;
    // The server does not notice: the process goes on waiting, and would append when it is let.
    cut.notify_waiters();
    waiting(lost).await;
    holder.execute("COMMIT").await.unwrap();
    let verdict = appending.await.unwrap();
    let at = Position(1);
    assert_eq!(verdict, Verdict::Committed { first: at, last: at });
    assert_eq!(all(&*journal).await.len(), 1);
}
