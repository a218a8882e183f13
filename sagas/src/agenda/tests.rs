//! The agenda over a journal in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use commands::{Bus, BusOptions, NoSnapshots, SystemClock, SystemIds, TokioSpawner, TokioTimer};
use domain::Currency;
use domain::cart::{Cart, CartEvent, CartOwner};
use journal::{EventType, Group, MemoryJournal, NewEvent, StreamId, Verdict};
use uuid::Uuid;

use super::*;
use crate::checkout::ShopPolicy;
use crate::engine::EngineParts;
use crate::key_store::MemoryKeyStore;

fn agenda() -> (Agenda, Engine, Arc<dyn Journal>) {
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
    let (bus, desk) = Bus::new(
        Arc::clone(&journal),
        Arc::new(NoSnapshots),
        Arc::new(SystemClock),
        Arc::new(SystemIds::seeded(1)),
        BusOptions { cached_aggregates_max: 0, ..BusOptions::default() },
    );
    tokio::spawn(desk);
    let engine = Engine::new(EngineParts {
        bus,
        gateways: BTreeMap::new(),
        keys: Arc::new(MemoryKeyStore::default()),
        spawner: Arc::new(TokioSpawner(tokio::runtime::Handle::current())),
        timer: Arc::new(TokioTimer),
        policy: ShopPolicy::default(),
    });
    let table = AgendaTable::in_memory(journal.id()).unwrap();
    (Agenda::new(table, Arc::clone(&journal), engine.clone()), engine, journal)
}

/// A cart whose time was over an hour ago.
async fn lapsed_cart(engine: &Engine) -> CartId {
    let cart_id: CartId = engine.bus().new_id();
    let expires_at = engine.bus().now() - chrono::Duration::hours(1);
    let currency: Currency = "GBP".parse().unwrap();
    let opened = CartEvent::Opened { cart_id, owner: CartOwner::Guest, currency, expires_at };
    let caller = Caller::system();
    let recorded =
        engine.bus().run(&caller, move |unit| unit.record::<Cart>(&cart_id, vec![opened.clone()]));
    recorded.await.unwrap();
    cart_id
}

async fn is_open(engine: &Engine, cart_id: CartId) -> bool {
    engine.bus().read::<Cart, _>(cart_id, |cart| cart.open.is_some()).await.unwrap().value
}

/// An event of a cart that no version of this program can read.
async fn spoil(journal: &dyn Journal, cart_id: CartId) {
    let stream: StreamId = <Cart as commands::Runs>::stream(&cart_id);
    let event = NewEvent {
        id: Uuid::now_v7(),
        event_type: EventType::new("cart.item_added"),
        schema_version: 1,
        payload: Arc::from(r#"{"item":"none"}"#),
        occurred: chrono::DateTime::UNIX_EPOCH,
    };
    let expected = journal.stream_version(&stream).await.unwrap();
    let groups = vec![Group { stream, expected, events: vec![event] }];
    let unit = journal::Unit::new(groups, Arc::from("{}"));
    let verdicts = journal.append(vec![unit]).await.unwrap();
    assert!(matches!(verdicts[..], [Verdict::Committed { .. }]));
}

#[tokio::test]
async fn what_cannot_be_read_or_done_holds_up_nothing_that_is_due_after_it() {
    let (mut agenda, engine, journal) = agenda();
    let spoilt = lapsed_cart(&engine).await;
    // Read by the agenda before the spoilt event, so that the cart is due and cannot be loaded.
    agenda.catch_up().await.unwrap();
    spoil(journal.as_ref(), spoilt).await;
    let sound = lapsed_cart(&engine).await;
    assert!(is_open(&engine, sound).await);

    assert_eq!(agenda.round().await.unwrap(), 2);
    assert!(!is_open(&engine, sound).await, "the cart after the spoilt one expires");
    // Left alone for a while rather than tried at every round.
    assert_eq!(agenda.round().await.unwrap(), 0);
    assert_eq!(agenda.counts().unwrap().carts, 1);
}

#[tokio::test]
async fn a_table_ahead_of_a_journal_that_was_restored_starts_anew() {
    let (_, engine, journal) = agenda();
    let cart_id = lapsed_cart(&engine).await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("agenda.db");
    let open = |head| AgendaTable::open(&path, journal.id(), Position(head)).unwrap();
    let mut agenda = Agenda::new(open(1), Arc::clone(&journal), engine);
    agenda.catch_up().await.unwrap();
    drop(agenda);
    let kept = open(1);
    assert_eq!((kept.position(), kept.counts().unwrap().carts), (Position(1), 1), "{cart_id}");
    drop(kept);
    let anew = open(0);
    assert_eq!((anew.position(), anew.counts().unwrap().carts), (Position(0), 0));
}
