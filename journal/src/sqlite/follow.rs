//! Reading beside a writer in another process: what it commits is found by asking.

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::shared::{Shared, complete_heads};
use super::{chunks, file};
use crate::JournalError;
use crate::held::hold;

/// How often a waiting reader looks for news.
const POLL: Duration = Duration::from_millis(50);

/// How far the heads in memory go, in a journal someone else writes.
#[derive(Debug, Default)]
pub(super) struct Followed {
    heads_through: u64,
    saved_through: u64,
}

/// Finds the head anew.
pub(super) fn refresh(shared: &Shared) -> Result<(), JournalError> {
    let head = shared.with_reader(|reader| chunks::last(&reader.connection))?.0;
    shared.progress.send_if_modified(|progress| {
        let news = head > progress.head;
        progress.head = progress.head.max(head);
        news
    });
    Ok(())
}

/// Takes note of stream heads which the writer has not saved in the table yet.
pub(super) fn refresh_heads(
    shared: &Shared,
    followed: &Mutex<Followed>,
) -> Result<(), JournalError> {
    refresh(shared)?;
    let mut followed = hold(followed);
    let head = shared.head();
    if followed.heads_through >= head {
        return Ok(());
    }
    shared.with_reader(|reader| {
        let saved: i64 = file::meta(&reader.connection, "heads_saved_through")?;
        let saved = saved as u64;
        let mut heads = hold(&shared.heads);
        if saved > followed.saved_through {
            heads.saved_elsewhere(saved);
            followed.saved_through = saved;
        }
        let from = followed.heads_through.max(saved);
        complete_heads(
            &reader.connection,
            &shared.shelf,
            &mut reader.names,
            &mut heads,
            from,
            head,
        )?;
        followed.heads_through = head.max(from);
        Ok(())
    })
}

/// A thread which looks for news while someone waits for them. Ends when the journal closes.
pub(super) fn spawn(shared: Arc<Shared>) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("journal-follow".to_owned()).spawn(move || {
        while !shared.progress.borrow().closed {
            if shared.progress.receiver_count() > 0
                && let Err(error) = refresh(&shared)
            {
                tracing::warn!(%error, "could not look for new events");
            }
            std::thread::park_timeout(POLL);
        }
    })
}
