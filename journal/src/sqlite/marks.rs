//! Where events of long streams are, now and then, so that paging need not start at the head.

use std::collections::BTreeMap;

use super::hash::QuickMap;
use super::heads::Head;
use crate::{StreamId, Version};

/// One mark for as many events of a stream; a page is at most so far from a mark.
pub(super) const SPACING: u64 = 128;
/// About 8 MiB. Past it all marks go: pages then cost one long walk more.
const MARKS_MAX: usize = 1 << 18;

/// Events never move, so nothing here can be out of date.
#[derive(Debug, Default)]
pub(super) struct Marks {
    streams: QuickMap<StreamId, BTreeMap<Version, u64>>,
    held: usize,
}

impl Marks {
    /// The first mark of `stream` at `version` or after it.
    pub(super) fn nearest(&self, stream: &StreamId, version: Version) -> Option<Head> {
        let (version, position) = self.streams.get(stream)?.range(version..).next()?;
        Some(Head { position: *position, version: *version })
    }

    pub(super) fn add(&mut self, stream: &StreamId, marks: &[Head]) {
        if self.held + marks.len() > MARKS_MAX {
            self.streams.clear();
            self.held = 0;
        }
        if marks.len() > MARKS_MAX {
            return;
        }
        let known = self.streams.entry(stream.clone()).or_default();
        let before = known.len();
        known.extend(marks.iter().map(|mark| (mark.version, mark.position)));
        self.held += known.len() - before;
    }
}
