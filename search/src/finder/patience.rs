//! How long a search waits for the engine.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{FindError, unavailable};
use crate::{SearchEngine, SearchError};

/// What is left of the time in which one search may wait for the engine, all calls to it together. What
/// passes meanwhile elsewhere is not the engine's doing, and does not count.
pub(super) struct Patience<'a> {
    engine: &'a dyn SearchEngine,
    /// All of it, and what is left; `None` where there is no limit.
    limit: Option<(Duration, Duration)>,
}

impl<'a> Patience<'a> {
    pub(super) fn new(engine: &'a dyn SearchEngine, limit: Option<Duration>) -> Self {
        Self { engine, limit: limit.map(|limit| (limit, limit)) }
    }

    /// Waits for the answer to a call.
    pub(super) async fn wait<T>(
        &mut self,
        call: impl Future<Output = Result<T, SearchError>>,
    ) -> Result<T, FindError> {
        let Some((limit, left)) = &mut self.limit else { return call.await.map_err(unavailable) };
        let began = Instant::now();
        let answer = timeout(*left, call).await;
        *left = left.saturating_sub(began.elapsed());
        answer.map_or_else(
            |_| {
                let (name, ms) = (self.engine.name(), limit.as_millis());
                Err(FindError::Unavailable(format!("{name}: no answer within {ms} ms")))
            },
            |answer| answer.map_err(unavailable),
        )
    }
}
