//! Waiting, as a port: a simulation moves the time itself.

use std::time::Duration;

use async_trait::async_trait;

/// Waits. An adapter MUST NOT resolve before `duration` has passed on its own clock, and
/// dropping the future MUST be harmless.
#[async_trait]
pub trait Timer: Send + Sync {
    async fn sleep(&self, duration: Duration);
}

/// Waits on the Tokio runtime's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioTimer;

#[async_trait]
impl Timer for TokioTimer {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
