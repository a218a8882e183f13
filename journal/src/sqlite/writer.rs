//! The committing thread: takes all that waits into one transaction, again and again.

use std::mem;
use std::sync::Arc;
use std::time::Instant;

use rusqlite::Connection;
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

use super::fault::WriteFault;
use super::lock::WriterLock;
use super::mover::Mover;
use super::options::Injected;
use super::queue::Job;
use super::record::{ChunkBuilder, Names};
use super::saver::HeadSaver;
use super::shared::{Progress, Shared, complete_heads};
use super::stage::{Outcome, Stage};
use super::{chunks, file};
use crate::check::whole_micros;
use crate::held::{hold, write};
use crate::{JournalError, Verdict};

/// Most events of one transaction, so that a long queue is answered bit by bit.
const COMMIT_EVENTS_MAX: usize = 16_384;
/// Payload and metadata in a page of the file, about.
const PAGE_EVENT_BYTES: u64 = 6_000;
/// Heads saved per transaction on the way out.
const CLOSE_STEP: usize = 16_384;

pub(super) struct Writer {
    shared: Arc<Shared>,
    /// Goes before the connection: the last one to close tidies up, and must be the writer's.
    mover: Option<Mover>,
    /// `None` after a failure, until it could be opened again.
    connection: Option<Connection>,
    saver: HeadSaver,
    builder: ChunkBuilder,
    head: u64,
    chain: u32,
    /// Set once the store has contradicted itself: nothing more is written then.
    broken: Option<JournalError>,
    _lock: WriterLock,
}

impl Writer {
    /// Finds the head and completes the stream heads from the events not yet saved in the table.
    pub(super) fn start(
        shared: Arc<Shared>,
        connection: Connection,
        lock: WriterLock,
    ) -> Result<Self, JournalError> {
        let (head, chain) = chunks::last(&connection)?;
        let saved: i64 = file::meta(&connection, "heads_saved_through")?;
        let saved = (saved as u64).min(head);
        {
            let mut heads = hold(&shared.heads);
            complete_heads(
                &connection,
                &shared.shelf,
                &mut Names::default(),
                &mut heads,
                saved,
                head,
            )?;
        }
        let mover = Mover::start(&shared.path, &shared.options)?;
        shared.progress.send_replace(Progress { head, closed: false });
        Ok(Self {
            shared,
            mover: Some(mover),
            connection: Some(connection),
            saver: HeadSaver::new(saved),
            builder: ChunkBuilder::default(),
            head,
            chain,
            broken: None,
            _lock: lock,
        })
    }

    pub(super) fn run(self) {
        let _mark = MarkClosed(Arc::clone(&self.shared));
        // Declared after the mark, so that file and lock are free before anyone hears of it.
        let mut writer = self;
        if writer.shared.options.realtime_priority {
            raise_priority();
        }
        while let Some(jobs) = writer.shared.queue.take(COMMIT_EVENTS_MAX) {
            writer.serve(jobs);
        }
        writer.mover = None;
        if let Err(fault) = writer.save_all_heads() {
            let why = fault.answer();
            tracing::warn!(%why, "stream heads were not saved: the next start reads them again");
        }
        writer.shared.drop_readers();
    }

    fn serve(&mut self, mut jobs: Vec<Job>) {
        let began = Instant::now();
        let committed = self.ensure_connection().and_then(|()| self.commit(&mut jobs));
        let (outcome, verdicts) = match committed {
            Ok(done) => done,
            Err(fault) => return self.refuse(jobs, fault),
        };
        // Each chunk is on pages of its own but the last; heads are saved a page or two a time.
        let pages =
            if outcome.events.is_empty() { 0 } else { 1 + outcome.bytes / PAGE_EVENT_BYTES };
        if pages > 0 {
            self.publish(outcome, began);
        }
        for (job, verdicts) in jobs.into_iter().zip(verdicts) {
            // A caller that no longer waits will find its events by reading.
            let _ = job.answer.send(Ok(verdicts));
        }
        if let (Some(mover), Some(connection)) = (&mut self.mover, &self.connection) {
            mover.committed(connection, pages);
        }
    }

    fn commit(&mut self, jobs: &mut [Job]) -> Result<(Outcome, Vec<Vec<Verdict>>), WriteFault> {
        let Some(connection) = &self.connection else {
            return Err(WriteFault::Lost("the store is not open".to_owned()));
        };
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        self.builder.clear();
        let mut stage = Stage {
            connection,
            shared: &self.shared,
            saver: &mut self.saver,
            builder: &mut self.builder,
            recorded: whole_micros((self.shared.options.clock)()),
            outcome: Outcome { head: self.head, chain: self.chain, ..Outcome::default() },
            unit_heads: Vec::new(),
        };
        let mut verdicts = Vec::with_capacity(jobs.len());
        for job in jobs {
            let units = mem::take(&mut job.units);
            verdicts
                .push(units.into_iter().map(|unit| stage.unit(unit)).collect::<Result<_, _>>()?);
        }
        stage.write_chunk()?;
        let outcome = stage.outcome;
        if outcome.events.is_empty() {
            connection.prepare_cached("ROLLBACK")?.execute([])?;
            return Ok((outcome, verdicts));
        }
        self.saver.begin_if_due(&mut hold(&self.shared.heads), self.head);
        self.saver.step(connection, outcome.events.len())?;
        let injected = self.shared.options.commit_fault.as_ref().and_then(|fault| fault());
        if injected == Some(Injected::SyncLost) {
            return Err(WriteFault::Lost("injected".to_owned()));
        }
        connection.prepare_cached("COMMIT")?.execute([])?;
        if injected == Some(Injected::SyncKept) {
            return Err(WriteFault::Lost("injected".to_owned()));
        }
        Ok((outcome, verdicts))
    }

    /// Lets everyone see what is durable now.
    fn publish(&mut self, outcome: Outcome, began: Instant) {
        let count = outcome.events.len() as u64;
        self.head = outcome.head;
        self.chain = outcome.chain;
        {
            let mut heads = hold(&self.shared.heads);
            for (stream, head) in outcome.heads {
                heads.changed(stream, head);
            }
            self.saver.confirm();
        }
        {
            let mut tail = write(&self.shared.tail);
            for linked in outcome.events {
                tail.push(linked);
            }
            // Under the lock, so that no reader gets events which `head()` denies.
            self.shared.progress.send_modify(|progress| progress.head = outcome.head);
        }
        self.shared.counters.committed(count, outcome.bytes, began.elapsed());
    }

    fn refuse(&mut self, jobs: Vec<Job>, fault: WriteFault) {
        let rolled_back = match &self.connection {
            Some(connection) if !connection.is_autocommit() => connection.execute_batch("ROLLBACK"),
            _ => Ok(()),
        };
        let fault = match rolled_back {
            Ok(()) => fault,
            Err(error) => WriteFault::Lost(error.to_string()),
        };
        if matches!(fault, WriteFault::Full) {
            self.shared.counters.full.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        if matches!(fault, WriteFault::Lost(_)) {
            // After a failed sync the system may have thrown the pages away and yet report
            // success the next time, so neither the connection nor what it caches is kept.
            self.mover = None;
            self.connection = None;
            self.shared.drop_readers();
        }
        let answer = fault.answer();
        tracing::warn!(%answer, events = jobs.iter().map(|j| j.size.events).sum::<usize>(), "append failed");
        // Reopened before anyone is answered, so that whoever reads next reads the truth.
        if self.connection.is_none()
            && let Err(fault) = self.ensure_connection()
        {
            let why = fault.answer();
            tracing::warn!(%why, "the journal could not be reopened: the next append tries again");
        }
        for job in jobs {
            let _ = job.answer.send(Err(answer.clone()));
        }
    }

    fn ensure_connection(&mut self) -> Result<(), WriteFault> {
        if let Some(error) = &self.broken {
            return Err(WriteFault::Refused(error.clone()));
        }
        if self.connection.is_some() {
            return Ok(());
        }
        let mut options = self.shared.options.clone();
        options.create_if_missing = false;
        let (connection, id) = file::open_for_writing(&self.shared.path, &options)?;
        self.shared.counters.reopens.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if let Err(error) = self.catch_up(&connection, id) {
            if let JournalError::Corrupt { .. } = error {
                self.broken = Some(error.clone());
            }
            return Err(error.into());
        }
        self.mover = Some(Mover::start(&self.shared.path, &self.shared.options)?);
        self.connection = Some(connection);
        Ok(())
    }

    /// Reads what became of a commit whose outcome was not known.
    fn catch_up(&mut self, connection: &Connection, id: uuid::Uuid) -> Result<(), JournalError> {
        let (head, chain) = chunks::last(connection)?;
        if id != self.shared.id || head < self.head {
            let problem = format!("acknowledged events are gone: the journal ends at {head}");
            return Err(JournalError::Corrupt { at: Some(crate::Position(self.head)), problem });
        }
        {
            let mut heads = hold(&self.shared.heads);
            complete_heads(
                connection,
                &self.shared.shelf,
                &mut Names::default(),
                &mut heads,
                self.head,
                head,
            )?;
        }
        self.head = head;
        self.chain = chain;
        write(&self.shared.tail).clear();
        self.shared.progress.send_modify(|progress| progress.head = head);
        Ok(())
    }

    fn save_all_heads(&mut self) -> Result<(), WriteFault> {
        self.ensure_connection()?;
        let Some(connection) = &self.connection else {
            return Ok(());
        };
        loop {
            if !self.saver.is_under_way() {
                if self.saver.has_begun(self.head) {
                    break;
                }
                self.saver.begin(&mut hold(&self.shared.heads), self.head);
            }
            let transaction = connection.unchecked_transaction()?;
            self.saver.step(connection, CLOSE_STEP)?;
            transaction.commit()?;
            self.saver.confirm();
        }
        Ok(())
    }
}

/// However the thread ends, nobody is left waiting for it.
struct MarkClosed(Arc<Shared>);

impl Drop for MarkClosed {
    fn drop(&mut self) {
        self.0.queue.abandon();
        self.0.progress.send_modify(|progress| progress.closed = true);
    }
}

fn raise_priority() {
    let refused = match ThreadPriorityValue::try_from(1) {
        Ok(one) => set_thread_priority_and_policy(
            thread_native_id(),
            ThreadPriority::Crossplatform(one),
            ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo),
        )
        .err()
        .map(|error| format!("{error:?}")),
        Err(error) => Some(error.to_owned()),
    };
    if let Some(error) = refused {
        tracing::info!(
            error,
            "no real-time priority for the committing thread: on a busy machine commits will wait for the scheduler"
        );
    }
}
