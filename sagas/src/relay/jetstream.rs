//! The bus over NATS JetStream.
//!
//! The stream itself says how far it has been told: its last message carries a position. Every
//! publish names the sequence and the message that the stream must end with, so the stream takes a
//! message only right after the one that precedes it in the journal. A relay that was paused, and whatever is still on
//! its way from a connection that died, cannot get in between; and a run of publishes in flight is
//! taken up to its first gap and no further. A key-value bucket keeps the position where nothing
//! was told for long, by compare-and-set.

mod checkpoint;
mod connect;
mod options;
mod publish;
mod refusals;
mod set_up;

use std::future::Future;

use async_nats::Client;
use async_nats::connection::State;
use async_nats::jetstream::Context;
use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::kv::Store;
use async_trait::async_trait;
use journal::JournalId;
use schemas::public::PublicMessage;
use tokio::sync::{Mutex, watch};

use super::bus::{BusError, Mark, MessageBus};
pub use options::JetStreamOptions;

/// Publishes to a stream of a NATS server.
pub struct JetStreamBus {
    options: JetStreamOptions,
    servers: connect::Servers,
    link: Mutex<Option<Link>>,
    /// What the connection says besides answers.
    news: watch::Sender<connect::News>,
}

/// What is known while connected.
struct Link {
    client: Client,
    context: Context,
    journal: JournalId,
    store: Store,
    /// Of the checkpoint in the bucket; 0 before the first.
    revision: u64,
    /// Where the stream begins to be told, if nothing of it is left.
    started: u64,
    /// The stream's last sequence, which the next publish expects.
    sequence: u64,
    /// Id of the message this link published last, which the next publish expects too. `None` when
    /// it is not ours: a server that was started again does not know old ids.
    last_id: Option<String>,
}

impl JetStreamBus {
    /// Makes a bus; nothing is connected before it is used.
    pub fn new(options: JetStreamOptions) -> Result<Self, BusError> {
        options.check()?;
        let servers = connect::Servers::parse(&options.servers)?;
        let news = watch::Sender::new(connect::News::default());
        Ok(Self { options, servers, link: Mutex::new(None), news })
    }

    /// Does `work`, unless the connection breaks or the server refuses something meanwhile: it
    /// does not answer what it refuses.
    async fn guarded<T>(&self, work: impl Future<Output = T>) -> Result<T, BusError> {
        let mut news = self.news.subscribe();
        tokio::select! {
            biased;
            done = work => Ok(done),
            changed = news.changed() => {
                let said = news.borrow().clone();
                match (changed, said.refused) {
                    (Ok(()), Some(what)) => Err(self.options.refused(&what)),
                    _ => Err(BusError::Unavailable(format!(
                        "the connection to NATS at {} broke", self.servers
                    ))),
                }
            }
        }
    }

    /// The link as it is, or a new one.
    async fn link(&self, link: &mut Option<Link>) -> Result<(Client, Context), BusError> {
        if let Some(there) = link
            && there.client.connection_state() == State::Connected
        {
            return Ok((there.client.clone(), there.context.clone()));
        }
        // A new connection says what is wrong; the old one only tries again.
        *link = None;
        let client = connect::connect(&self.servers, &self.options, &self.news).await?;
        let context = ContextBuilder::new()
            .timeout(self.options.answer_timeout)
            .max_ack_inflight(self.options.window_messages)
            .build(client.clone());
        Ok((client, context))
    }
}

#[async_trait]
impl MessageBus for JetStreamBus {
    async fn resume(&self, journal: JournalId) -> Result<Option<Mark>, BusError> {
        let mut link = self.link.lock().await;
        let (client, context) = self.link(&mut link).await?;
        let found = self.guarded(set_up::find(&context, &self.options, journal)).await??;
        let resumed = checkpoint::resume(found.kept.as_ref(), found.last, found.last_sequence);
        let made = link.insert(Link {
            client,
            context,
            journal,
            store: found.store,
            revision: found.revision,
            started: found.kept.as_ref().map_or(0, |kept| kept.started),
            sequence: found.last_sequence,
            last_id: None,
        });
        if resumed.lost {
            tracing::warn!(
                stream = self.options.stream,
                "relay: the stream has lost messages that it had confirmed, or was made anew; they are published again"
            );
            // Else the old checkpoint would be believed once the stream is as long again.
            let mark = resumed.mark.unwrap_or(checkpoint::NOTHING);
            self.guarded(checkpoint::keep(made, mark)).await??;
        }
        Ok(resumed.mark)
    }

    async fn publish(&self, messages: Vec<PublicMessage>) -> Result<(), BusError> {
        let mut link = self.link.lock().await;
        let link = link.as_mut().ok_or_else(not_resumed)?;
        self.guarded(publish::publish(link, &self.options, messages)).await?
    }

    async fn keep(&self, mark: Mark) -> Result<(), BusError> {
        let mut link = self.link.lock().await;
        let link = link.as_mut().ok_or_else(not_resumed)?;
        self.guarded(checkpoint::keep(link, mark)).await?
    }
}

fn not_resumed() -> BusError {
    BusError::Unavailable("the bus is not connected".to_owned())
}
