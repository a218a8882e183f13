//! Appends on their way to the committing task, in the order in which they were asked for.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};

use crate::check::Size;
use crate::held::hold;
use crate::{JournalError, Unit, Verdict};

type Answer = Result<Vec<Verdict>, JournalError>;

/// One call of `append`. A long one is committed in several transactions.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) units: Vec<Unit>,
    verdicts: Vec<Option<Verdict>>,
    size: Size,
    answer: Option<oneshot::Sender<Answer>>,
    asked: Instant,
    /// Its outcome was unknown once.
    doubted: bool,
}

impl Job {
    pub(crate) fn new(units: Vec<Unit>, size: Size) -> (Self, oneshot::Receiver<Answer>) {
        let (answer, answered) = oneshot::channel();
        let verdicts = vec![None; units.len()];
        (
            Self {
                units,
                verdicts,
                size,
                answer: Some(answer),
                asked: Instant::now(),
                doubted: false,
            },
            answered,
        )
    }

    /// Indexes of the units which have no verdict yet; none once it is answered.
    pub(crate) fn open(&self) -> impl Iterator<Item = usize> + '_ {
        let open = self.answer.is_some();
        (0..self.units.len()).filter(move |unit| open && self.verdicts[*unit].is_none())
    }

    pub(crate) fn settle(&mut self, unit: usize, verdict: Verdict) {
        self.verdicts[unit] = Some(verdict);
    }

    /// Answers if every unit has its verdict.
    pub(crate) fn finish(&mut self) {
        if self.verdicts.iter().all(Option::is_some)
            && let Some(answer) = self.answer.take()
        {
            // Whoever asked may have gone.
            let _ =
                answer.send(Ok(std::mem::take(&mut self.verdicts).into_iter().flatten().collect()));
        }
    }

    pub(crate) fn fail(&mut self, error: JournalError) {
        if let Some(answer) = self.answer.take() {
            let _ = answer.send(Err(error));
        }
    }

    /// Gives the time that is needed to find out what became of it, but once only.
    pub(crate) fn doubt(&mut self) {
        if !self.doubted {
            self.doubted = true;
            self.asked = Instant::now();
        }
    }

    pub(crate) fn waits_for(&self) -> Duration {
        self.asked.elapsed()
    }
}

#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Notify,
    events_max: usize,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    size: Size,
    closed: bool,
}

impl Waiting {
    fn pop(&mut self) -> Option<Job> {
        let job = self.jobs.pop_front()?;
        self.size.events -= job.size.events;
        self.size.bytes -= job.size.bytes;
        Some(job)
    }
}

impl Queue {
    pub(crate) fn new(events_max: usize, bytes_max: usize) -> Self {
        Self { waiting: Mutex::default(), changed: Notify::new(), events_max, bytes_max }
    }

    /// Adds a call when it is first polled, and waits for what became of it.
    pub(crate) async fn answer(&self, units: Vec<Unit>, size: Size) -> Answer {
        let (job, answered) = Job::new(units, size);
        self.push(job)?;
        answered.await.unwrap_or_else(|_| {
            Err(JournalError::Unavailable("the committing task has ended".to_owned()))
        })
    }

    /// Adds a call, or refuses it at once when the queue is full: waiting here would put
    /// memory under the control of whoever sends fastest.
    pub(crate) fn push(&self, job: Job) -> Result<(), JournalError> {
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
    pub(crate) async fn take(&self, events_max: usize) -> Option<Vec<Job>> {
        loop {
            {
                let mut waiting = hold(&self.waiting);
                let mut jobs = Vec::with_capacity(waiting.jobs.len());
                let mut events = 0;
                while let Some(next) = waiting.jobs.front() {
                    events += next.size.events;
                    if !jobs.is_empty() && events > events_max {
                        break;
                    }
                    jobs.extend(waiting.pop());
                }
                if !jobs.is_empty() {
                    return Some(jobs);
                }
                if waiting.closed {
                    return None;
                }
            }
            self.changed.notified().await;
        }
    }

    /// Answers the calls which have waited for longer than `patience`.
    pub(crate) fn expire(&self, patience: Duration, error: &JournalError) {
        let mut waiting = hold(&self.waiting);
        while waiting.jobs.front().is_some_and(|job| job.waits_for() >= patience) {
            if let Some(mut job) = waiting.pop() {
                job.fail(error.clone());
            }
        }
    }

    /// Lets nothing more in; what waits is still served.
    pub(crate) fn close(&self) {
        hold(&self.waiting).closed = true;
        self.changed.notify_one();
    }

    pub(crate) fn is_closed(&self) -> bool {
        hold(&self.waiting).closed
    }

    pub(crate) fn events(&self) -> usize {
        hold(&self.waiting).size.events
    }
}
