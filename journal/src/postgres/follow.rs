//! Events of other writers: the server tells of them, and polling finds what it did not tell.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use sqlx::postgres::PgListener;

use super::read;
use super::shared::Shared;
use crate::JournalError;
use crate::held::hold;

const CHANNEL: &str = "tillroll_journal";
/// How often to poll while the server cannot tell of news.
const POLL_DEAF: Duration = Duration::from_millis(50);
/// Events read at once on the way to the head.
const PAGE: usize = 1_000;
/// A server that has not said by then where the journal ends is out of reach.
const LOOK_WITHIN: Duration = Duration::from_secs(3);
/// How long to wait before a failed attempt is repeated.
const PAUSE: Duration = Duration::from_millis(200);

/// Keeps the head and the newest events up to date, until it is dropped.
pub(super) async fn follow(shared: Arc<Shared>) {
    let mut failing = false;
    loop {
        let pause = if shared.listening.load(Relaxed) {
            shared.options.poll_every
        } else {
            shared.options.poll_every.min(POLL_DEAF)
        };
        // Both ends mean: look.
        let _ = tokio::time::timeout(pause, shared.news.notified()).await;
        let looked = match tokio::time::timeout(LOOK_WITHIN, catch_up(&shared)).await {
            Ok(looked) => looked,
            Err(_) => Err(JournalError::Unavailable("PostgreSQL does not answer".to_owned())),
        };
        match looked {
            Ok(()) => {
                failing = false;
                *hold(&shared.away) = None;
            }
            Err(error) => {
                if shared.queue.is_closed() {
                    return;
                }
                *hold(&shared.away) = Some(error.to_string());
                if !failing {
                    tracing::warn!(%error, "cannot look for new events; still trying");
                }
                failing = true;
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn catch_up(shared: &Shared) -> Result<(), JournalError> {
    let head = read::head(&shared.pool).await?;
    let known = shared.head();
    if head.saturating_sub(known) > shared.options.tail_events as u64 {
        // Too many to keep: whoever needs them reads them from the table.
        shared.saw(head);
        return Ok(());
    }
    let mut after = known;
    while after < head {
        let events = read::forwards(&shared.pool, after, head, PAGE).await?;
        let Some(last) = events.last() else { break };
        after = last.position.0;
        shared.publish(events);
    }
    Ok(())
}

/// Listens to the server, until it is dropped.
pub(super) async fn listen(shared: Arc<Shared>) {
    loop {
        if let Err(error) = hear(&shared).await {
            tracing::debug!(%error, "not listening for appends; polling instead");
        }
        shared.listening.store(false, Relaxed);
        shared.news.notify_one();
        tokio::time::sleep(PAUSE).await;
    }
}

/// Returns when the session is lost.
async fn hear(shared: &Shared) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(&shared.pool).await?;
    listener.listen(CHANNEL).await?;
    shared.listening.store(true, Relaxed);
    // What was appended before that was told to nobody here.
    shared.news.notify_one();
    while let Some(told) = listener.try_recv().await? {
        // What this journal commits it has published itself.
        if i64::from(told.process_id()) != i64::from(shared.committing.load(Relaxed)) {
            shared.news.notify_one();
        }
    }
    Ok(())
}
