//! Opening: the server is there, the stream is a log, and the mirror is as far as it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use uuid::Uuid;

use super::client::Server;
use super::commit::{Committer, PAGE};
use super::draft::Draft;
use super::faults::{Failure, gone};
use super::log::{FORMAT, LogEvent};
use super::mirror::Mirror;
use super::options::EventStoreOptions;
use super::place::Place;
use super::shared::Shared;
use super::{diagnose, follow};
use crate::{Journal, JournalError, JournalId};

/// How long a server that listens is given to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn start(
    place: Place,
    options: EventStoreOptions,
    end: std::sync::mpsc::Sender<()>,
) -> Result<Arc<Shared>, JournalError> {
    let server = Server::new(place, options.answer_within)?;
    let id = identify(&server, options.embedded.id).await?;
    let (mirror, fold) = Mirror::open(&options.mirror, &options.embedded, id)?;
    let (pass, passing) = mpsc::channel(16);
    let shared = Arc::new(Shared::new(id, server, options, mirror, pass));
    let mut committer = Committer::new(Arc::clone(&shared), fold);
    catch_up(&shared, &mut committer).await?;
    let (tell, news) = mpsc::channel(1);
    let following = tokio::spawn(follow::follow(Arc::clone(&shared), tell));
    let committing = tokio::spawn(committer.run(news, passing));
    let watched = Arc::clone(&shared);
    tokio::spawn(async move {
        if let Err(error) = committing.await {
            tracing::error!(%error, "the committing task has failed");
            watched.queue.close();
            watched.queue.expire(
                Duration::ZERO,
                &JournalError::Unavailable("the committing task has failed".to_owned()),
            );
            watched.mirror.close().await;
            watched.close();
        }
        following.abort();
        // Nobody waits for this unless the journal is being dropped.
        let _ = end.send(());
    });
    Ok(shared)
}

/// The id of the log, which is begun if there is none.
/// A log that is begun here gets the id that is wanted, if one is.
async fn identify(server: &Server, wanted: Option<JournalId>) -> Result<JournalId, JournalError> {
    let place = &server.place;
    loop {
        if let Some(first) = read(server, 0, 1).await?.first() {
            let holds_others = || {
                JournalError::Unavailable(format!(
                    "the stream {} on {} is not a tillroll journal: name another by `&stream=NAME` \
                     in the URL",
                    place.stream, place.hosts
                ))
            };
            if first.place != 0 {
                return Err(first.corrupt(
                    "the log's beginning was cut off ($maxCount, $maxAge, $tb, or the stream was \
                     deleted): restore it from a backup of the server",
                ));
            }
            let opening = first.opening()?.ok_or_else(holds_others)?;
            if opening.format > FORMAT {
                return Err(JournalError::NewerFormat { found: opening.format, supported: FORMAT });
            }
            return Ok(opening.journal);
        }
        let opening = Draft::opening(wanted.unwrap_or_else(Uuid::now_v7))?;
        match server.append(0, &[opening]).await {
            // Another node may begin it at the same time: whoever is first does.
            Ok(()) | Err(Failure::Moved) => {}
            Err(Failure::Refused(error)) => return Err(error),
            // It shows when it is read.
            Err(failure) => tracing::debug!(?failure, "beginning the log"),
        }
    }
}

async fn catch_up(shared: &Shared, committer: &mut Committer) -> Result<(), JournalError> {
    let (server, mirror) = (&shared.server, &shared.mirror);
    if let Some(last) = committer.fold.next.checked_sub(1) {
        let there = read(server, last, 1).await?;
        if there.first().map(|event| event.id) != Some(committer.fold.last) {
            return Err(mirror.ahead(committer.fold.position));
        }
    }
    let began = Instant::now();
    let mut told = began;
    loop {
        let events = read(server, committer.fold.next, PAGE).await?;
        if events.is_empty() {
            break;
        }
        committer.take_in(events).await?;
        if told.elapsed() > Duration::from_secs(5) {
            told = Instant::now();
            tracing::info!(events = committer.fold.next, "the mirror is being filled");
        }
    }
    shared.is_current();
    mirror.note(&committer.fold, began.elapsed() > Duration::from_secs(1));
    if mirror.journal.head().0 > committer.fold.position {
        return Err(mirror.ahead(committer.fold.position + 1));
    }
    Ok(())
}

/// Reads, and again if that fails for a reason that may pass.
async fn read(server: &Server, from: u64, max: usize) -> Result<Vec<LogEvent>, JournalError> {
    let asked = Instant::now();
    loop {
        let failure = match server.read(from, max).await {
            Ok(events) => return Ok(events),
            Err(Failure::Missing) if from == 0 => return Ok(Vec::new()),
            Err(Failure::Missing) => return Err(gone(&server.place)),
            Err(Failure::Refused(error)) => return Err(error),
            Err(failure) => failure,
        };
        if let Failure::Unknown(said) = &failure {
            diagnose::explain(&server.place, said).await?;
        }
        if asked.elapsed() >= ANSWER_WITHIN {
            return Err(failure.error(&server.place));
        }
        tokio::time::sleep(PAUSE).await;
    }
}
