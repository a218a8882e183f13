//! Reading one stream: backwards from its head, event by event.

use std::sync::Arc;

use super::chunks::{self, KeptChunk};
use super::heads::Head;
use super::marks;
use super::record::{Memo, corrupt};
use super::shared::{Reader, Shared};
use crate::held::{hold, read};
use crate::{JournalError, Recorded, StreamId, Version};

/// A stream's events after `after`, oldest first, at most `max`. The cost goes with the
/// number of events after `after`, whatever the length of stream and journal; for the pages of a
/// long stream that holds once for all of them, since the first one leaves marks on its way.
pub(super) fn read_stream(
    shared: &Shared,
    stream: &StreamId,
    after: Version,
    max: usize,
) -> Result<Vec<Recorded>, JournalError> {
    let Some(head) = shared.head_of(stream)? else {
        return Ok(Vec::new());
    };
    if max == 0 || head.version <= after {
        return Ok(Vec::new());
    }
    let wanted = after + 1..=after.saturating_add(max as u64).min(head.version);
    let skips = head.version - *wanted.end() >= marks::SPACING;
    let at = if skips { hold(&shared.marks).nearest(stream, *wanted.end()) } else { None };
    let at = at.filter(|mark| mark.version < head.version).unwrap_or(head);
    let mut walk = Walk { stream, wanted, at, newest_first: Vec::new(), passed: Vec::new() };
    if !walk.through_tail(shared)? {
        shared.with_reader(|reader| walk.through_chunks(shared, reader))?;
    }
    if !walk.passed.is_empty() {
        hold(&shared.marks).add(stream, &walk.passed);
    }
    walk.newest_first.reverse();
    Ok(walk.newest_first)
}

struct Walk<'a> {
    stream: &'a StreamId,
    wanted: std::ops::RangeInclusive<Version>,
    at: Head,
    newest_first: Vec<Recorded>,
    /// Marks met on the way to what is wanted.
    passed: Vec<Head>,
}

impl Walk<'_> {
    /// Goes on to the stream's previous event; true at the end of what is wanted.
    fn back(&mut self, previous: u64) -> bool {
        if self.at.version > *self.wanted.end() && self.at.version.is_multiple_of(marks::SPACING) {
            self.passed.push(self.at);
        }
        self.at.version -= 1;
        self.at.position = previous;
        self.at.version < *self.wanted.start()
    }

    fn through_tail(&mut self, shared: &Shared) -> Result<bool, JournalError> {
        let tail = read(&shared.tail);
        while let Some(linked) = tail.get(self.at.position) {
            self.expect(linked.event.version, &linked.event.stream)?;
            if self.wanted.contains(&self.at.version) {
                self.newest_first.push(linked.event.clone());
            }
            if self.back(linked.previous) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn through_chunks(&mut self, shared: &Shared, reader: &mut Reader) -> Result<(), JournalError> {
        let mut memo = Memo::default();
        let mut current: Option<Arc<KeptChunk>> = None;
        loop {
            let position = self.at.position;
            let chunk = match current.take().filter(|chunk| chunk.holds(position)) {
                Some(chunk) => chunk,
                None => fetch(shared, reader, position)?,
            };
            let link = chunk.view().link(position)?;
            if self.wanted.contains(&self.at.version) {
                let event = chunk.view().recorded(position, &mut reader.names, &mut memo)?;
                self.expect(event.version, &event.stream)?;
                self.newest_first.push(event);
            } else if link.version != self.at.version {
                return Err(self.broken());
            }
            if self.back(link.previous) {
                return Ok(());
            }
            current = Some(chunk);
        }
    }

    fn expect(&self, version: Version, stream: &StreamId) -> Result<(), JournalError> {
        if version == self.at.version && stream == self.stream {
            Ok(())
        } else {
            Err(self.broken())
        }
    }

    fn broken(&self) -> JournalError {
        corrupt(self.at.position, &format!("not version {} of {}", self.at.version, self.stream))
    }
}

fn fetch(shared: &Shared, reader: &Reader, position: u64) -> Result<Arc<KeptChunk>, JournalError> {
    if let Some(chunk) = hold(&shared.chunks).get(position) {
        return Ok(chunk);
    }
    let chunk = chunks::holding(&reader.connection, &shared.shelf, position)?;
    hold(&shared.chunks).insert(Arc::clone(&chunk));
    Ok(chunk)
}
