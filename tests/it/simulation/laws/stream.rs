//! The log itself: contiguous streams, increasing positions, no event twice.

use std::collections::{BTreeMap, BTreeSet};

use super::{Broken, Evidence};

pub(super) fn versions_are_contiguous(evidence: &Evidence, broken: &mut Broken) {
    let mut versions = BTreeMap::new();
    for event in &evidence.events {
        let last = versions.insert(event.stream.clone(), event.version).unwrap_or(0);
        if event.version != last + 1 {
            broken.push(format!("{} goes from version {last} to {}", event.stream, event.version));
        }
    }
}

pub(super) fn positions_increase(evidence: &Evidence, broken: &mut Broken) {
    for (index, event) in evidence.events.iter().enumerate() {
        if event.position.0 != index as u64 + 1 {
            broken.push(format!("event {} is at position {}", index + 1, event.position.0));
        }
    }
    let recorded = evidence.events.windows(2).filter(|pair| pair[0].recorded > pair[1].recorded);
    for pair in recorded {
        broken.push(format!("position {} was recorded before its predecessor", pair[1].position.0));
    }
}

pub(super) fn ids_are_unique(evidence: &Evidence, broken: &mut Broken) {
    let mut ids = BTreeSet::new();
    for event in &evidence.events {
        if !ids.insert(event.id) {
            broken.push(format!("event id {} again at position {}", event.id, event.position.0));
        }
    }
}
