//! The committing task: everything that waits goes into one transaction and one round trip.
//!
//! When the session is lost in the middle, the outcome is unknown. Then the old session is ended
//! first, so that it can no longer take effect, and the events are looked for by their ids.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};

use super::batch::{self, Appended};
use super::faults::{Failure, failure, harms_all, may_pass, refused};
use super::resolve::{self, Backend};
use super::shared::Shared;
use crate::queue::Job;
use crate::{JournalError, Unit, Verdict};

/// Limits of one transaction; a larger unit is alone in its own.
const EVENTS_MAX: usize = 4_096;
const BYTES_MAX: usize = 8 << 20;
/// A server that has not answered by then is taken for lost.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// Attempts for a call that others stand in the way of.
const TRIES: u32 = 2;
const PAUSE: Duration = Duration::from_millis(100);

/// A unit of a job, by index.
type Place = (usize, usize);

pub(super) struct Committer {
    shared: Arc<Shared>,
    session: Option<(PgConnection, Backend)>,
    /// A session that was lost while it may have been committing.
    lost: Option<Backend>,
    /// The server is known to be away; said once.
    away: bool,
}

/// What an attempt led to.
enum Attempt {
    Done,
    /// The server rolled it back: SQLSTATE and what it said.
    Refused(String, String),
    Away(JournalError),
}

impl Committer {
    /// Goes on with a session that is set up already.
    pub(super) async fn new(
        shared: Arc<Shared>,
        mut session: PgConnection,
    ) -> Result<Self, JournalError> {
        let backend = Backend::of(&mut session).await?;
        shared.committing.store(backend.pid, Relaxed);
        Ok(Self { shared, session: Some((session, backend)), lost: None, away: false })
    }

    /// Serves the queue until it is closed and empty.
    pub(super) async fn run(mut self) {
        while let Some(jobs) = self.shared.queue.take(EVENTS_MAX).await {
            self.serve(jobs).await;
        }
        if let Some((session, _)) = self.session.take() {
            // All is answered; a failed goodbye changes nothing.
            let _ = session.close().await;
        }
        self.shared.pool.close().await;
        self.shared.close();
    }

    async fn serve(&mut self, mut jobs: Vec<Job>) {
        let mut doubtful: Vec<Place> = Vec::new();
        // Once a batch was refused, its calls go one by one, so that one harms no other.
        let mut apart = false;
        let mut tries = 0;
        loop {
            let places = pick(&jobs, apart);
            let Some(first) = places.first().map(|place| place.0) else { return };
            match self.attempt(&mut jobs, &places, &mut doubtful).await {
                Attempt::Done => tries = 0,
                Attempt::Refused(code, said) if harms_all(&code) => {
                    let error = refused(&code, &said);
                    if matches!(error, JournalError::Full) {
                        crate::held::hold(&self.shared.stats).full += 1;
                    }
                    tracing::error!(%error, "nothing can be appended");
                    jobs.iter_mut().for_each(|job| job.fail(error.clone()));
                }
                Attempt::Refused(..) if !apart && places.iter().any(|place| place.0 != first) => {
                    apart = true;
                }
                Attempt::Refused(code, said) => {
                    apart = true;
                    tries += 1;
                    if !may_pass(&code) || tries >= TRIES {
                        jobs[first].fail(refused(&code, &said));
                        tries = 0;
                    }
                }
                Attempt::Away(error) => self.wait(&mut jobs, &doubtful, error).await,
            }
            jobs.iter_mut().for_each(Job::finish);
        }
    }

    /// The server is away: those who have waited long enough are told so.
    async fn wait(&mut self, jobs: &mut [Job], doubtful: &[Place], error: JournalError) {
        let closing = self.shared.queue.is_closed();
        let patience = if closing { Duration::ZERO } else { self.shared.options.patience };
        for (index, job) in jobs.iter_mut().enumerate() {
            if job.waits_for() < patience {
                continue;
            }
            job.fail(match doubtful.iter().any(|place| place.0 == index) {
                false => error.clone(),
                true => JournalError::Unavailable(format!(
                    "{error}; the append was under way and may have taken effect: read before \
                     trying again"
                )),
            });
        }
        self.shared.queue.expire(patience, &error);
        if !self.away {
            tracing::warn!(%error, "PostgreSQL is away; appends wait for it");
            self.away = true;
        }
        if jobs.iter().any(|job| job.open().next().is_some()) {
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn attempt(
        &mut self,
        jobs: &mut [Job],
        places: &[Place],
        doubtful: &mut Vec<Place>,
    ) -> Attempt {
        let (mut session, backend) = match self.session().await {
            Ok(session) => session,
            Err(error) => return Attempt::Away(error),
        };
        if !doubtful.is_empty() {
            let found = match resolve::look_for(&mut session, &units(jobs, doubtful)).await {
                Ok(found) => found,
                Err(error) => return Attempt::Away(error),
            };
            self.session = Some((session, backend));
            for (place, verdict) in std::mem::take(doubtful).into_iter().zip(found) {
                if let Some(verdict) = verdict {
                    self.settle(jobs, place, verdict);
                }
            }
            return Attempt::Done;
        }
        let began = Instant::now();
        let units = units(jobs, places);
        let appending = batch::append(&mut session, &units);
        let failed = match tokio::time::timeout(ANSWER_WITHIN, appending).await {
            Ok(Ok(Appended { verdicts, events })) => {
                self.session = Some((session, backend));
                if !events.is_empty() {
                    self.shared.committed(&events, began.elapsed());
                    self.shared.publish(events);
                }
                for (place, verdict) in places.iter().zip(verdicts) {
                    jobs[place.0].settle(place.1, verdict);
                }
                return Attempt::Done;
            }
            Ok(Err(error)) => failure(&error),
            Err(_) => Failure::Unknown("no answer in time".to_owned()),
        };
        match failed {
            Failure::Refused { code, said } => {
                self.session = Some((session, backend));
                Attempt::Refused(code, said)
            }
            Failure::Unknown(what) => {
                tracing::warn!(what, "the session was lost in the middle of an append");
                crate::held::hold(&self.shared.stats).reopens += 1;
                self.lost = Some(backend);
                *doubtful = places.to_vec();
                for place in places {
                    jobs[place.0].doubt();
                }
                Attempt::Away(JournalError::Unavailable(format!(
                    "the connection was lost ({what})"
                )))
            }
        }
    }

    fn settle(&self, jobs: &mut [Job], place: Place, verdict: Verdict) {
        if let Verdict::Committed { last, .. } = verdict {
            self.shared.saw(last.0);
        }
        jobs[place.0].settle(place.1, verdict);
    }

    /// The session, or a new one once it is sure that the old one is over.
    async fn session(&mut self) -> Result<(PgConnection, Backend), JournalError> {
        if let Some(session) = self.session.take() {
            return Ok(session);
        }
        let mut session = self.shared.server.connect().await?;
        if let Some(lost) = self.lost {
            resolve::end(&mut session, lost).await?;
            self.lost = None;
        }
        let backend = Backend::of(&mut session).await?;
        self.shared.committing.store(backend.pid, Relaxed);
        self.away = false;
        Ok((session, backend))
    }
}

fn units<'a>(jobs: &'a [Job], places: &[Place]) -> Vec<&'a Unit> {
    places.iter().map(|place| &jobs[place.0].units[place.1]).collect()
}

/// The units for the next transaction, in order: of one job only if they go `apart`.
fn pick(jobs: &[Job], apart: bool) -> Vec<Place> {
    let mut picked: Vec<Place> = Vec::new();
    let mut events = 0;
    let mut bytes = 0_usize;
    for (index, job) in jobs.iter().enumerate() {
        for unit in job.open() {
            let groups = &job.units[unit].groups;
            events += groups.iter().map(|group| group.events.len()).sum::<usize>();
            bytes = bytes.saturating_add(batch::weight(&job.units[unit]));
            if !picked.is_empty() && (events > EVENTS_MAX || bytes > BYTES_MAX) {
                return picked;
            }
            picked.push((index, unit));
        }
        if apart && !picked.is_empty() {
            break;
        }
    }
    picked
}
