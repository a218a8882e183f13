//! One model and its file, fed batch by batch: the part that runner and rebuild share.

use std::sync::Arc;

use journal::{JournalId, Position, StreamId};

use crate::decode::Item;
use crate::directory::{Directory, Generation, SharedConnection, hold};
use crate::file::{self, Checkpoint, ParkedEvent, Pragmas};
use crate::model::{FoldError, Model, guard};
use crate::models::Registration;
use crate::sql::Connection;
use crate::{Envelope, StoreError};

/// What to do with an event that a model cannot digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnBadEvent {
    /// Set it and what follows in its stream aside, and go on.
    Park,
    Fail,
}

/// A batch that was not applied; the file is as it was before.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FeedError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("event {} of stream {stream}: {error}", position.0)]
    BadEvent { position: Position, stream: StreamId, error: String },
}

pub(crate) struct Feed {
    registration: Registration,
    model: Box<dyn Model>,
    generation: Generation,
    connection: SharedConnection,
    /// Everything up to here is applied or parked.
    position: Position,
    /// The position in the file: behind `position` by events that touched no row.
    stored: Position,
    checkpoint: Checkpoint,
    parked: Vec<ParkedEvent>,
    on_bad_event: OnBadEvent,
}

impl Feed {
    /// Opens a generation's file, making its tables if it is empty.
    pub(crate) fn open(
        directory: &Directory,
        registration: &Registration,
        generation: Generation,
        journal: JournalId,
        on_bad_event: OnBadEvent,
    ) -> Result<Self, StoreError> {
        let model = registration.make();
        let pragmas = match on_bad_event {
            OnBadEvent::Park => Pragmas::Live,
            OnBadEvent::Fail => Pragmas::Bulk,
        };
        let connection = directory.writer(model.name(), generation, pragmas)?;
        let (checkpoint, parked) = {
            let connection = hold(&connection);
            connection.roll_back()?;
            let checkpoint = match file::checkpoint(&connection)? {
                Some(checkpoint) => checkpoint,
                None => file::create(&connection, &*model, journal)?,
            };
            (checkpoint, file::parked(&connection, model.name())?)
        };
        Ok(Self {
            registration: *registration,
            model,
            generation,
            connection,
            position: checkpoint.position,
            stored: checkpoint.position,
            checkpoint,
            parked,
            on_bad_event,
        })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.model.name()
    }

    pub(crate) fn generation(&self) -> Generation {
        self.generation
    }

    pub(crate) fn position(&self) -> Position {
        self.position
    }

    pub(crate) fn stored(&self) -> Position {
        self.stored
    }

    pub(crate) fn registration(&self) -> &Registration {
        &self.registration
    }

    /// Whether the file is of this journal and of the model as it is now.
    pub(crate) fn belongs_to(&self, journal: JournalId) -> bool {
        self.checkpoint.journal == journal && self.checkpoint.model_version == self.model.version()
    }

    pub(crate) fn parked(&self) -> &[ParkedEvent] {
        &self.parked
    }

    pub(crate) fn connection(&self) -> SharedConnection {
        Arc::clone(&self.connection)
    }

    /// Folds a batch of which `end` is the last position, in one transaction; returns the number
    /// of rows saved. Items this feed has already seen are passed over. After an error the file
    /// is as it was before.
    pub(crate) fn apply(&mut self, items: &[Item], end: Position) -> Result<usize, FeedError> {
        let first = items.partition_point(|item| item.position <= self.position);
        let items = &items[first..];
        let mut outcome = self.attempt(items, end, Saving::Together);
        if let Err(Fault::SomeEvent) = outcome {
            // Which event is at fault shows when each is saved by itself.
            self.reset()?;
            outcome = self.attempt(items, end, Saving::OneByOne);
        }
        let error = match outcome {
            Ok(rows) => return Ok(rows),
            Err(Fault::Store(error)) => FeedError::Store(error),
            Err(Fault::Refused(error)) => error,
            Err(Fault::SomeEvent) => {
                StoreError::Other("a batch fails, its events do not".to_owned()).into()
            }
        };
        self.reset()?;
        Err(error)
    }

    /// Writes the position, if it moved since it was written last.
    pub(crate) fn store_position(&mut self) -> Result<(), StoreError> {
        if self.stored == self.position {
            return Ok(());
        }
        let written = {
            let connection = hold(&self.connection);
            connection
                .begin_at(self.stored)
                .and_then(|()| file::set_position(&connection, self.position))
                .and_then(|()| connection.commit())
        };
        match written {
            Ok(()) => self.stored = self.position,
            Err(_) => self.reset()?,
        }
        written
    }

    /// Lets the model do a piece of its own work; returns how much, 0 when there is none left.
    pub(crate) fn upkeep(&mut self) -> Result<usize, StoreError> {
        let Some(upkeep) = self.registration.upkeep() else { return Ok(0) };
        let connection = hold(&self.connection);
        connection.begin_at(self.stored)?;
        let done = guard(|| upkeep(&connection)).map_err(|error| match error {
            FoldError::Store(error) => error,
            panicked @ FoldError::Panicked(_) => StoreError::Other(panicked.to_string()),
        });
        match done.flatten() {
            Ok(done) => connection.commit().map(|()| done),
            Err(error) => Err(error),
        }
        .or_else(|error| {
            connection.roll_back()?;
            Err(error)
        })
    }

    /// Moves everything into the main file, on disk, so that the file is whole by itself.
    pub(crate) fn finish(&mut self) -> Result<(), StoreError> {
        while self.upkeep()? > 0 {}
        self.store_position()?;
        hold(&self.connection).complete()?;
        Ok(())
    }

    /// Applies a parked event and forgets that it was parked, in one transaction. The inner
    /// error says why it could not be applied this time either.
    pub(crate) fn retry(&mut self, items: &[Item]) -> Result<Result<(), String>, StoreError> {
        let outcome = self.apply_parked(items);
        if !matches!(outcome, Ok(Ok(()))) {
            self.reset()?;
        }
        outcome
    }

    fn apply_parked(&mut self, items: &[Item]) -> Result<Result<(), String>, StoreError> {
        let Some(position) = items.first().map(|item| item.position) else {
            return Ok(Err("the journal does not have this event".to_owned()));
        };
        let connection = Arc::clone(&self.connection);
        let connection = hold(&connection);
        connection.begin_at(self.stored)?;
        // What changes now is news also for whoever has read up to here.
        file::set_position(&connection, Position(self.stored.0 + 1))?;
        let outcome = items.iter().try_for_each(|item| match &item.event {
            Ok(event) if self.model.wants(event) => {
                self.model.fold(&connection, event)?;
                self.model.flush(&connection).map(drop)
            }
            Ok(_) => Ok(()),
            Err(error) => Err(StoreError::Other(error.clone()).into()),
        });
        match outcome {
            Ok(()) => {
                file::unpark(&connection, position)?;
                file::set_position(&connection, self.stored)?;
                connection.commit()?;
                self.parked.retain(|parked| parked.position != position);
                Ok(Ok(()))
            }
            Err(FoldError::Store(error)) if error.is_environmental() => Err(error),
            Err(error) => Ok(Err(error.to_string())),
        }
    }

    fn attempt(&mut self, items: &[Item], end: Position, saving: Saving) -> Result<usize, Fault> {
        let connection = Arc::clone(&self.connection);
        let connection = hold(&connection);
        let mut open = false;
        let mut rows = 0;
        if connection.is_remote() && matches!(saving, Saving::Together) {
            open = self.ask_ahead(&connection, items)?;
        }
        for item in items {
            if !self.wants(item) {
                continue;
            }
            if !open {
                connection.begin_at(self.stored)?;
                open = true;
                if matches!(saving, Saving::OneByOne) {
                    file::set_position(&connection, end)?;
                }
            }
            let waits = self.parked.iter().any(|parked| parked.stream == item.stream);
            match &item.event {
                _ if waits => self.park(&connection, item, WAITS)?,
                Err(error) => self.park(&connection, item, error)?,
                Ok(event) => match saving {
                    Saving::Together => self.model.fold(&connection, event)?,
                    Saving::OneByOne => rows += self.one(&connection, item, event)?,
                },
            }
        }
        if open {
            // Before the rows are saved, so that those of them which say when they changed find in
            // the store where it will be.
            if matches!(saving, Saving::Together) {
                file::set_position(&connection, end)?;
            }
            rows += self.model.flush(&connection)?;
            connection.commit()?;
            self.stored = end;
        }
        self.position = self.position.max(end);
        Ok(rows)
    }

    fn wants(&mut self, item: &Item) -> bool {
        match &item.event {
            Ok(event) => self.model.wants(event),
            Err(_) => self.model.follows(item.stream.category.as_str()),
        }
    }

    /// Asks for all rows that the batch will load; returns whether a transaction is open for it.
    fn ask_ahead(&mut self, connection: &Connection, items: &[Item]) -> Result<bool, Fault> {
        let mut open = false;
        for item in items {
            if self.wants(item) {
                if !open {
                    connection.begin_at(self.stored)?;
                    open = true;
                }
                if item.event.is_ok() {
                    self.model.ask_ahead(connection)?;
                }
            }
        }
        Ok(open)
    }

    /// Saves one event by itself, or sets it aside.
    fn one(
        &mut self,
        connection: &Connection,
        item: &Item,
        event: &Envelope,
    ) -> Result<usize, Fault> {
        connection.execute_batch("SAVEPOINT event")?;
        let saved = self
            .model
            .fold(connection, event)
            .and_then(|()| self.model.flush(connection))
            .and_then(|rows| Ok(connection.settle().map(|()| rows)?));
        match saved {
            Ok(rows) => {
                connection.execute_batch("RELEASE event")?;
                Ok(rows)
            }
            Err(FoldError::Store(error)) if error.is_environmental() => Err(error.into()),
            Err(error) => {
                connection.execute_batch("ROLLBACK TO event; RELEASE event")?;
                self.model.discard();
                self.park(connection, item, &error.to_string())?;
                Ok(0)
            }
        }
    }

    fn park(&mut self, connection: &Connection, item: &Item, error: &str) -> Result<(), Fault> {
        match self.on_bad_event {
            OnBadEvent::Park => {
                let parked = ParkedEvent {
                    model: self.model.name(),
                    position: item.position,
                    stream: item.stream.clone(),
                    error: error.to_owned(),
                };
                tracing::error!(model = parked.model, position = parked.position.0,
                    stream = %parked.stream, error, "event set aside");
                file::park(connection, &parked)?;
                self.parked.push(parked);
                Ok(())
            }
            OnBadEvent::Fail => Err(Fault::Refused(FeedError::BadEvent {
                position: item.position,
                stream: item.stream.clone(),
                error: error.to_owned(),
            })),
        }
    }

    /// Forgets what is in memory and not in the file.
    fn reset(&mut self) -> Result<(), StoreError> {
        self.model.discard();
        let connection = hold(&self.connection);
        connection.roll_back()?;
        self.parked = file::parked(&connection, self.model.name())?;
        // A commit of which nothing was heard may have been one; a server that fell back on its
        // last save may be behind.
        if let Some(found) = file::checkpoint(&connection)?
            && found.position != self.stored
        {
            self.stored = found.position;
            self.position = found.position;
        }
        Ok(())
    }
}

const WAITS: &str = "waits for an earlier event of its stream";

#[derive(Debug, Clone, Copy)]
enum Saving {
    Together,
    OneByOne,
}

/// Why a batch could not be applied.
enum Fault {
    Store(StoreError),
    /// An event is at fault, and it is not known which.
    SomeEvent,
    Refused(FeedError),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        if error.is_environmental() { Self::Store(error) } else { Self::SomeEvent }
    }
}

impl From<FoldError> for Fault {
    fn from(error: FoldError) -> Self {
        match error {
            FoldError::Store(error) => error.into(),
            FoldError::Panicked(_) => Self::SomeEvent,
        }
    }
}

#[cfg(test)]
mod mishaps;
