//! What the runner does about once a second, besides feeding.

use std::sync::Arc;

use journal::{Journal, Position};

use super::{Options, Runner, RunnerError, store};
use crate::decode::decode;
use crate::{Directory, Registration};

/// Asks for what `models` have set aside to be tried again. Without a server it is done here, and
/// the number of events that are left is returned; `None` where a running server does it.
///
/// # Errors
/// `Directory`, `Journal` and `Store`.
pub async fn retry_parked(
    journal: &Arc<dyn Journal>,
    directory: &Directory,
    models: &[Registration],
) -> Result<Option<usize>, RunnerError> {
    for model in models {
        directory.request_retry(model.name())?;
    }
    match Runner::open(Arc::clone(journal), directory, models, Options::default()) {
        Ok(mut runner) => {
            runner.keep_house().await?;
            Ok(Some(runner.feeds.iter().map(|feed| feed.parked().len()).sum()))
        }
        Err(RunnerError::InUse) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Runner {
    /// Takes over rebuilt files, tries parked events again where asked to, and writes positions.
    ///
    /// # Errors
    /// The first failure; the rest is done all the same at the next call.
    pub async fn keep_house(&mut self) -> Result<(), RunnerError> {
        self.adopt_ready().await?;
        self.directory.place().tidy()?;
        for index in 0..self.feeds.len() {
            let name = self.feeds[index].name();
            if self.directory.take_retry(name)?
                && let Err(error) = self.retry(name).await
            {
                // Not the event's fault, such as a full disk: what was asked for is still to be done.
                self.directory.request_retry(name)?;
                return Err(error);
            }
            let feed = &mut self.feeds[index];
            // A bounded piece each time; what is left waits for the next.
            feed.upkeep().map_err(store(name))?;
        }
        self.store_positions()
    }

    /// Does all work of their own that models put off, piece by piece.
    ///
    /// # Errors
    /// `Store` of the first that fails.
    pub fn finish_upkeep(&mut self) -> Result<(), RunnerError> {
        for feed in &mut self.feeds {
            while feed.upkeep().map_err(store(feed.name()))? > 0 {}
        }
        Ok(())
    }

    /// Applies the parked events of a model in order, stream by stream; returns how many are
    /// left, because they or an earlier one of their stream fail again.
    ///
    /// # Errors
    /// `Journal` and `Store`.
    pub async fn retry(&mut self, model: &str) -> Result<usize, RunnerError> {
        let Some(index) = self.feeds.iter().position(|feed| feed.name() == model) else {
            return Ok(0);
        };
        let mut failed = std::collections::BTreeSet::new();
        for parked in self.feeds[index].parked().to_vec() {
            if failed.contains(&parked.stream) {
                continue;
            }
            let before = Position(parked.position.0.saturating_sub(1));
            let mut items = decode(self.journal.read_all(before, 1).await?);
            items.retain(|item| item.position == parked.position);
            if let Err(error) = self.feeds[index].retry(&items).map_err(store(parked.model))? {
                tracing::warn!(model, position = parked.position.0, error, "event fails again");
                failed.insert(parked.stream);
            }
        }
        self.publish();
        Ok(self.feeds[index].parked().len())
    }

    /// Writes the position of every model. Call before dropping, for a quick next start.
    ///
    /// # Errors
    /// `Store` of the first that fails.
    pub fn store_positions(&mut self) -> Result<(), RunnerError> {
        for feed in &mut self.feeds {
            feed.store_position().map_err(store(feed.name()))?;
        }
        Ok(())
    }
}
