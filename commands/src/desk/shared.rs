//! What the desk does besides where other processes append to the same journal: it follows what
//! they change, and lets commands that have to be read in step aside.

use super::{Cache, CommandError, Desk, Job, Pending, answer};
use crate::loading::Loaded;

/// Events of the log looked through at a time for what others have changed.
const FOLLOW_EVENTS: usize = 4_096;
/// With more than this to look through it is cheaper to forget everything.
const FOLLOW_MAX: u64 = 65_536;

/// A command whose streams have been read in.
pub(super) struct Ready {
    pub(super) job: Job,
    pub(super) attempts: u32,
    pub(super) loaded: Result<Loaded, CommandError>,
}

impl Desk {
    /// Forgets what others have changed, so that decisions rest on states that are about as new as
    /// the log. Whatever is missed here the journal refuses.
    pub(super) async fn follow(&mut self) {
        let head = self.journal.head();
        if !self.shared || head <= self.followed {
            return;
        }
        if head.0 - self.followed.0 > FOLLOW_MAX {
            self.cache = Cache::new();
            self.cache.durable_through(self.batch - 1);
            self.followed = head;
        }
        while self.followed < head {
            match self.journal.read_all(self.followed, FOLLOW_EVENTS).await {
                Ok(events) => {
                    let Some(last) = events.last() else { return };
                    self.followed = last.position;
                    for event in &events {
                        if self.cache.version(&event.stream).is_some_and(|v| v < event.version) {
                            self.cache.remove(&event.stream);
                        }
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "what others have changed cannot be read just now");
                    return;
                }
            }
        }
    }

    /// Decides a command that had stepped aside.
    pub(super) async fn go_on(&mut self, ready: Ready) {
        let Ready { job, attempts, loaded } = ready;
        match loaded {
            Ok(loaded) => {
                for (stream, entry) in loaded {
                    // What came into memory meanwhile is as new, and may be ahead of the journal.
                    if self.cache.version(&stream).is_none() {
                        self.cache.insert(stream, entry);
                    }
                }
                self.decide(job, attempts.max(1)).await;
            }
            Err(error) => {
                let pending = Pending { job, attempts, unit: None, refusal: None };
                answer(pending, self.journal.head(), Some(error));
            }
        }
    }
}
