//! The relay's round: wait until this node leads, ask the bus how far it is, publish what follows.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join;
use journal::{JournalError, Position};

use super::bus::{BusError, Mark};
use super::progress::RelayState;
use super::{Relay, Start};

/// How long the journal may be behind the bus before it is said.
const BEHIND: Duration = Duration::from_secs(10);
/// How long the last mark of an orderly end may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why a term ended.
enum End {
    /// The journal is closed.
    Closed,
    /// Another node leads, or this one anew.
    LeaseLost,
    Overtaken,
    /// It will be right again by itself.
    Later(String),
    /// Somebody must do something.
    SetUp(String),
    /// A newer release must do the next one.
    Newer(String),
}

impl From<BusError> for End {
    fn from(error: BusError) -> Self {
        match error {
            BusError::Unavailable(what) => Self::Later(what),
            BusError::Overtaken => Self::Overtaken,
            BusError::SetUp(what) => Self::SetUp(what),
        }
    }
}

impl From<JournalError> for End {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Closed => Self::Closed,
            other => Self::Later(other.to_string()),
        }
    }
}

impl Relay {
    /// Works until `stop` resolves or the journal closes. Fails never: what goes wrong is said
    /// once, shown by the handle, and tried again.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let end = tokio::select! {
                biased;
                () = &mut stop => {
                    self.farewell().await;
                    break;
                }
                end = self.term() => end,
            };
            if let End::Closed = end {
                break;
            }
            // The pause is part of what `stop` ends.
            tokio::select! {
                biased;
                () = &mut stop => {
                    self.farewell().await;
                    break;
                }
                () = self.after(end) => {}
            }
        }
        self.handle.update(|progress| progress.state = RelayState::Idle);
    }

    /// From this node's beginning to lead to its end.
    async fn term(&mut self) -> End {
        let mut leadership = self.leadership.clone();
        if !leadership.leads() {
            self.handle.update(|progress| {
                progress.state = RelayState::Standby;
                progress.oldest_waiting = None;
            });
            leadership.gained().await;
        }
        tokio::select! {
            biased;
            () = leadership.lost() => End::LeaseLost,
            end = self.work() => match end {
                Ok(never) => match never {},
                Err(end) => end,
            },
        }
    }

    async fn work(&mut self) -> Result<Infallible, End> {
        let mark = self.bus.resume(self.journal.id()).await?;
        let mut at = self.starting_point(mark).await?;
        let mut ahead = self.pages.read(at.position).await?;
        self.handle.update(|progress| {
            progress.state = RelayState::Leading;
            progress.position = at.position;
        });
        loop {
            if ahead.is_empty() {
                self.recovered();
                self.handle.update(|progress| progress.oldest_waiting = None);
                self.wait_past(at.position).await?;
                ahead = self.pages.read(at.position).await?;
                continue;
            }
            let oldest = ahead.first().map(|event| event.recorded);
            self.handle.update(|progress| progress.oldest_waiting = oldest);
            let page = self.pages.work_out(at, &ahead).await?;
            let count = page.messages.len() as u64;
            // The next stretch is read while this one is on its way.
            let publish = async {
                match count {
                    0 => Ok(()),
                    _ => self.bus.publish(page.messages).await,
                }
            };
            let (published, next) = join(publish, self.pages.read(page.upto.position)).await;
            published?;
            at = page.upto;
            self.handle.update(|progress| {
                progress.position = at.position;
                progress.published += count;
                progress.unreadable += page.unreadable;
            });
            self.passed(at, page.events, count > 0).await?;
            if let Some(what) = page.newer {
                return Err(End::Newer(what));
            }
            ahead = next?;
        }
    }

    /// Waits for news; keeps the mark when there has been none for a while.
    async fn wait_past(&mut self, position: Position) -> Result<(), End> {
        tokio::select! {
            biased;
            news = self.journal.wait_past(position) => {
                news?;
                return Ok(());
            }
            () = self.sleep(self.options.quiet) => {}
        }
        self.keep_mark().await?;
        self.journal.wait_past(position).await?;
        Ok(())
    }

    /// A message is a mark in itself; a long stretch without one needs another.
    async fn passed(&mut self, at: Mark, events: u64, told: bool) -> Result<(), End> {
        self.unmarked = Some(at);
        self.untold = if told { 0 } else { self.untold + events };
        if told {
            self.recovered();
        }
        if self.untold >= self.options.mark_events { self.keep_mark().await } else { Ok(()) }
    }

    async fn keep_mark(&mut self) -> Result<(), End> {
        if let Some(mark) = self.unmarked {
            self.bus.keep(mark).await?;
            self.unmarked = None;
            self.untold = 0;
        }
        Ok(())
    }

    /// Where to go on; makes sure that the journal is the one the bus was told from.
    async fn starting_point(&mut self, mark: Option<Mark>) -> Result<Mark, End> {
        self.unmarked = None;
        self.untold = 0;
        let Some(mark) = mark else {
            let position = match self.options.start {
                Start::Beginning => Position::default(),
                Start::Head => self.journal.head(),
            };
            let mark = Mark { position, event: None };
            if self.options.start == Start::Head {
                // Or the next start would begin at a later head.
                self.bus.keep(mark).await?;
            }
            return Ok(mark);
        };
        self.journal_reaches(mark.position).await?;
        if let Some(told) = mark.event {
            let before = Position(mark.position.0.saturating_sub(1));
            let there = self.journal.read_all(before, 1).await?;
            let same = there.first().is_some_and(|e| e.position == mark.position && e.id == told);
            if !same {
                return Err(End::SetUp(format!(
                    "the bus has been told of event {told} at position {}, where this journal \
                     has another: it was restored from a copy and took another course since. What \
                     was told cannot be taken back; give this journal a stream of its own, and \
                     tell the consumers",
                    mark.position.0
                )));
            }
        }
        Ok(mark)
    }

    /// A node's journal can be moments behind what another node's relay has told. One that was
    /// restored from an older copy is behind for good.
    async fn journal_reaches(&mut self, position: Position) -> Result<(), End> {
        let head = self.journal.head();
        if head >= position {
            return Ok(());
        }
        let before = Position(position.0.saturating_sub(1));
        tokio::select! {
            biased;
            reached = self.journal.wait_past(before) => {
                reached?;
                return Ok(());
            }
            () = self.sleep(BEHIND) => {}
        }
        self.troubled(&format!(
            "the bus has been told up to position {} and this journal ends at {}: it was restored \
             from an older copy, or follows from far behind. Nothing is told before it gets there; \
             if it was restored, give it a stream of its own",
            position.0, head.0
        ));
        self.journal.wait_past(before).await?;
        Ok(())
    }

    /// Says what was wrong and waits as long as that deserves.
    async fn after(&mut self, end: End) {
        match end {
            // Whoever holds the lease says so.
            End::Closed | End::LeaseLost => {}
            End::Overtaken => {
                tracing::debug!("relay: another relay has published meanwhile");
                self.pause(self.options.retry_min).await;
            }
            End::Later(what) => {
                self.troubled(&what);
                let doubled = self.options.retry_min * 2_u32.saturating_pow(self.failures.min(10));
                self.failures = self.failures.saturating_add(1);
                self.pause(doubled.min(self.options.retry_max)).await;
            }
            End::SetUp(what) | End::Newer(what) => {
                self.troubled(&what);
                self.pause(self.options.retry_max).await;
            }
        }
    }

    async fn pause(&self, duration: Duration) {
        self.handle.update(|progress| progress.retries += 1);
        self.sleep(duration).await;
    }

    async fn sleep(&self, duration: Duration) {
        self.options.timer.sleep(duration).await;
    }

    fn troubled(&mut self, what: &str) {
        self.handle.update(|progress| progress.state = RelayState::Troubled(what.to_owned()));
        if self.trouble.as_deref() != Some(what) {
            tracing::warn!("relay: {what}");
            self.trouble = Some(what.to_owned());
        }
    }

    fn recovered(&mut self) {
        self.failures = 0;
        if self.trouble.take().is_some() {
            tracing::info!("relay: publishing again");
        }
    }

    async fn farewell(&mut self) {
        let timer = Arc::clone(&self.options.timer);
        tokio::select! {
            biased;
            // If it does not work, a few events are looked at again.
            _ = self.keep_mark() => {}
            () = timer.sleep(FAREWELL) => {}
        }
    }
}
