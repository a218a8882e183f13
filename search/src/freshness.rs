//! How far into the journal what is searched reaches, for whoever wants to find what was just
//! written.

use std::future::Future;
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

    /// How far both of two are, and what keeps that up as long as it runs.
    #[must_use]
    pub fn of_both(left: &Self, right: &Self) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let both = Self::new(left.reached().min(right.reached()));
        let (told, left, right) = (both.clone(), left.clone(), right.clone());
        let follow = async move {
            let (mut of_left, mut of_right) = (left.reached.subscribe(), right.reached.subscribe());
            loop {
                let least = (*of_left.borrow_and_update()).min(*of_right.borrow_and_update());
                told.advance(least);
                // Their senders are held here, so there is always more to wait for.
                tokio::select! {
                    _ = of_left.changed() => {}
                    _ = of_right.changed() => {}
                }
            }
        };
        (both, follow)
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

    #[tokio::test]
    async fn of_two_the_one_behind_counts() {
        let (left, right) = (Freshness::default(), Freshness::new(Position(7)));
        let (both, follow) = Freshness::of_both(&left, &right);
        assert_eq!(both.reached(), Position(0));
        let steps = async {
            let patience = Duration::from_secs(5);
            left.advance(Position(9));
            both.wait_for(Position(7), patience).await.unwrap();
            assert_eq!(
                both.wait_for(Position(8), Duration::from_millis(1)).await,
                Err(Position(7))
            );
            right.advance(Position(20));
            both.wait_for(Position(9), patience).await.unwrap();
        };
        tokio::select! {
            () = follow => {}
            () = steps => {}
        }
        assert_eq!(both.reached(), Position(9));
    }
}
