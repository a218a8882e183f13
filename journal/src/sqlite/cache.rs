//! Chunks read of late, for streams whose events lie near one another.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::chunks::KeptChunk;

/// Bounded by bytes. Chunks never change, so nothing here can be out of date.
#[derive(Debug)]
pub(super) struct ChunkCache {
    young: BTreeMap<u64, Arc<KeptChunk>>,
    old: BTreeMap<u64, Arc<KeptChunk>>,
    young_bytes: usize,
    half_bytes: usize,
}

impl ChunkCache {
    pub(super) fn new(bytes: usize) -> Self {
        Self { young: BTreeMap::new(), old: BTreeMap::new(), young_bytes: 0, half_bytes: bytes / 2 }
    }

    pub(super) fn get(&mut self, position: u64) -> Option<Arc<KeptChunk>> {
        if let Some(chunk) = holding(&self.young, position) {
            return Some(chunk);
        }
        let chunk = holding(&self.old, position)?;
        self.old.remove(&chunk.first());
        self.insert(Arc::clone(&chunk));
        Some(chunk)
    }

    pub(super) fn insert(&mut self, chunk: Arc<KeptChunk>) {
        if chunk.bytes() > self.half_bytes {
            return;
        }
        if self.young_bytes + chunk.bytes() > self.half_bytes {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        let bytes = chunk.bytes();
        if self.young.insert(chunk.first(), chunk).is_none() {
            self.young_bytes += bytes;
        }
    }
}

fn holding(chunks: &BTreeMap<u64, Arc<KeptChunk>>, position: u64) -> Option<Arc<KeptChunk>> {
    let (_, chunk) = chunks.range(..=position).next_back()?;
    chunk.holds(position).then(|| Arc::clone(chunk))
}
