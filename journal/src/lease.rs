//! Leases: which of the processes that share a journal leads a piece of work.
//!
//! A lease ends by itself when its owner stops renewing it, but an owner that was paused cannot
//! know that it has. So each change of owner raises the lease's epoch, and what a leader appends
//! carries the epoch it leads by ([`Fence`]): the journal refuses it once the lease has passed on.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use crate::JournalError;

/// Counts the owners a lease has had, from 1.
pub type Epoch = u64;

/// The lease that something is done under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    pub lease: Arc<str>,
    pub epoch: Epoch,
}

/// Grants leases by the clock of the store that is shared.
#[async_trait]
pub trait Leases: Send + Sync {
    /// Takes the lease for `owner`, or renews it, until `ttl` from now; `None` while another owner
    /// holds it. The epoch is the same for as long as no other owner comes in between. Before a new
    /// epoch is granted, all that the last one let through MUST be visible, and nothing more of
    /// it may become so.
    async fn hold(
        &self,
        lease: &str,
        owner: Uuid,
        ttl: Duration,
    ) -> Result<Option<Epoch>, JournalError>;

    /// Ends the lease if `owner` holds it, so that another can take it at once.
    async fn release(&self, lease: &str, owner: Uuid) -> Result<(), JournalError>;
}
