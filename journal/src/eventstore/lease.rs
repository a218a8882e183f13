//! Leases: a stream for each, whose last event says who holds it.
//!
//! The server's clock is not to be had, so a lease has ended for a node once its stream has not moved
//! for the lease's time by the node's own clock, counted from when the node first saw it there.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::draft::Draft;
use super::faults::Failure;
use super::shared::{Passing, Shared};
use crate::held::hold as locked;
use crate::{Epoch, JournalError};

const TYPE: &str = "tillroll.lease";
/// Events the server keeps of a lease.
const KEPT: u64 = 10;
const LEASE_BYTES_MAX: usize = 60;
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Holding {
    owner: Uuid,
    epoch: Epoch,
    ttl_ms: u64,
    released: bool,
}

/// A lease's last event, and since when it has been the last as far as is known here.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    place: u64,
    since: Instant,
}

pub(super) async fn hold(
    shared: &Shared,
    lease: &str,
    owner: Uuid,
    ttl: Duration,
) -> Result<Option<Epoch>, JournalError> {
    let ttl_ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
    let wanted = |last: Option<&(u64, Holding)>| match last {
        Some((_, last)) if last.owner == owner => {
            Some(Holding { owner, epoch: last.epoch, ttl_ms, released: false })
        }
        Some((place, last)) if !last.released && !has_ended(shared, lease, *place, last) => None,
        last => {
            let epoch = last.map_or(0, |(_, last)| last.epoch) + 1;
            Some(Holding { owner, epoch, ttl_ms, released: false })
        }
    };
    let Some(holding) = write(shared, lease, wanted).await? else {
        return Ok(None);
    };
    // Nobody leads before all nodes will refuse what the last one goes on with.
    let epoch = holding.epoch;
    if shared.epoch(lease) < epoch {
        let (done, passed) = oneshot::channel();
        let passing = Passing { lease: lease.to_owned(), epoch, done };
        shared.passing.send(passing).await.map_err(|_| JournalError::Closed)?;
        passed.await.map_err(|_| JournalError::Closed)??;
    }
    Ok((shared.epoch(lease) == epoch).then_some(epoch))
}

pub(super) async fn release(shared: &Shared, lease: &str, owner: Uuid) -> Result<(), JournalError> {
    let wanted = |last: Option<&(u64, Holding)>| match last {
        Some((_, last)) if last.owner == owner && !last.released => {
            Some(Holding { released: true, ..last.clone() })
        }
        _ => None,
    };
    write(shared, lease, wanted).await.map(drop)
}

/// Reads who holds the lease and writes who is to, until that is done without anybody in between.
/// `None` if nothing was wanted.
async fn write(
    shared: &Shared,
    lease: &str,
    wanted: impl Fn(Option<&(u64, Holding)>) -> Option<Holding>,
) -> Result<Option<Holding>, JournalError> {
    let sound = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    if lease.is_empty() || lease.len() > LEASE_BYTES_MAX || !lease.bytes().all(sound) {
        return Err(JournalError::Invalid(format!("a lease of the name `{lease}`")));
    }
    let asked = Instant::now();
    loop {
        match try_write(shared, lease, &wanted).await {
            Ok(done) => return Ok(done),
            Err(Failure::Moved) => {}
            Err(Failure::Refused(error)) => return Err(error),
            Err(failure) if asked.elapsed() >= shared.options.patience => {
                return Err(failure.error(&shared.server.place));
            }
            // It may have been written: then it is found to be ours.
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
        shared.ensure_open()?;
    }
}

async fn try_write(
    shared: &Shared,
    lease: &str,
    wanted: impl Fn(Option<&(u64, Holding)>) -> Option<Holding>,
) -> Result<Option<Holding>, Failure> {
    let stream = shared.server.place.lease(lease);
    let last = match shared.server.last(stream.clone()).await? {
        None => None,
        Some(event) => {
            let holding = serde_json::from_slice(&event.data).map_err(|error| {
                let what = format!("the stream {stream} holds what is no lease ({error})");
                Failure::Refused(JournalError::Unavailable(format!("{what}: delete it")))
            })?;
            see(shared, lease, event.place);
            Some((event.place, holding))
        }
    };
    let Some(holding) = wanted(last.as_ref()) else {
        return Ok(None);
    };
    let draft = Draft::plain(TYPE, &holding).map_err(Failure::Refused)?;
    let next = last.as_ref().map_or(0, |(place, _)| place + 1);
    shared.server.append_to(stream.clone(), next, &draft).await?;
    see(shared, lease, next);
    if next == 0
        && let Err(failure) = shared.server.keep_last(stream, KEPT).await
    {
        tracing::warn!(?failure, lease, "the stream of the lease will keep all its events");
    }
    Ok(Some(holding))
}

/// Notes that the lease's stream ends here, and since when.
fn see(shared: &Shared, lease: &str, place: u64) {
    let mut seen = locked(&shared.seen);
    match seen.get(lease) {
        Some(known) if known.place == place => {}
        _ => {
            seen.insert(lease.to_owned(), Seen { place, since: Instant::now() });
        }
    }
}

fn has_ended(shared: &Shared, lease: &str, place: u64, last: &Holding) -> bool {
    let seen = locked(&shared.seen);
    let known = seen.get(lease).filter(|known| known.place == place);
    known.is_some_and(|known| known.since.elapsed() >= Duration::from_millis(last.ttl_ms))
}
