//! How far a relay is, for metrics and for people.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use journal::{Journal, Position};
use tokio::sync::watch;

/// What a relay is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RelayState {
    /// Not running, or not yet.
    #[default]
    Idle,
    /// Another node's relay is at work.
    Standby,
    /// At work.
    Leading,
    /// Waiting for something to become right again; the text says for what.
    Troubled(String),
}

/// What a relay has done since it was opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RelayProgress {
    pub state: RelayState,
    /// All up to here is published, as far as this relay knows.
    pub position: Position,
    /// Messages published.
    pub published: u64,
    /// Events passed over because nobody can read them.
    pub unreadable: u64,
    /// Times something failed and was tried again.
    pub retries: u64,
    /// When the oldest event that is not published was recorded; `None` when there is none, or
    /// another relay is at work.
    pub oldest_waiting: Option<DateTime<Utc>>,
}

/// Looks at a relay from outside.
#[derive(Clone)]
pub struct RelayHandle {
    progress: Arc<watch::Sender<RelayProgress>>,
    journal: Arc<dyn Journal>,
}

impl RelayHandle {
    pub(super) fn new(journal: Arc<dyn Journal>) -> Self {
        Self { progress: Arc::new(watch::Sender::new(RelayProgress::default())), journal }
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut RelayProgress)) {
        self.progress.send_modify(change);
    }

    #[must_use]
    pub fn progress(&self) -> RelayProgress {
        self.progress.borrow().clone()
    }

    /// How many positions the relay is behind the head: events, where positions are dense. `None`
    /// while another node's relay is at work, which knows better.
    #[must_use]
    pub fn lag(&self) -> Option<u64> {
        let progress = self.progress.borrow();
        let knows = !matches!(progress.state, RelayState::Idle | RelayState::Standby);
        knows.then(|| self.journal.head().0.saturating_sub(progress.position.0))
    }

    /// Resolves once everything up to `position` is published; never, if the relay ends before.
    pub async fn reached(&self, position: Position) {
        let mut progress = self.progress.subscribe();
        if progress.wait_for(|progress| progress.position >= position).await.is_err() {
            std::future::pending().await
        }
    }
}
