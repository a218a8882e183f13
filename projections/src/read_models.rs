//! The query side's handle: which file of each model answers, and connections to it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::sql::Connection;
use journal::Position;

use crate::directory::{Directory, Generation, SharedConnection, hold};
use crate::models::Registration;
use crate::progress::{Metrics, ModelPosition, Progress, WaitError};
use crate::{ParkedEvent, StoreError};

#[cfg(feature = "postgres")]
mod told;
#[cfg(feature = "postgres")]
pub(crate) use told::{News, Seen};

/// Connections kept open for each model when nobody uses them.
const IDLE_CONNECTIONS_MAX: usize = 8;

/// Answers queries from the serving file of each model. Clones are cheap and mean the same.
///
/// Queries block the calling thread for as long as the store takes: mostly microseconds in SQLite,
/// and a journey or more to PostgreSQL.
#[derive(Debug, Clone)]
pub struct ReadModels(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    directory: Directory,
    slots: Vec<Slot>,
    progress: Arc<Progress>,
    /// Whether this process writes, and so knows better than what it is told.
    leads: AtomicBool,
    #[cfg(feature = "postgres")]
    heard: Mutex<told::Heard>,
}

/// Says, while it is kept, that this process writes.
#[derive(Debug)]
pub(crate) struct Leading(ReadModels);

impl Drop for Leading {
    fn drop(&mut self) {
        self.0.0.leads.store(false, Ordering::Release);
    }
}

#[derive(Debug)]
struct Slot {
    model: &'static str,
    pool: Mutex<Option<Arc<Pool>>>,
}

#[derive(Debug)]
struct Pool {
    generation: Generation,
    idle: Mutex<Vec<SharedConnection>>,
}

impl ReadModels {
    /// Opens the serving files beside whoever owns the directory, for a process that only reads.
    /// Such a handle does not know how far the models are on a disk: waiting on it times out.
    /// In PostgreSQL it does.
    ///
    /// # Errors
    /// The store's when the directory cannot be read.
    pub fn open(directory: &Directory, models: &[Registration]) -> Result<Self, StoreError> {
        let opened = Self::new(directory, models);
        opened.open_serving()?;
        Ok(opened)
    }

    pub(crate) fn open_serving(&self) -> Result<(), StoreError> {
        let (opened, directory) = (self, &self.0.directory);
        for slot in &opened.0.slots {
            if let Some(generation) = directory.serving(slot.model)? {
                opened.switch(slot.model, generation);
            }
        }
        Ok(())
    }

    pub(crate) fn new(directory: &Directory, models: &[Registration]) -> Self {
        let slots = models.iter().map(|model| Slot { model: model.name(), pool: Mutex::new(None) });
        let inner = Arc::new(Inner {
            directory: directory.clone(),
            slots: slots.collect(),
            progress: Arc::new(Progress::new()),
            leads: AtomicBool::new(false),
            #[cfg(feature = "postgres")]
            heard: Mutex::default(),
        });
        directory.place().follow(Arc::downgrade(&inner));
        Self(inner)
    }

    pub(crate) fn lead(&self) -> Leading {
        self.0.leads.store(true, Ordering::Release);
        Leading(self.clone())
    }

    pub(crate) fn progress(&self) -> &Arc<Progress> {
        &self.0.progress
    }

    /// Runs a query on one model; it sees one state of the model from first to last statement.
    ///
    /// # Errors
    /// What the query returns, and `Sqlite` when the model's file cannot be opened.
    pub fn read<T>(
        &self,
        model: &str,
        query: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (pool, connection) = self.connection(model)?;
        let answer = {
            let connection = hold(&connection);
            connection.begin_read()?;
            let answer = query(&connection);
            connection.commit()?;
            answer?
        };
        let mut idle = hold(&pool.idle);
        if idle.len() < IDLE_CONNECTIONS_MAX && self.0.directory.place().keeps_readers() {
            idle.push(connection);
        }
        Ok(answer)
    }

    /// Resolves when every model has seen `position`: a client that wrote reads what it wrote.
    ///
    /// # Errors
    /// `TimedOut` with the position reached.
    pub async fn wait_for(&self, position: Position, timeout: Duration) -> Result<(), WaitError> {
        self.0.progress.wait_for(&[], position, timeout).await
    }

    /// As [`Self::wait_for`], for the models an answer is made of.
    ///
    /// # Errors
    /// `TimedOut` with the position reached.
    pub async fn wait_for_models(
        &self,
        models: &[&str],
        position: Position,
        timeout: Duration,
    ) -> Result<(), WaitError> {
        self.0.progress.wait_for(models, position, timeout).await
    }

    /// Resolves as soon as a model is past `past`, with where it is then: for whoever follows a
    /// model within this process. It gives what it was given to the next call, not the position
    /// that the rows say, which is behind by events that touched no row.
    ///
    /// Costs nothing until then. A rebuilt file that takes over, and events that are tried again,
    /// need not move the position: a follower looks by itself now and then. On a handle that does
    /// not know how far the models are (see [`Self::open`]) it never resolves.
    pub async fn moved(&self, model: &str, past: Position) -> Position {
        self.0.progress.moved(model, past).await
    }

    /// The generation of a model that answers queries; `None` before there is one. Where it is
    /// another one than before, rows may differ although the position does not.
    #[must_use]
    pub fn serving(&self, model: &str) -> Option<Generation> {
        let slot = self.slot(model)?;
        hold(&slot.pool).as_ref().map(|pool| pool.generation)
    }

    /// The position that all models have reached.
    #[must_use]
    pub fn position(&self) -> Position {
        self.0.progress.slowest(&[])
    }

    /// How far each model is.
    #[must_use]
    pub fn positions(&self) -> Arc<[ModelPosition]> {
        self.0.progress.positions()
    }

    /// Events set aside; not empty means degraded.
    #[must_use]
    pub fn parked(&self) -> Arc<[ParkedEvent]> {
        self.0.progress.parked()
    }

    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.0.progress.metrics
    }

    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.0.directory
    }

    /// Queries from now on go to this generation.
    pub(crate) fn switch(&self, model: &str, generation: Generation) {
        self.0.switch(model, generation);
    }

    fn slot(&self, model: &str) -> Option<&Slot> {
        self.0.slot(model)
    }

    fn connection(&self, model: &str) -> Result<(Arc<Pool>, SharedConnection), StoreError> {
        loop {
            let pool = self
                .slot(model)
                .and_then(|slot| hold(&slot.pool).clone())
                .ok_or_else(|| StoreError::Other(format!("no read model `{model}` is open")))?;
            let idle = hold(&pool.idle).pop();
            let opened = match idle {
                Some(connection) => Ok(connection),
                None => self.0.directory.reader(model, pool.generation),
            };
            match opened {
                Ok(connection) => return Ok((pool, connection)),
                // The file may have been swapped away after we looked; else it is an error.
                Err(error) => {
                    if !self.moved_on(model, pool.generation)? {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Whether another generation serves by now, here or by another process's doing.
    fn moved_on(&self, model: &str, generation: Generation) -> Result<bool, StoreError> {
        let current =
            self.slot(model).and_then(|slot| hold(&slot.pool).as_ref().map(|pool| pool.generation));
        if current != Some(generation) {
            return Ok(true);
        }
        match self.0.directory.serving(model)? {
            Some(serving) if serving != generation => {
                self.switch(model, serving);
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

impl Inner {
    fn slot(&self, model: &str) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.model == model)
    }

    fn switch(&self, model: &str, generation: Generation) {
        if let Some(slot) = self.slot(model) {
            let mut pool = hold(&slot.pool);
            if pool.as_ref().is_none_or(|pool| pool.generation != generation) {
                *pool = Some(Arc::new(Pool { generation, idle: Mutex::default() }));
            }
        }
    }
}
