//! What tells the outside: the relay, and the bus it publishes to.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use journal::Journal;
use sagas::leadership::Leadership;
use sagas::relay::{
    BusError, Consumer, InProcessBus, MessageBus, Relay, RelayHandle, RelayOptions,
};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::under_way::EndMark;

/// How far the consumers of this process have been told.
const TOLD_FILE: &str = "told.json";
/// How long the start waits to learn whether the bus is what it should be.
const LOOK_WITHIN: Duration = Duration::from_secs(5);

/// Who is told what happens.
#[derive(Clone, Default)]
pub struct Telling {
    /// A NATS server with JetStream, `nats://…`, for consumers anywhere.
    pub url: Option<String>,
    /// Copies of the stream in a NATS cluster; 1 where it is `None`.
    pub replicas: Option<usize>,
    /// Consumers in this process, which are told where there is no such server.
    pub consumers: Vec<Arc<dyn Consumer>>,
}

impl Telling {
    /// The bus; `None` where nobody listens.
    pub(super) fn bus(&self, data: &Path) -> Result<Option<Arc<dyn MessageBus>>, BusError> {
        match &self.url {
            Some(url) => jetstream(url, self.replicas).map(Some),
            None if self.consumers.is_empty() => Ok(None),
            None => {
                let consumers = self.consumers.clone();
                Ok(Some(Arc::new(InProcessBus::new(&data.join(TOLD_FILE), consumers))))
            }
        }
    }
}

#[cfg(feature = "nats")]
fn jetstream(url: &str, replicas: Option<usize>) -> Result<Arc<dyn MessageBus>, BusError> {
    use sagas::relay::{JetStreamBus, JetStreamOptions};
    let mut options = JetStreamOptions::new(url);
    options.replicas = replicas.unwrap_or(options.replicas);
    Ok(Arc::new(JetStreamBus::new(options)?))
}

#[cfg(not(feature = "nats"))]
fn jetstream(_: &str, _: Option<usize>) -> Result<Arc<dyn MessageBus>, BusError> {
    let why = "this program was built without NATS: build it with `--features nats`";
    Err(BusError::SetUp(why.to_owned()))
}

/// A relay, ready to be run by `runtime`. A bus that cannot be what it is to be is an error; one that
/// is away is waited for.
pub(super) fn relay(
    journal: &Arc<dyn Journal>,
    bus: Arc<dyn MessageBus>,
    leadership: Leadership,
    runtime: &Runtime,
) -> Result<(RelayHandle, Relay), BusError> {
    let relay = Relay::open(Arc::clone(journal), bus, RelayOptions::default()).led_by(leadership);
    // On a thread of its own, since the caller may be on a runtime's already.
    let looked = std::thread::scope(|scope| {
        let look = scope.spawn(|| {
            runtime.block_on(async { tokio::time::timeout(LOOK_WITHIN, relay.check()).await })
        });
        look.join()
    });
    match looked {
        Ok(Ok(Err(BusError::SetUp(what)))) => return Err(BusError::SetUp(what)),
        Ok(Ok(Err(error))) => tracing::warn!(%error, "the bus is away; what happens is told later"),
        Ok(Err(_)) => tracing::warn!("the bus does not answer; what happens is told later"),
        Ok(Ok(Ok(()))) | Err(_) => {}
    }
    Ok((relay.handle(), relay))
}

/// The relay's thread.
pub(super) async fn work(relay: Relay, _mark: EndMark, mut stopped: watch::Receiver<bool>) {
    let stop = async move {
        // An error means the node is gone, which is a reason to stop too.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    relay.run(stop).await;
}
