//! Brings streams into memory, from a snapshot where that saves reading.

use std::sync::Arc;

use futures::future::{BoxFuture, try_join_all};
use journal::{Journal, JournalError, Recorded, StreamId, Version};

use crate::cache::Entry;
use crate::refusal::CommandError;
use crate::snapshots::{Snapshot, SnapshotStore};
use crate::unit::Loader;

/// Events of a stream read at a time.
const LOAD_EVENTS: usize = 4_096;

/// What streams are read from.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) snapshots: Arc<dyn SnapshotStore>,
    /// Streams with no more events than this have no snapshot worth looking for.
    pub(crate) snapshot_every: u64,
}

pub(crate) type Loaded = Vec<(StreamId, Entry)>;

impl Sources {
    /// Reads one after another, as is best where the journal is on this machine.
    pub(crate) async fn one_by_one(&self, loaders: Vec<Loader>) -> Result<Loaded, CommandError> {
        let mut loaded = Vec::with_capacity(loaders.len());
        for loader in loaders {
            let version = self.journal.stream_version(&loader.stream).await?;
            loaded.push(self.up_to(loader, version).await?);
        }
        Ok(loaded)
    }

    /// Reads all at once, a short stream in one round trip.
    pub(crate) fn together(
        self,
        loaders: Vec<Loader>,
    ) -> BoxFuture<'static, Result<Loaded, CommandError>> {
        Box::pin(async move {
            try_join_all(loaders.into_iter().map(|loader| self.in_one_go(loader))).await
        })
    }

    async fn in_one_go(&self, loader: Loader) -> Result<(StreamId, Entry), CommandError> {
        let short = usize::try_from(self.snapshot_every).unwrap_or(LOAD_EVENTS).min(LOAD_EVENTS);
        let events = self.journal.read_stream(&loader.stream, 0, short + 1).await?;
        if events.len() > short {
            let version = self.journal.stream_version(&loader.stream).await?;
            return self.up_to(loader, version).await;
        }
        let entry = (loader.load)(None, &events).map_err(CommandError::Corrupt)?;
        Ok((loader.stream, entry))
    }

    async fn up_to(
        &self,
        loader: Loader,
        version: Version,
    ) -> Result<(StreamId, Entry), CommandError> {
        let mut snapshot = (version > self.snapshot_every)
            .then(|| self.snapshots.load(&loader.stream))
            .flatten()
            .filter(|s| s.version <= version && (loader.accepts)(s));
        // With the snapshot's own event in front, to see that it is still this stream's.
        let first = snapshot.as_ref().map_or(0, |s| s.version.saturating_sub(1));
        let mut events = self.read(&loader.stream, first, version).await?;
        if let Some(taken) = &snapshot {
            if events.first().is_some_and(|event| event.id == taken.event) {
                events.remove(0);
            } else {
                // It belongs to a journal that was since restored.
                snapshot = None;
                events = self.read(&loader.stream, 0, version).await?;
            }
        }
        let load = |snapshot: Option<&Snapshot>| (loader.load)(snapshot, &events);
        let entry = load(snapshot.as_ref()).map_err(CommandError::Corrupt)?;
        Ok((loader.stream, entry))
    }

    async fn read(
        &self,
        stream: &StreamId,
        mut after: Version,
        through: Version,
    ) -> Result<Vec<Recorded>, JournalError> {
        let mut events = Vec::new();
        while after < through {
            let page = self.journal.read_stream(stream, after, LOAD_EVENTS).await?;
            match page.last() {
                Some(last) => after = last.version,
                None => break,
            }
            events.extend(page);
        }
        Ok(events)
    }
}
