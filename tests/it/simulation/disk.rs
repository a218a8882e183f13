//! The engine's disk as it meets it: a journal that takes its time, and snapshots that stay.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use commands::{Snapshot, SnapshotStore};
use journal::{
    Journal, JournalError, JournalId, MemoryJournal, Position, Properties, Recorded, StreamId,
    Unit, Verdict, Version,
};

use super::chance::Chance;
use super::executor::Executor;

/// A journal in memory whose appends and reads take a while, so that others get in between.
pub(crate) struct SlowJournal {
    pub(crate) inner: Arc<MemoryJournal>,
    pub(crate) executor: Executor,
    pub(crate) chance: Chance,
    pub(crate) longest_us: u64,
}

impl SlowJournal {
    async fn wait(&self) {
        if self.longest_us > 0 {
            let wait = self.chance.below(self.longest_us);
            self.executor.sleep(Duration::from_micros(wait)).await;
        }
    }
}

#[async_trait]
impl Journal for SlowJournal {
    fn id(&self) -> JournalId {
        self.inner.id()
    }

    fn properties(&self) -> Properties {
        self.inner.properties()
    }

    async fn append(&self, units: Vec<Unit>) -> Result<Vec<Verdict>, JournalError> {
        self.wait().await;
        let first = units.first().and_then(|unit| unit.groups.first());
        self.executor.note(|| {
            let events = units.iter().flat_map(|unit| &unit.groups).flat_map(|g| &g.events);
            let names: Vec<_> = events.map(|event| event.event_type.as_str()).collect();
            format!("append {} {names:?}", first.map_or(String::new(), |g| g.stream.to_string()))
        });
        let verdicts = self.inner.append(units).await;
        self.executor.note(|| match &verdicts {
            Ok(verdicts) => format!("appended {verdicts:?}"),
            Err(error) => format!("append failed: {error}"),
        });
        self.wait().await;
        verdicts
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        max: usize,
    ) -> Result<Vec<Recorded>, JournalError> {
        self.wait().await;
        self.inner.read_stream(stream, after, max).await
    }

    async fn stream_version(&self, stream: &StreamId) -> Result<Version, JournalError> {
        self.inner.stream_version(stream).await
    }

    async fn read_all(&self, after: Position, max: usize) -> Result<Vec<Recorded>, JournalError> {
        self.inner.read_all(after, max).await
    }

    async fn read_back(
        &self,
        before: Option<Position>,
        max: usize,
    ) -> Result<Vec<Recorded>, JournalError> {
        self.inner.read_back(before, max).await
    }

    fn head(&self) -> Position {
        self.inner.head()
    }

    async fn wait_past(&self, position: Position) -> Result<Position, JournalError> {
        self.inner.wait_past(position).await
    }

    async fn close(&self) -> Result<(), JournalError> {
        self.inner.close().await
    }
}

/// Snapshots that survive the process.
#[derive(Default)]
pub(crate) struct KeptSnapshots(Mutex<BTreeMap<StreamId, Snapshot>>);

impl KeptSnapshots {
    pub(crate) fn all(&self) -> Vec<Snapshot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

impl SnapshotStore for KeptSnapshots {
    fn load(&self, stream: &StreamId) -> Option<Snapshot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(stream).cloned()
    }

    fn save(&self, snapshot: Snapshot) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(snapshot.stream.clone(), snapshot);
    }
}
