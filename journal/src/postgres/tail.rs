//! The newest events, kept in memory for those who read near the head.

use std::collections::VecDeque;

use crate::Recorded;

/// A gap-free run of events.
#[derive(Debug)]
pub(super) struct Tail {
    events: VecDeque<Recorded>,
    bytes: usize,
    events_max: usize,
    bytes_max: usize,
}

impl Tail {
    pub(super) fn new(events_max: usize, bytes_max: usize) -> Self {
        Self { events: VecDeque::new(), bytes: 0, events_max, bytes_max }
    }

    /// Adds what follows. What is here already is passed over; after a gap the run starts anew.
    pub(super) fn extend(&mut self, events: impl IntoIterator<Item = Recorded>) {
        for event in events {
            let last = self.events.back().map_or(0, |last| last.position.0);
            if event.position.0 <= last {
                continue;
            }
            if event.position.0 != last + 1 {
                self.events.clear();
                self.bytes = 0;
            }
            self.bytes += weight(&event);
            self.events.push_back(event);
            while self.events.len() > self.events_max || self.bytes > self.bytes_max {
                let Some(oldest) = self.events.pop_front() else { break };
                self.bytes -= weight(&oldest);
            }
        }
    }

    /// The events after `after`, at most `max`, if the first of them is here.
    pub(super) fn after(&self, after: u64, max: usize) -> Option<Vec<Recorded>> {
        let first = self.events.front()?.position.0;
        let skip = usize::try_from(after.saturating_add(1).checked_sub(first)?).ok()?;
        if skip >= self.events.len() {
            return None;
        }
        let end = self.events.len().min(skip.saturating_add(max));
        Some(self.events.range(skip..end).cloned().collect())
    }
}

fn weight(event: &Recorded) -> usize {
    event.payload.len() + event.metadata.len()
}
