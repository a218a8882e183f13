//! What the engine needs of the world besides a disk: time, ids, and somebody to run its tasks.
//!
//! Each is a port so that the whole engine below HTTP can run in one thread under a seed.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::Timestamp;
use futures::future::BoxFuture;
use uuid::Uuid;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The time now, in UTC. MUST never go back by more than the caller can bear; the bus itself
    /// never records an earlier time after a later one.
    fn now(&self) -> Timestamp;
}

/// Makes ids that never repeat and sort by time (UUID version 7).
pub trait IdSource: Send + Sync {
    fn next(&self, now: Timestamp) -> Uuid;
}

/// Waits.
#[async_trait]
pub trait Timer: Send + Sync {
    async fn sleep(&self, duration: Duration);
}

/// Runs tasks beside each other.
pub trait Spawner: Send + Sync {
    fn spawn(&self, task: BoxFuture<'static, ()>);
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        DateTime::<Utc>::from(std::time::SystemTime::now())
    }
}

/// Time-ordered ids: the millisecond, then a counter that starts at a random place.
///
/// Ids of one source increase within a millisecond, so rows keyed by them are appended in order.
/// They are unique, not secret: whatever must not be guessed carries a token of its own.
#[derive(Debug)]
pub struct SystemIds {
    tail: Mutex<u128>,
}

/// The bits of a version 7 id that are neither time nor version nor variant.
const TAIL_MASK: u128 = (1 << 74) - 1;

impl Default for SystemIds {
    fn default() -> Self {
        Self::seeded(Uuid::now_v7().as_u128())
    }
}

impl SystemIds {
    /// A source whose tails start at `seed`; the same seed and times give the same ids.
    #[must_use]
    pub fn seeded(seed: u128) -> Self {
        Self { tail: Mutex::new(seed & TAIL_MASK) }
    }
}

impl IdSource for SystemIds {
    fn next(&self, now: Timestamp) -> Uuid {
        let mut tail = match self.tail.lock() {
            Ok(tail) => tail,
            Err(poisoned) => poisoned.into_inner(),
        };
        *tail = (*tail + 1) & TAIL_MASK;
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        // RFC 9562 leaves 12 bits before and 62 bits after the variant.
        let mut bytes = [0_u8; 10];
        bytes[..2].copy_from_slice(&((*tail >> 62) as u16).to_be_bytes());
        bytes[2..].copy_from_slice(&((*tail & ((1 << 62) - 1)) as u64).to_be_bytes());
        uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }
}

/// Waits by tokio's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioTimer;

#[async_trait]
impl Timer for TokioTimer {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Runs tasks on the tokio runtime it was made on.
#[derive(Debug, Clone)]
pub struct TokioSpawner(pub tokio::runtime::Handle);

impl Spawner for TokioSpawner {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        drop(self.0.spawn(task));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_do_not_repeat_and_carry_their_time() {
        let ids = SystemIds::seeded(7);
        let now = SystemClock.now();
        let made: BTreeSet<Uuid> = (0..10_000).map(|_| ids.next(now)).collect();
        assert_eq!(made.len(), 10_000);
        for id in made {
            assert_eq!(id.get_version_num(), 7);
            let (seconds, _) = id.get_timestamp().unwrap().to_unix();
            assert_eq!(i64::try_from(seconds).unwrap(), now.timestamp());
        }
    }
}
