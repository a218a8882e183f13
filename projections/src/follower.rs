//! A node among several that share the read models: all answer queries, one writes.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use journal::{Journal, JournalError};

use crate::directory::{Directory, HeldLock, OWNER};
use crate::models::Registration;
use crate::runner::chain;
use crate::{Options, ReadModels, Runner, RunnerError};

/// How often a node that does not write looks whether nobody does.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Keeps one node's handle up with the models, and writes them while no other node does.
///
/// Where the directory is this process's alone, it writes from the beginning.
pub struct Follower {
    journal: Arc<dyn Journal>,
    models: Vec<Registration>,
    options: Options,
    read_models: ReadModels,
    /// Of a directory that is not shared.
    runner: Option<Runner>,
}

impl Follower {
    /// Opens the models for queries, whoever writes them.
    ///
    /// # Errors
    /// As [`Runner::open`]; `InUse` only of a directory that cannot be shared.
    pub fn open(
        journal: Arc<dyn Journal>,
        directory: &Directory,
        models: &[Registration],
        options: Options,
    ) -> Result<Self, RunnerError> {
        let (read_models, runner) = if directory.place().is_shared() {
            (ReadModels::open(directory, models)?, None)
        } else {
            let runner = Runner::open(Arc::clone(&journal), directory, models, options)?;
            (runner.read_models(), Some(runner))
        };
        Ok(Self { journal, models: models.to_vec(), options, read_models, runner })
    }

    /// The handle for queries and waiting.
    #[must_use]
    pub fn read_models(&self) -> ReadModels {
        self.read_models.clone()
    }

    /// Follows, and writes whenever no other node does, until `stop` resolves. Failures are
    /// logged and tried again; only a closed journal ends it.
    ///
    /// It blocks its thread while it writes: give it one of its own.
    ///
    /// # Errors
    /// `Journal(Closed)`, and what the last write of positions says.
    pub async fn run(mut self, stop: impl Future<Output = ()> + Send) -> Result<(), RunnerError> {
        let mut stop = std::pin::pin!(stop);
        if let Some(runner) = self.runner.take() {
            return runner.run(stop).await;
        }
        let mut is_told = false;
        loop {
            match self.lead() {
                Ok(Some(runner)) => {
                    is_told = false;
                    tracing::info!("this node writes the read models");
                    match runner.run(&mut stop).await {
                        Err(RunnerError::InUse) => {
                            tracing::warn!("another node writes the read models by now");
                        }
                        ended => return ended,
                    }
                }
                Ok(None) => {}
                Err(RunnerError::Journal(JournalError::Closed)) => {
                    return Err(RunnerError::Journal(JournalError::Closed));
                }
                Err(error) if !is_told => {
                    is_told = true;
                    tracing::error!(error = %chain(&error), "read models cannot be written");
                }
                Err(_) => {}
            }
            self.weigh_lag();
            tokio::select! {
                biased;
                () = &mut stop => return Ok(()),
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    fn lead(&self) -> Result<Option<Runner>, RunnerError> {
        let Some(owner): Option<HeldLock> = self.read_models.directory().lock(OWNER)? else {
            return Ok(None);
        };
        let (journal, models) = (Arc::clone(&self.journal), self.read_models());
        Runner::lead(journal, models, &self.models, self.options, owner).map(Some)
    }

    /// What the writer would say of its lag, from what this node knows.
    fn weigh_lag(&self) {
        let lag = self.journal.head().0.saturating_sub(self.read_models.position().0);
        self.read_models.metrics().lag_events.store(lag, Ordering::Relaxed);
    }
}
