//! A read model without its types: what the feed needs, whatever keys and rows look like.

use std::any::Any;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::sql::Connection;

use crate::row_cache::RowCache;
use crate::{Envelope, Projector, StoreError};

/// Why a model could not take an event.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FoldError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the fold panicked: {0}")]
    Panicked(String),
}

/// [`Projector`] with its types erased.
///
/// Order of calls: `wants(event)`, then `fold(event)` if it does; `flush` ends the batch, within
/// the same transaction as the loads; `discard` forgets everything after a roll-back.
pub(crate) trait Model: Send {
    fn name(&self) -> &'static str;
    fn version(&self) -> u32;
    fn follows(&self, category: &str) -> bool;
    fn create_tables(&self, connection: &Connection) -> Result<(), StoreError>;
    fn wants(&mut self, event: &Envelope) -> bool;
    /// Asks for the rows that `fold` will load for the event that was wanted last.
    fn ask_ahead(&mut self, connection: &Connection) -> Result<(), FoldError>;
    fn fold(&mut self, connection: &Connection, event: &Envelope) -> Result<(), FoldError>;
    /// Saves what the batch changed, in key order; returns how many rows.
    fn flush(&mut self, connection: &Connection) -> Result<usize, FoldError>;
    fn discard(&mut self);
}

/// Rows of one batch: as the store has them, and as they are now.
struct Touched<R> {
    saved: Option<R>,
    now: Option<R>,
}

/// Runs a [`Projector`].
pub(crate) struct Folder<P: Projector> {
    keys: Vec<P::Key>,
    touched: BTreeMap<P::Key, Touched<P::Row>>,
    cache: RowCache<P::Key, P::Row>,
}

impl<P: Projector> Folder<P> {
    pub(crate) fn new() -> Self {
        Self { keys: Vec::new(), touched: BTreeMap::new(), cache: RowCache::new(P::CACHED_ROWS) }
    }
}

impl<P: Projector> Model for Folder<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn version(&self) -> u32 {
        P::VERSION
    }

    fn follows(&self, category: &str) -> bool {
        P::follows(category)
    }

    fn create_tables(&self, connection: &Connection) -> Result<(), StoreError> {
        P::create_tables(connection)
    }

    fn wants(&mut self, event: &Envelope) -> bool {
        self.keys.clear();
        P::keys(event, &mut self.keys);
        !self.keys.is_empty()
    }

    fn ask_ahead(&mut self, connection: &Connection) -> Result<(), FoldError> {
        for key in &self.keys {
            if !self.touched.contains_key(key) && !self.cache.knows(key) {
                guard(|| connection.ahead(|connection| P::load(connection, key)))??;
            }
        }
        Ok(())
    }

    fn fold(&mut self, connection: &Connection, event: &Envelope) -> Result<(), FoldError> {
        for key in self.keys.drain(..) {
            // `entry` takes the key, which the fold needs as well; most keys are small copies.
            let touched = match self.touched.entry(key.clone()) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    let saved = match self.cache.take(&key) {
                        Some(row) => row,
                        None => guard(|| P::load(connection, &key))??,
                    };
                    let now = saved.clone();
                    entry.insert(Touched { saved, now })
                }
            };
            let row = touched.now.take();
            touched.now = guard(|| P::fold(&key, row, event))?;
        }
        Ok(())
    }

    fn flush(&mut self, connection: &Connection) -> Result<usize, FoldError> {
        let rows = self.touched.len();
        connection.forget_ahead();
        if connection.is_remote() {
            for key in self.touched.keys() {
                guard(|| connection.ahead(|connection| P::ask_before_save(connection, key)))??;
            }
        }
        for (key, touched) in std::mem::take(&mut self.touched) {
            guard(|| P::save(connection, &key, touched.saved.as_ref(), touched.now.as_ref()))??;
            self.cache.put(key, touched.now);
        }
        connection.forget_ahead();
        Ok(rows)
    }

    fn discard(&mut self) {
        self.keys.clear();
        self.touched.clear();
        self.cache.clear();
    }
}

/// Turns a panic of a model into an error, so that one event cannot stop all the others.
pub(crate) fn guard<T>(work: impl FnOnce() -> T) -> Result<T, FoldError> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| FoldError::Panicked(words(&*panic)))
}

fn words(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}
