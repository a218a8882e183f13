//! Events of other nodes: looked for again and again.
//!
//! The client's subscription is no way to hear of them: when it ends in good order it never comes
//! back. A read always does, and goes on from the last event that was taken in.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::commit::PAGE;
use super::shared::{News, Shared};

const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Reads until the journal is closed.
pub(super) async fn follow(shared: Arc<Shared>, news: mpsc::Sender<News>) {
    let mut failures = 0;
    while shared.ensure_sound().is_ok() && !news.is_closed() {
        let every = shared.options.poll_every;
        // An append that went through has said that there was nothing new.
        let rest = every.saturating_sub(shared.current_for());
        if failures > 0 {
            let longer = every.saturating_mul(1 << u32::min(failures, 6));
            tokio::time::sleep(longer.clamp(every, PAUSE_MAX.max(every))).await;
        } else if !rest.is_zero() {
            tokio::time::sleep(rest).await;
            continue;
        }
        let error = match shared.server.read(shared.next(), PAGE).await {
            Ok(events) if events.is_empty() => {
                shared.is_current();
                None
            }
            Ok(events) => {
                let (done, taken_in) = oneshot::channel();
                if news.send(News { events, done }).await.is_err() {
                    return;
                }
                // Where the next page begins is known only then.
                let Ok(taken) = taken_in.await else { return };
                taken.err()
            }
            Err(failure) => Some(failure.error(&shared.server.place)),
        };
        match error {
            None => failures = 0,
            Some(error) => {
                if failures == 0 {
                    tracing::warn!(%error, "cannot take in new events; still trying");
                }
                failures += 1;
            }
        }
    }
}
