//! How far the models are, for those who wait for them and those who watch them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use journal::Position;
use tokio::sync::{Notify, watch};

use crate::directory::hold;
use crate::file::ParkedEvent;

/// How far one model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelPosition {
    pub model: &'static str,
    /// Every event up to here is in the rows (or parked).
    pub position: Position,
}

/// A reader that did not get to see what it asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// Try again later.
    #[error("read models are at {}, not yet at {}", reached.0, wanted.0)]
    TimedOut { wanted: Position, reached: Position },
}

/// What the runner has done since it was opened. Counters only grow; the rest is of the last batch.
#[derive(Debug, Default)]
pub struct Metrics {
    pub events: AtomicU64,
    pub batches: AtomicU64,
    pub rows: AtomicU64,
    /// Time spent on decoding, folding and saving, in microseconds.
    pub busy_us: AtomicU64,
    pub last_batch_events: AtomicU64,
    /// Events of the journal that the slowest model has not seen.
    pub lag_events: AtomicU64,
    /// Batches that a store could not take, and that were tried again.
    pub failures: AtomicU64,
}

impl Metrics {
    /// Events per second of busy time; 0 before the first event.
    #[must_use]
    pub fn events_per_s(&self) -> u64 {
        let busy_us = self.busy_us.load(Ordering::Relaxed).max(1);
        self.events.load(Ordering::Relaxed).saturating_mul(1_000_000) / busy_us
    }
}

/// Shared by the runner, which writes it, and the query side.
#[derive(Debug)]
pub(crate) struct Progress {
    reached: watch::Sender<Arc<[ModelPosition]>>,
    parked: Mutex<Arc<[ParkedEvent]>>,
    wanted: Notify,
    pub(crate) metrics: Metrics,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            reached: watch::Sender::new(Arc::from([])),
            parked: Mutex::new(Arc::from([])),
            wanted: Notify::new(),
            metrics: Metrics::default(),
        }
    }

    pub(crate) fn publish(&self, positions: Vec<ModelPosition>) {
        self.reached.send_replace(Arc::from(positions));
    }

    pub(crate) fn set_parked(&self, parked: Vec<ParkedEvent>) {
        *hold(&self.parked) = Arc::from(parked);
    }

    pub(crate) fn parked(&self) -> Arc<[ParkedEvent]> {
        Arc::clone(&hold(&self.parked))
    }

    pub(crate) fn positions(&self) -> Arc<[ModelPosition]> {
        Arc::clone(&self.reached.borrow())
    }

    /// The position that all of `models` have reached; of all models if none is named.
    pub(crate) fn slowest(&self, models: &[&str]) -> Position {
        slowest(&self.reached.borrow(), models)
    }

    /// Resolves when somebody waits for a position that is not there yet.
    pub(crate) async fn somebody_waits(&self) {
        self.wanted.notified().await;
    }

    /// Resolves when `model` is past `past`, with where it is then.
    pub(crate) async fn moved(&self, model: &str, past: Position) -> Position {
        let mut reached = self.reached.subscribe();
        // The sender is in `self`, so it is there for as long as somebody waits.
        let _ = reached.wait_for(|positions| slowest(positions, &[model]) > past).await;
        self.slowest(&[model])
    }

    pub(crate) async fn wait_for(
        &self,
        models: &[&str],
        wanted: Position,
        timeout: Duration,
    ) -> Result<(), WaitError> {
        let mut reached = self.reached.subscribe();
        if slowest(&reached.borrow(), models) >= wanted {
            return Ok(());
        }
        self.wanted.notify_one();
        let there = reached.wait_for(|positions| slowest(positions, models) >= wanted);
        match tokio::time::timeout(timeout, there).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(WaitError::TimedOut { wanted, reached: self.slowest(models) }),
        }
    }
}

fn slowest(positions: &[ModelPosition], models: &[&str]) -> Position {
    positions
        .iter()
        .filter(|at| models.is_empty() || models.contains(&at.model))
        .map(|at| at.position)
        .min()
        .unwrap_or_default()
}
