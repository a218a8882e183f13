//! Appends on their way to the committing thread, in the order in which they were asked for.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex};

use tokio::sync::oneshot;

use crate::check::Size;
use crate::held::hold;
use crate::{JournalError, Unit, Verdict};

pub(super) type Answer = Result<Vec<Verdict>, JournalError>;

/// One call of `append`.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) units: Vec<Unit>,
    pub(super) size: Size,
    pub(super) answer: oneshot::Sender<Answer>,
}

#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    events_max: usize,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    size: Size,
    closed: bool,
}

impl Queue {
    pub(super) fn new(events_max: usize, bytes_max: usize) -> Self {
        Self { waiting: Mutex::default(), changed: Condvar::new(), events_max, bytes_max }
    }

    /// Adds a call, or refuses it at once when the queue is full: waiting here would put
    /// memory under the control of whoever sends fastest.
    pub(super) fn push(&self, job: Job) -> Result<(), JournalError> {
        let mut waiting = hold(&self.waiting);
        if waiting.closed {
            return Err(JournalError::Closed);
        }
        let events = waiting.size.events + job.size.events;
        let bytes = waiting.size.bytes + job.size.bytes;
        // A call larger than the whole queue is let in when it is alone.
        if !waiting.jobs.is_empty() && (events > self.events_max || bytes > self.bytes_max) {
            return Err(JournalError::Unavailable("the append queue is full".to_owned()));
        }
        waiting.size = Size { events, bytes };
        waiting.jobs.push_back(job);
        drop(waiting);
        self.changed.notify_one();
        Ok(())
    }

    /// Takes all that waits, up to `events_max` events but at least one call.
    /// `None` once the queue is closed and empty.
    pub(super) fn take(&self, events_max: usize) -> Option<Vec<Job>> {
        let mut waiting = hold(&self.waiting);
        while waiting.jobs.is_empty() {
            if waiting.closed {
                return None;
            }
            waiting = match self.changed.wait(waiting) {
                Ok(waiting) => waiting,
                Err(poisoned) => poisoned.into_inner(),
            };
        }
        let mut events = 0;
        let mut jobs = Vec::with_capacity(waiting.jobs.len());
        while let Some(job) = waiting.jobs.front() {
            if !jobs.is_empty() && events + job.size.events > events_max {
                break;
            }
            let Some(job) = waiting.jobs.pop_front() else {
                break;
            };
            events += job.size.events;
            waiting.size.events -= job.size.events;
            waiting.size.bytes -= job.size.bytes;
            jobs.push(job);
        }
        Some(jobs)
    }

    /// Lets nothing more in; what waits is still served.
    pub(super) fn close(&self) {
        hold(&self.waiting).closed = true;
        self.changed.notify_all();
    }

    /// Closes and drops what waits, for a writer that cannot go on.
    pub(super) fn abandon(&self) {
        let mut waiting = hold(&self.waiting);
        waiting.closed = true;
        waiting.size = Size::default();
        let dropped = std::mem::take(&mut waiting.jobs);
        drop(waiting);
        drop(dropped);
    }

    pub(super) fn events(&self) -> usize {
        hold(&self.waiting).size.events
    }
}
