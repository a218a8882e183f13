//! What the port promises, for both adapters.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use journal::{Journal, Position};
use sagas::relay::{
    BusError, Consumer, ConsumerError, InProcessBus, JetStreamBus, JetStreamOptions, Mark,
    MessageBus,
};
use schemas::public::PublicMessage;
use test_servers::nats;
use uuid::Uuid;

use crate::shop;

/// One bus, however often it is opened again.
#[async_trait]
trait Adapter: Send + Sync {
    fn open(&self) -> Arc<dyn MessageBus>;
    /// What listeners have got since it was made.
    async fn delivered(&self) -> Vec<PublicMessage>;
    /// Whether marks are kept by every publish, not only now and then.
    fn marks_each_publish(&self) -> bool;
}

struct OverNats(JetStreamOptions);

#[async_trait]
impl Adapter for OverNats {
    fn open(&self) -> Arc<dyn MessageBus> {
        Arc::new(JetStreamBus::new(self.0.clone()).unwrap())
    }

    async fn delivered(&self) -> Vec<PublicMessage> {
        shop::delivered(&self.0).await.into_iter().map(|delivered| delivered.message).collect()
    }

    fn marks_each_publish(&self) -> bool {
        true
    }
}

struct InProcess {
    file: PathBuf,
    listener: Arc<Listener>,
}

#[derive(Default)]
struct Listener(Mutex<Vec<PublicMessage>>);

#[async_trait]
impl Consumer for Listener {
    fn name(&self) -> &str {
        "listener"
    }

    async fn take(&self, messages: &[PublicMessage]) -> Result<(), ConsumerError> {
        self.0.lock().unwrap().extend_from_slice(messages);
        Ok(())
    }
}

#[async_trait]
impl Adapter for InProcess {
    fn open(&self) -> Arc<dyn MessageBus> {
        Arc::new(InProcessBus::new(&self.file, vec![Arc::clone(&self.listener) as _]))
    }

    async fn delivered(&self) -> Vec<PublicMessage> {
        self.listener.0.lock().unwrap().clone()
    }

    fn marks_each_publish(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn the_bus_over_nats_conforms() {
    let url = nats::shared_url();
    check_all(&|| Box::new(OverNats(shop::options(&url)))).await;
}

#[tokio::test]
async fn the_bus_over_nats_conforms_with_one_message_in_flight() {
    let url = nats::shared_url();
    check_all(&|| {
        let options = shop::options(&url);
        Box::new(OverNats(JetStreamOptions { window_messages: 1, window_bytes: 1, ..options }))
    })
    .await;
}

#[tokio::test]
async fn the_bus_within_the_process_conforms() {
    let directory = tempfile::tempdir().unwrap();
    check_all(&|| {
        let file = directory.path().join(format!("{}.json", Uuid::now_v7()));
        Box::new(InProcess { file, listener: Arc::default() })
    })
    .await;
}

async fn check_all(fresh: &dyn Fn() -> Box<dyn Adapter>) {
    nothing_is_told_of_a_fresh_bus(&*fresh()).await;
    messages_come_out_as_they_went_in(&*fresh()).await;
    a_mark_is_kept_over_a_restart(&*fresh()).await;
    a_mark_is_not_ahead_of_what_is_published(&*fresh()).await;
    what_is_published_again_is_no_harm(&*fresh()).await;
    a_bus_belongs_to_one_journal(&*fresh()).await;
    it_must_be_resumed_first(&*fresh()).await;
}

async fn messages(orders: usize) -> (Uuid, Vec<PublicMessage>) {
    let journal = shop::memory();
    for _ in 0..orders {
        shop::one_order(&*journal).await;
    }
    (journal.id(), shop::expected(&*journal).await)
}

fn mark(message: &PublicMessage) -> Mark {
    Mark { position: Position(message.position), event: Some(message.id) }
}

async fn nothing_is_told_of_a_fresh_bus(adapter: &dyn Adapter) {
    let bus = adapter.open();
    assert_eq!(bus.resume(Uuid::now_v7()).await, Ok(None));
    assert_eq!(bus.publish(Vec::new()).await, Ok(()));
    assert!(adapter.delivered().await.is_empty());
}

async fn messages_come_out_as_they_went_in(adapter: &dyn Adapter) {
    let (journal, all) = messages(40).await;
    let bus = adapter.open();
    bus.resume(journal).await.unwrap();
    for part in all.chunks(37) {
        bus.publish(part.to_vec()).await.unwrap();
    }
    assert_eq!(adapter.delivered().await, all);
}

async fn a_mark_is_kept_over_a_restart(adapter: &dyn Adapter) {
    let (journal, all) = messages(2).await;
    let bus = adapter.open();
    bus.resume(journal).await.unwrap();
    bus.publish(all.clone()).await.unwrap();
    let further = Mark { position: Position(999), event: Some(Uuid::now_v7()) };
    bus.keep(further).await.unwrap();
    assert_eq!(bus.resume(journal).await, Ok(Some(further)));
    drop(bus);
    let bus = adapter.open();
    assert_eq!(bus.resume(journal).await, Ok(Some(further)));
    let again = Mark { position: Position(1_000), event: None };
    bus.keep(again).await.unwrap();
    assert_eq!(adapter.open().resume(journal).await, Ok(Some(again)));
}

async fn a_mark_is_not_ahead_of_what_is_published(adapter: &dyn Adapter) {
    let (journal, all) = messages(3).await;
    let bus = adapter.open();
    bus.resume(journal).await.unwrap();
    bus.publish(all[..7].to_vec()).await.unwrap();
    drop(bus);
    let resumed = adapter.open().resume(journal).await.unwrap();
    if adapter.marks_each_publish() {
        assert_eq!(resumed, Some(mark(&all[6])));
    } else {
        assert!(resumed.is_none_or(|resumed| resumed.position <= mark(&all[6]).position));
    }
}

/// A repeat comes out again or not, but nothing gets lost or out of order behind it.
async fn what_is_published_again_is_no_harm(adapter: &dyn Adapter) {
    let (journal, all) = messages(3).await;
    let bus = adapter.open();
    bus.resume(journal).await.unwrap();
    bus.publish(all[..20].to_vec()).await.unwrap();
    bus.publish(all[10..].to_vec()).await.unwrap();
    shop::complete(&all, &adapter.delivered().await);
}

async fn a_bus_belongs_to_one_journal(adapter: &dyn Adapter) {
    let (journal, all) = messages(1).await;
    let bus = adapter.open();
    bus.resume(journal).await.unwrap();
    bus.publish(all.clone()).await.unwrap();
    bus.keep(mark(&all[all.len() - 1])).await.unwrap();
    let Err(BusError::SetUp(what)) = adapter.open().resume(Uuid::now_v7()).await else {
        panic!("another journal's positions would be mixed in");
    };
    assert!(what.contains(&journal.to_string()), "{what}");
}

async fn it_must_be_resumed_first(adapter: &dyn Adapter) {
    let (journal, all) = messages(1).await;
    let bus = adapter.open();
    if bus.publish(all.clone()).await.is_err() {
        bus.resume(journal).await.unwrap();
        bus.publish(all.clone()).await.unwrap();
    }
    shop::complete(&all, &adapter.delivered().await);
}
