//! How far the stream has been told, kept in a bucket, and what to make of it.

use async_nats::jetstream::kv::{CreateErrorKind, Store, UpdateErrorKind};
use journal::{JournalId, Position};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{BusError, Link, Mark};

/// Before everything.
pub(super) const NOTHING: Mark = Mark { position: Position(0), event: None };

/// The entry of one journal in the bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Everything up to here is told, or nothing for the outside.
    pub(super) position: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) event: Option<Uuid>,
    /// The stream's last sequence then.
    pub(super) sequence: u64,
    /// Where telling began.
    pub(super) started: u64,
}

impl Kept {
    fn mark(&self) -> Mark {
        Mark { position: Position(self.position), event: self.event }
    }
}

/// Where to go on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resumed {
    pub(super) mark: Option<Mark>,
    /// The stream is shorter than it was: a server that confirms before it is on disk lost power,
    /// or somebody removed the stream.
    pub(super) lost: bool,
}

/// What the last message in the stream and the last checkpoint say together.
pub(super) fn resume(kept: Option<&Kept>, last: Option<Mark>, last_sequence: u64) -> Resumed {
    let Some(kept) = kept else { return Resumed { mark: last, lost: false } };
    if kept.sequence > last_sequence {
        // Nothing left to go by: all from where it began is told again.
        let began = Mark { position: Position(kept.started), event: None };
        return Resumed { mark: Some(last.unwrap_or(began)), lost: true };
    }
    let told = match last {
        // Messages after the checkpoint; where they are gone already some are told again.
        Some(last) if last.position > kept.mark().position => last,
        _ => kept.mark(),
    };
    Resumed { mark: Some(told), lost: false }
}

pub(super) async fn read(
    store: &Store,
    journal: JournalId,
) -> Result<(Option<Kept>, u64), BusError> {
    let entry = store.entry(journal.to_string()).await;
    let entry = entry.map_err(|error| {
        BusError::Unavailable(format!("bucket {} cannot be read: {error}", store.name))
    })?;
    let Some(entry) = entry else { return Ok((None, 0)) };
    let revision = entry.revision;
    if entry.operation != async_nats::jetstream::kv::Operation::Put {
        return Ok((None, revision));
    }
    let kept = serde_json::from_slice(&entry.value).map_err(|error| {
        BusError::SetUp(format!(
            "key {journal} of bucket {} does not say how far the stream was told ({error}): remove \
             the key",
            store.name
        ))
    })?;
    Ok((Some(kept), revision))
}

/// Writes the checkpoint, unless another relay has since.
pub(super) async fn keep(link: &mut Link, mark: Mark) -> Result<(), BusError> {
    // Nothing was told yet, and what is before this mark never will be.
    if link.revision == 0 && link.sequence == 0 {
        link.started = mark.position.0;
    }
    let kept = Kept {
        position: mark.position.0,
        event: mark.event,
        sequence: link.sequence,
        started: link.started,
    };
    let key = link.journal.to_string();
    let value = serde_json::to_vec(&kept)
        .map_err(|error| BusError::Unavailable(format!("checkpoint: {error}")))?;
    let unavailable = |error: &dyn std::fmt::Display| {
        BusError::Unavailable(format!("bucket {}: {error}", link.store.name))
    };
    link.revision = match link.revision {
        0 => link.store.create(key, value.into()).await.map_err(|error| match error.kind() {
            CreateErrorKind::AlreadyExists => BusError::Overtaken,
            _ => unavailable(&error),
        })?,
        revision => {
            let done = link.store.update(key, value.into(), revision).await;
            done.map_err(|error| match error.kind() {
                UpdateErrorKind::WrongLastRevision => BusError::Overtaken,
                _ => unavailable(&error),
            })?
        }
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(position: u64) -> Mark {
        Mark { position: Position(position), event: Some(Uuid::from_u128(position.into())) }
    }

    fn kept(position: u64, sequence: u64) -> Kept {
        Kept { position, event: at(position).event, sequence, started: 5 }
    }

    fn goes_on(mark: Mark) -> Resumed {
        Resumed { mark: Some(mark), lost: false }
    }

    #[test]
    fn a_bus_that_was_never_told_anything_has_no_mark() {
        assert_eq!(resume(None, None, 0), Resumed { mark: None, lost: false });
    }

    #[test]
    fn the_later_of_message_and_checkpoint_counts() {
        assert_eq!(resume(None, Some(at(40)), 9), goes_on(at(40)));
        // Many events nobody is told of since the last message.
        assert_eq!(resume(Some(&kept(70, 9)), Some(at(40)), 9), goes_on(at(70)));
        assert_eq!(resume(Some(&kept(30, 7)), Some(at(40)), 9), goes_on(at(40)));
    }

    #[test]
    fn where_messages_are_too_old_to_be_there_the_checkpoint_counts() {
        assert_eq!(resume(Some(&kept(70, 9)), None, 9), goes_on(at(70)));
        assert_eq!(resume(Some(&kept(70, 9)), None, 12), goes_on(at(70)));
    }

    #[test]
    fn a_stream_that_got_shorter_goes_on_after_what_is_left() {
        let left = Resumed { mark: Some(at(40)), lost: true };
        assert_eq!(resume(Some(&kept(70, 9)), Some(at(40)), 6), left);
        let began = Mark { position: Position(5), event: None };
        assert_eq!(resume(Some(&kept(70, 9)), None, 0), Resumed { mark: Some(began), lost: true });
    }
}
