//! The newest events, kept in memory for those who read near the head.

use std::collections::VecDeque;

use crate::Recorded;

/// An event and the position of the one before it in its stream (0: none).
#[derive(Debug, Clone)]
pub(super) struct Linked {
    pub(super) event: Recorded,
    pub(super) previous: u64,
}

/// A gap-free run of events which ends at the head.
#[derive(Debug)]
pub(super) struct Tail {
    events: VecDeque<Linked>,
    bytes: usize,
    events_max: usize,
    bytes_max: usize,
}

impl Tail {
    pub(super) fn new(events_max: usize, bytes_max: usize) -> Self {
        Self { events: VecDeque::new(), bytes: 0, events_max, bytes_max }
    }

    /// Adds the events that follow; drops the oldest past the limits.
    pub(super) fn push(&mut self, linked: Linked) {
        let follows = self.events.back().map(|last| last.event.position.0 + 1);
        if follows.is_some_and(|next| next != linked.event.position.0) {
            self.clear();
        }
        self.bytes += weight(&linked.event);
        self.events.push_back(linked);
        while self.events.len() > self.events_max || self.bytes > self.bytes_max {
            let Some(oldest) = self.events.pop_front() else {
                break;
            };
            self.bytes -= weight(&oldest.event);
        }
    }

    /// For when the head moved without its events coming through here.
    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.bytes = 0;
    }

    pub(super) fn get(&self, position: u64) -> Option<&Linked> {
        let first = self.events.front()?.event.position.0;
        self.events.get(usize::try_from(position.checked_sub(first)?).ok()?)
    }

    /// The events after `after` if all of them are here.
    pub(super) fn after(&self, after: u64, max: usize) -> Option<Vec<Recorded>> {
        let first = self.events.front()?.event.position.0;
        let skip = usize::try_from((after + 1).checked_sub(first)?).ok()?;
        if skip >= self.events.len() {
            return None;
        }
        let end = self.events.len().min(skip.saturating_add(max));
        Some(self.events.range(skip..end).map(|linked| linked.event.clone()).collect())
    }
}

fn weight(event: &Recorded) -> usize {
    event.payload.len() + event.metadata.len()
}
