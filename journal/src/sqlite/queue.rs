//! Appends on their way to the committing thread, in the order in which they were asked for.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::check::Size;
use crate::held::hold;
use crate::{JournalError, Unit, Verdict};

pub(super) type Answer = Result<Vec<Verdict>, JournalError>;

/// How long the committing thread watches for the next call before it sleeps. Being woken
/// on another core costs about half of what a small commit does; a caller that appends again
/// as soon as it is answered is back well within this.
const WATCH: Duration = Duration::from_micros(60);
/// After watching in vain, this many calls must come before the thread watches again.
const VAIN_PENALTY: u32 = 16;

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
    /// Set when there is something to take, so that watching needs no lock.
    news: AtomicBool,
    events_max: usize,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    size: Size,
    closed: bool,
    /// The committing thread sleeps, so it must be woken.
    asleep: bool,
    /// Calls to wait for until watching is tried again.
    penalty: u32,
}

impl Queue {
    pub(super) fn new(events_max: usize, bytes_max: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            changed: Condvar::new(),
            news: AtomicBool::new(false),
            events_max,
            bytes_max,
        }
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
        self.news.store(true, Relaxed);
        let asleep = waiting.asleep;
        drop(waiting);
        if asleep {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// Takes all that waits, up to `events_max` events but at least one call.
    /// `None` once the queue is closed and empty.
    pub(super) fn take(&self, events_max: usize) -> Option<Vec<Job>> {
        let mut waiting = self.watch();
        while waiting.jobs.is_empty() {
            if waiting.closed {
                return None;
            }
            waiting.asleep = true;
            waiting = match self.changed.wait(waiting) {
                Ok(waiting) => waiting,
                Err(poisoned) => poisoned.into_inner(),
            };
            waiting.asleep = false;
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
        self.news.store(!waiting.jobs.is_empty(), Relaxed);
        Some(jobs)
    }

    /// Looks for a call without sleeping, for a short while and only if that helped of late.
    fn watch(&self) -> MutexGuard<'_, Waiting> {
        let mut waiting = hold(&self.waiting);
        if !waiting.jobs.is_empty() || waiting.closed {
            return waiting;
        }
        if waiting.penalty > 0 {
            waiting.penalty -= 1;
            return waiting;
        }
        drop(waiting);
        let began = Instant::now();
        while !self.news.load(Relaxed) && began.elapsed() < WATCH {
            std::hint::spin_loop();
        }
        let mut waiting = hold(&self.waiting);
        if waiting.jobs.is_empty() {
            waiting.penalty = VAIN_PENALTY;
        }
        waiting
    }

    /// Lets nothing more in; what waits is still served.
    pub(super) fn close(&self) {
        hold(&self.waiting).closed = true;
        self.news.store(true, Relaxed);
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
