//! A relay at work in a test.

use std::sync::Arc;
use std::time::Duration;

use journal::{Journal, Position};
use sagas::relay::{JetStreamBus, JetStreamOptions, Relay, RelayHandle, RelayOptions, RelayState};
use tokio::sync::oneshot;

/// No failure of these tests takes longer to be seen.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// As in production but for the pauses, which would only make the tests long.
pub fn relay_options() -> RelayOptions {
    RelayOptions {
        page_events: 100,
        mark_events: 200,
        quiet: Duration::from_millis(100),
        retry_min: Duration::from_millis(20),
        retry_max: Duration::from_millis(200),
        ..RelayOptions::default()
    }
}

pub struct Running {
    pub handle: RelayHandle,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    pub fn start(journal: Arc<dyn Journal>, options: &JetStreamOptions) -> Self {
        let bus = Arc::new(JetStreamBus::new(options.clone()).unwrap());
        Self::of(Relay::open(journal, bus, relay_options()))
    }

    pub fn of(relay: Relay) -> Self {
        let handle = relay.handle();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(relay.run(async {
            let _ = stopped.await;
        }));
        Self { handle, stop, task }
    }

    pub async fn reached(&self, position: Position) {
        let reached = tokio::time::timeout(PATIENCE, self.handle.reached(position)).await;
        assert!(reached.is_ok(), "the relay does not get there: {:?}", self.handle.progress());
    }

    /// Waits until its trouble is about `what`.
    pub async fn troubled_by(&self, what: &str) -> String {
        let seen = async {
            loop {
                if let RelayState::Troubled(said) = self.handle.progress().state
                    && said.contains(what)
                {
                    return said;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let said = tokio::time::timeout(PATIENCE, seen).await;
        said.unwrap_or_else(|_| panic!("not troubled by {what}: {:?}", self.handle.progress()))
    }

    pub async fn stop(self) {
        let _ = self.stop.send(());
        self.task.await.unwrap();
    }

    /// Drops it wherever it is.
    pub async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}
