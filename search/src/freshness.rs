//! How far into the journal what is searched reaches, for whoever wants to find what was just
//! written.

use std::sync::Arc;
use std::time::Duration;

use journal::Position;
use tokio::sync::watch;

/// Position of the catalogue that searches answer from. The indexer writes it; clones share it.
#[derive(Debug, Clone)]
pub struct Freshness {
    reached: Arc<watch::Sender<Position>>,
}

impl Default for Freshness {
    fn default() -> Self {
        Self::new(Position(0))
    }
}

impl Freshness {
    #[must_use]
    pub fn new(position: Position) -> Self {
        Self { reached: Arc::new(watch::Sender::new(position)) }
    }

    #[must_use]
    pub fn reached(&self) -> Position {
        *self.reached.borrow()
    }

    /// From now on searches answer from `position`. It never goes back: what was told once holds.
    pub fn advance(&self, position: Position) {
        self.reached.send_if_modified(|reached| {
            let is_further = position > *reached;
            if is_further {
                *reached = position;
            }
            is_further
        });
    }

    /// Waits until `position` is reached, at most `patience`.
    ///
    /// # Errors
    /// The position that was reached instead.
    pub async fn wait_for(&self, position: Position, patience: Duration) -> Result<(), Position> {
        let mut reached = self.reached.subscribe();
        let there = reached.wait_for(|reached| *reached >= position);
        match tokio::time::timeout(patience, there).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(self.reached()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_is_told_when_it_is_there() {
        let freshness = Freshness::default();
        let patience = Duration::from_secs(2);
        assert_eq!(freshness.wait_for(Position(3), patience).await, Err(Position(0)));
        freshness.advance(Position(3));
        freshness.advance(Position(1));
        assert_eq!(freshness.reached(), Position(3));
        assert_eq!(freshness.wait_for(Position(3), Duration::ZERO).await, Ok(()));
        let waiting = freshness.clone();
        let waiting = tokio::spawn(async move { waiting.wait_for(Position(5), patience).await });
        tokio::task::yield_now().await;
        freshness.advance(Position(4));
        freshness.advance(Position(6));
        assert_eq!(waiting.await.unwrap(), Ok(()));
    }
}
