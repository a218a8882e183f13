//! The time in which this relay is the one at work.

use std::sync::Arc;
use std::time::Duration;

use commands::Timer;
use journal::{Journal, JournalError, Leases};
use uuid::Uuid;

use super::LEASE;

/// Holds the lease of a shared journal; where one process alone has the journal, there is none.
#[derive(Clone)]
pub(super) struct Term {
    pub(super) journal: Arc<dyn Journal>,
    pub(super) timer: Arc<dyn Timer>,
    pub(super) owner: Uuid,
    pub(super) ttl: Duration,
    pub(super) renew: Duration,
    pub(super) retry: Duration,
}

impl Term {
    /// Whether this relay may work now.
    pub(super) async fn take(&self) -> Result<bool, JournalError> {
        match self.journal.leases() {
            Some(leases) => self.hold(leases).await,
            None => Ok(true),
        }
    }

    /// Resolves when this relay may work no more. Renews the lease until then.
    pub(super) async fn lost(&self) {
        let Some(leases) = self.journal.leases() else { return std::future::pending().await };
        loop {
            self.timer.sleep(self.renew).await;
            // By then the lease that was taken before the pause may have run out.
            let left = self.ttl.saturating_sub(self.renew * 2);
            tokio::select! {
                biased;
                held = self.renewed(leases) => if !held { return },
                () = self.timer.sleep(left) => return,
            }
        }
    }

    /// Lets another node take over at once.
    pub(super) async fn end(&self) {
        let Some(leases) = self.journal.leases() else { return };
        // If it does not work, the lease runs out by itself.
        tokio::select! {
            biased;
            _ = leases.release(LEASE, self.owner) => {}
            () = self.timer.sleep(Duration::from_secs(1)) => {}
        }
    }

    async fn hold(&self, leases: &dyn Leases) -> Result<bool, JournalError> {
        Ok(leases.hold(LEASE, self.owner, self.ttl).await?.is_some())
    }

    /// Whether the lease is still ours; an error is no answer, and is asked again.
    async fn renewed(&self, leases: &dyn Leases) -> bool {
        loop {
            match self.hold(leases).await {
                Ok(held) => return held,
                Err(JournalError::Closed) => return false,
                Err(error) => {
                    tracing::debug!(%error, "relay: the lease could not be renewed");
                    self.timer.sleep(self.retry).await;
                }
            }
        }
    }
}
