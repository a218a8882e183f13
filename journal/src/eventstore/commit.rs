//! The committing task: judges what waits, and appends what passes where the log ends.
//!
//! Each append names the event it follows on. If that is no longer the last, another node was first,
//! and all is judged anew. When the connection is lost in the middle, the log is read: either our
//! events are where they were to go, or others are and ours never will be. If nothing is there yet the
//! same append is sent again, with the same ids: of the two only one can take effect.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use uuid::Uuid;

use super::draft::Draft;
use super::faults::Failure;
use super::fold::Fold;
use super::judge::{self, Batch};
use super::log::LogEvent;
use super::shared::{News, Passing, Shared};
use crate::JournalError;
use crate::held::hold;
use crate::queue::Job;

/// Most events taken from the queue at once.
const EVENTS_MAX: usize = 4_096;
/// Events of the log read at once.
pub(super) const PAGE: usize = 1_000;
const PAUSE: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// After so many appends in vain a node asks for its turn.
const VAIN_MAX: u32 = 3;

pub(super) struct Committer {
    pub(super) shared: Arc<Shared>,
    pub(super) fold: Fold,
    /// Tells this node's turns from those of others.
    node: Uuid,
    /// How often in a row the server could not be reached.
    failures: u32,
    /// The log was seen to end here since the jobs at hand were asked for.
    end_seen: Option<u64>,
}

/// What an attempt led to.
enum Step {
    Done,
    /// Others were first.
    Overtaken,
    Refused(JournalError),
    Away(JournalError),
}

/// What is where a piece of ours was to go.
enum Found {
    Nothing,
    Ours,
    Others,
}

impl Committer {
    pub(super) fn new(shared: Arc<Shared>, fold: Fold) -> Self {
        shared.took_in(&fold);
        Self { shared, fold, node: Uuid::now_v7(), failures: 0, end_seen: None }
    }

    /// Serves the queue until it is closed and empty.
    pub(super) async fn run(
        mut self,
        mut news: mpsc::Receiver<News>,
        mut passing: mpsc::Receiver<Passing>,
    ) {
        let shared = Arc::clone(&self.shared);
        loop {
            tokio::select! {
                biased;
                Some(passing) = passing.recv() => self.pass(passing).await,
                Some(News { events, done }) = news.recv() => {
                    let _ = done.send(self.take_in(events).await);
                }
                jobs = shared.queue.take(EVENTS_MAX) => match jobs {
                    Some(jobs) => self.serve(jobs).await,
                    None => break,
                },
            }
        }
        shared.mirror.note(&self.fold, true);
        shared.mirror.close().await;
        shared.close();
    }

    /// Takes in what follows in the log. Nothing is taken in by halves.
    pub(super) async fn take_in(&mut self, events: Vec<LogEvent>) -> Result<(), JournalError> {
        self.shared.ensure_sound()?;
        let taken = async {
            let mut fold = self.fold.clone();
            let mut units = Vec::new();
            for event in events {
                if event.place >= fold.next {
                    units.extend(fold.take(&event)?);
                }
            }
            self.shared.mirror.apply(units).await?;
            Ok(fold)
        };
        self.fold = taken.await.inspect_err(|error| self.shared.failed(error))?;
        self.shared.took_in(&self.fold);
        self.shared.mirror.note(&self.fold, false);
        Ok(())
    }

    async fn serve(&mut self, mut jobs: Vec<Job>) {
        let mut kept: Option<Batch> = None;
        let mut vain = 0;
        self.end_seen = None;
        loop {
            jobs.iter_mut().for_each(Job::finish);
            if jobs.iter().all(|job| job.open().next().is_none()) {
                return;
            }
            let judged = match kept.take() {
                Some(batch) => Ok(batch),
                None => self.judge(&jobs).await,
            };
            let step = match judged {
                Ok(batch) => {
                    let batch = kept.insert(batch);
                    self.push(batch).await
                }
                Err(error) => Step::Refused(error),
            };
            match step {
                Step::Done => {
                    vain = 0;
                    for ((job, unit), verdict) in kept.take().unwrap_or_default().verdicts {
                        jobs[job].settle(unit, verdict);
                    }
                }
                Step::Overtaken => {
                    kept = None;
                    vain += 1;
                    if vain % VAIN_MAX == 0 {
                        self.ask_for_turn().await;
                    }
                }
                Step::Refused(error) => jobs.iter_mut().for_each(|job| job.fail(error.clone())),
                Step::Away(error) => self.wait(&mut jobs, kept.as_ref(), error).await,
            }
        }
    }

    /// A node that reads for longer than others take to append would never be first.
    async fn ask_for_turn(&mut self) {
        let asked = match Draft::turn(self.node) {
            Ok(draft) => self.shared.server.append_anywhere(&draft).await,
            Err(error) => Err(Failure::Refused(error)),
        };
        if let Err(failure) = asked {
            tracing::debug!(?failure, "could not ask for a turn");
        }
        // Without news of it the next append would be in vain, and bring them.
        let _ = self.look().await;
    }

    async fn judge(&mut self, jobs: &[Job]) -> Result<Batch, JournalError> {
        self.shared.ensure_sound()?;
        while self.fold.is_for_others_until(self.node).is_some_and(|end| end > Instant::now()) {
            tokio::time::sleep(PAUSE / 5).await;
            // If the server is away, the append will find out.
            let _ = self.look().await;
        }
        let (mirror, options) = (&self.shared.mirror, &self.shared.options);
        let clock = &options.embedded.clock;
        let quick = self.shared.server.is_quick();
        judge::judge(jobs, &self.fold, mirror, clock, options.append_bytes_max, quick).await
    }

    /// Makes a batch true, or finds out that it cannot be.
    async fn push(&mut self, batch: &mut Batch) -> Step {
        if batch.pieces.is_empty() {
            // Verdicts alone are true if the log ended where they were found.
            if self.end_seen == Some(self.fold.next) {
                return Step::Done;
            }
            return match self.look().await {
                Ok(None) => {
                    self.failures = 0;
                    Step::Done
                }
                Ok(Some(_)) => Step::Overtaken,
                Err(error) => Step::Away(error),
            };
        }
        let began = Instant::now();
        while let Some(piece) = batch.pieces.get(batch.done) {
            // It was judged for this place alone.
            if batch.place != self.fold.next {
                return Step::Overtaken;
            }
            let mut tried = Ok(());
            if !batch.unsure {
                tried = self.append(piece).await;
            }
            if batch.unsure || matches!(tried, Err(Failure::Moved)) {
                match self.find(piece).await {
                    Ok(Found::Ours) => tried = Ok(()),
                    Ok(Found::Others) => return Step::Overtaken,
                    Ok(Found::Nothing) if batch.unsure => tried = self.append(piece).await,
                    Ok(Found::Nothing) => {}
                    Err(error) => return Step::Away(error),
                }
            }
            match tried {
                Ok(()) => {
                    batch.place += piece.len() as u64;
                    batch.unsure = false;
                    batch.done += 1;
                }
                // Unless an earlier attempt may still take effect.
                Err(Failure::Refused(error)) if !batch.unsure => return Step::Refused(error),
                Err(failure) => {
                    if let Failure::Unknown(_) = failure {
                        hold(&self.shared.stats).reopens += 1;
                    }
                    batch.unsure |= matches!(failure, Failure::Unknown(_) | Failure::NotTakenIn(_));
                    return Step::Away(failure.error(&self.shared.server.place));
                }
            }
        }
        self.shared.committed(batch.events, batch.bytes, began.elapsed());
        self.failures = 0;
        Step::Done
    }

    /// Appends a piece and takes it in.
    async fn append(&mut self, piece: &[Draft]) -> Result<(), Failure> {
        let next = self.fold.next;
        self.shared.server.append(next, piece).await?;
        self.shared.is_current();
        let events =
            piece.iter().zip(next..).map(|(draft, place)| draft.read_back(place)).collect();
        // What cannot be taken in now is found in the log when it is tried again.
        self.take_in(events).await.map_err(Failure::NotTakenIn)
    }

    async fn find(&mut self, piece: &[Draft]) -> Result<Found, JournalError> {
        let wanted = piece.first().map(|draft| draft.id);
        Ok(match self.look().await? {
            None => Found::Nothing,
            found if found == wanted => Found::Ours,
            Some(_) => Found::Others,
        })
    }

    /// Reads what has been appended; the id of the first event of it.
    async fn look(&mut self) -> Result<Option<Uuid>, JournalError> {
        let Some(first) = self.read_on().await? else { return Ok(None) };
        // Whose the first is must not be forgotten for an error that comes later.
        while let Ok(Some(_)) = self.read_on().await {}
        Ok(Some(first))
    }

    async fn read_on(&mut self) -> Result<Option<Uuid>, JournalError> {
        let read = self.shared.server.read(self.fold.next, PAGE).await;
        let events = read.map_err(|failure| failure.error(&self.shared.server.place))?;
        let first = events.first().map(|event| event.id);
        if first.is_none() {
            self.shared.is_current();
            self.end_seen = Some(self.fold.next);
        }
        self.take_in(events).await?;
        Ok(first)
    }

    /// The server is away: those who have waited long enough are told so.
    async fn wait(&mut self, jobs: &mut [Job], batch: Option<&Batch>, error: JournalError) {
        let closing = self.shared.queue.is_closed();
        let patience = if closing { Duration::ZERO } else { self.shared.options.patience };
        let doubtful = batch.filter(|batch| batch.unsure || batch.done > 0);
        let sound = self.shared.ensure_sound();
        for (index, job) in jobs.iter_mut().enumerate() {
            let in_doubt = doubtful.is_some_and(|b| b.verdicts.iter().any(|v| v.0.0 == index));
            if in_doubt {
                job.doubt();
            }
            if job.waits_for() < patience && sound.is_ok() {
                continue;
            }
            job.fail(match in_doubt {
                false => error.clone(),
                true => JournalError::Unavailable(format!(
                    "{error}; the append was under way and may have taken effect: read before \
                     trying again"
                )),
            });
        }
        self.shared.queue.expire(patience, &error);
        if jobs.iter().any(|job| job.open().next().is_some()) {
            self.pause(&error).await;
        }
    }

    async fn pause(&mut self, error: &JournalError) {
        if self.failures == 0 {
            tracing::warn!(%error, "EventStoreDB is away; appends wait for it");
        }
        let pause = PAUSE.saturating_mul(1 << self.failures.min(5)).min(PAUSE_MAX);
        self.failures += 1;
        tokio::time::sleep(pause).await;
    }

    /// Has a lease pass to an epoch, from which on all nodes refuse what was decided before. Where in
    /// the log it says so is all the same, and so is it if it says so twice.
    async fn pass(&mut self, passing: Passing) {
        let asked = Instant::now();
        let Passing { lease, epoch, done } = passing;
        let answer = loop {
            if self.fold.epochs.get(lease.as_str()).is_some_and(|known| *known >= epoch) {
                break Ok(());
            }
            let appended = match Draft::epoch(&lease, epoch) {
                Ok(draft) => self.shared.server.append_anywhere(&draft).await,
                Err(error) => Err(Failure::Refused(error)),
            };
            let error = match appended {
                Ok(()) => self.look().await.err(),
                Err(Failure::Refused(error)) => break Err(error),
                Err(failure) => {
                    let _ = self.look().await;
                    Some(failure.error(&self.shared.server.place))
                }
            };
            if let Some(error) = error {
                let patience = self.shared.options.patience;
                if asked.elapsed() >= patience || self.shared.queue.is_closed() {
                    break Err(error);
                }
                self.shared.queue.expire(patience, &error);
                self.pause(&error).await;
            }
        };
        let _ = done.send(answer);
    }
}
