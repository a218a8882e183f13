//! Which node leads a piece of work, where several share one journal.
//!
//! A [`Candidate`] tries to hold one lease and says through its [`Leadership`] how that stands. What
//! a leader decides goes under the lease's fence, so a node that was paused and wakes up as if it
//! still led is refused by the journal.

use std::sync::Arc;
use std::time::{Duration, Instant};

use commands::Timer;
use journal::{Fence, Journal, JournalError};
use tokio::sync::watch;
use uuid::Uuid;

/// How long a lease outlives its owner's last sign of life.
const TTL: Duration = Duration::from_secs(5);
/// How often an owner renews, and others look whether it still does.
const EVERY: Duration = Duration::from_secs(1);

/// Who leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lead {
    /// Another node, or nobody for now.
    Others,
    /// This one, under the fence; without one where no other node can be.
    This(Option<Fence>),
}

/// Says whether this node leads. Clones say the same.
#[derive(Debug, Clone)]
pub struct Leadership(watch::Receiver<Lead>);

impl Leadership {
    /// Of a node that has the journal to itself.
    #[must_use]
    pub fn alone() -> Self {
        // Without a sender it stays as it is.
        Self(watch::channel(Lead::This(None)).1)
    }

    #[must_use]
    pub fn lead(&self) -> Lead {
        self.0.borrow().clone()
    }

    #[must_use]
    pub fn leads(&self) -> bool {
        *self.0.borrow() != Lead::Others
    }

    /// Resolves once this node leads; never if it no longer tries to.
    pub async fn gained(&mut self) {
        if self.0.wait_for(|lead| *lead != Lead::Others).await.is_err() {
            std::future::pending().await
        }
    }

    /// Resolves once this node does not lead, or leads anew; never where it is alone.
    pub async fn lost(&mut self) {
        let now = self.0.borrow_and_update().clone();
        if now == Lead::Others {
            return;
        }
        if self.0.wait_for(|lead| *lead != now).await.is_err() {
            std::future::pending().await
        }
    }
}

/// Tries to hold one lease as long as it runs.
pub struct Candidate {
    journal: Arc<dyn Journal>,
    lease: Arc<str>,
    owner: Uuid,
    tell: watch::Sender<Lead>,
}

impl Candidate {
    /// `owner` names this process and no other. Where the journal grants no leases this node leads
    /// from the start.
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>, lease: &str, owner: Uuid) -> (Self, Leadership) {
        let first = if journal.leases().is_some() { Lead::Others } else { Lead::This(None) };
        let (tell, leadership) = watch::channel(first);
        (Self { journal, lease: lease.into(), owner, tell }, Leadership(leadership))
    }

    /// Runs until the journal closes; dropped, it leaves the lease to run out.
    pub async fn run(self, timer: Arc<dyn Timer>) {
        let Some(leases) = self.journal.leases() else { return };
        let mut held: Option<Instant> = None;
        loop {
            let asked = Instant::now();
            let answer = tokio::select! {
                answer = leases.hold(&self.lease, self.owner, TTL) => answer,
                () = timer.sleep(EVERY) => Err(JournalError::Unavailable("no answer yet".to_owned())),
            };
            match answer {
                Ok(Some(epoch)) => {
                    // From before it was asked: the store's clock began later.
                    held = Some(asked);
                    let fence = Fence { lease: Arc::clone(&self.lease), epoch };
                    self.say(Lead::This(Some(fence)));
                }
                Ok(None) => self.say(Lead::Others),
                Err(JournalError::Closed) => {
                    self.say(Lead::Others);
                    return;
                }
                Err(error) => {
                    tracing::debug!(lease = %self.lease, %error, "lease not renewed");
                    if held.is_none_or(|held| held.elapsed() >= TTL) {
                        self.say(Lead::Others);
                    }
                }
            }
            timer.sleep(EVERY.saturating_sub(asked.elapsed())).await;
        }
    }

    fn say(&self, lead: Lead) {
        self.tell.send_if_modified(|told| {
            if *told == lead {
                return false;
            }
            match &lead {
                Lead::This(_) => tracing::info!(lease = %self.lease, "this node leads"),
                Lead::Others => tracing::info!(lease = %self.lease, "this node leads no longer"),
            }
            *told = lead;
            true
        });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failing test panics")]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

    use chrono::{DateTime, TimeDelta};
    use commands::TokioTimer;
    use journal::MemoryJournal;

    use super::*;

    fn fence(epoch: u64) -> Lead {
        Lead::This(Some(Fence { lease: "agenda".into(), epoch }))
    }

    /// A shared journal whose clock is turned by hand.
    fn shared() -> (Arc<dyn Journal>, Arc<AtomicI64>) {
        let seconds = Arc::new(AtomicI64::new(0));
        let clock = Arc::clone(&seconds);
        let now = move || DateTime::UNIX_EPOCH + TimeDelta::seconds(clock.load(SeqCst));
        (Arc::new(MemoryJournal::new().shared().with_clock(Arc::new(now))), seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn one_node_leads_until_it_is_silent_and_then_another_does() {
        let (journal, seconds) = shared();
        let (first, mut one) = Candidate::new(Arc::clone(&journal), "agenda", Uuid::from_u128(1));
        let (second, mut two) = Candidate::new(Arc::clone(&journal), "agenda", Uuid::from_u128(2));
        let first = tokio::spawn(first.run(Arc::new(TokioTimer)));
        one.gained().await;
        tokio::spawn(second.run(Arc::new(TokioTimer)));
        tokio::time::sleep(EVERY * 10).await;
        assert_eq!((one.lead(), two.lead()), (fence(1), Lead::Others));
        first.abort();
        tokio::time::sleep(EVERY * 2).await;
        assert!(!two.leads(), "the first may still be there");
        seconds.fetch_add(6, SeqCst);
        two.gained().await;
        assert_eq!(two.lead(), fence(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_leader_whose_lease_passed_on_is_told() {
        let (journal, seconds) = shared();
        let (first, mut one) = Candidate::new(Arc::clone(&journal), "agenda", Uuid::from_u128(1));
        tokio::spawn(first.run(Arc::new(TokioTimer)));
        one.gained().await;
        seconds.fetch_add(7, SeqCst);
        let leases = journal.leases().unwrap();
        assert_eq!(leases.hold("agenda", Uuid::from_u128(9), TTL).await.unwrap(), Some(2));
        one.lost().await;
        assert_eq!(one.lead(), Lead::Others);
        seconds.fetch_add(7, SeqCst);
        one.gained().await;
        assert_eq!(one.lead(), fence(3));
    }

    #[tokio::test]
    async fn a_node_that_is_alone_leads_at_once_and_always() {
        let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
        let (candidate, mut alone) = Candidate::new(journal, "agenda", Uuid::from_u128(1));
        candidate.run(Arc::new(TokioTimer)).await;
        for leadership in [&mut alone, &mut Leadership::alone()] {
            leadership.gained().await;
            assert_eq!(leadership.lead(), Lead::This(None));
        }
    }
}
