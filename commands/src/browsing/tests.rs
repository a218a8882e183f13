//! Browsing over journals in memory.

mod reading;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::browsing::{BrowsingEvent, Place, ProductImpressions, ProductViews};
use domain::{CustomerId, ProductId, Timestamp};
use journal::{
    Category, EventType, Fault, Faults, Group, Journal, JournalError, MemoryJournal, NewEvent,
    Recorded, Storage, StreamId, Unit, Verdict,
};
use schemas::StoredEvent;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::*;
use crate::{Clock, SystemIds, TokioTimer};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn id<I: From<Uuid>>(number: u128) -> I {
    I::from(Uuid::from_u128(number))
}

/// Goes when it is told to.
struct SetClock(Mutex<Timestamp>);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// What goes wrong with appends until it is taken back.
#[derive(Default)]
struct Away {
    before: AtomicBool,
    after: AtomicBool,
}

impl Away {
    fn fault(flag: &AtomicBool) -> Fault {
        match flag.load(Ordering::Relaxed) {
            true => Fault::Fail(JournalError::Unavailable("away".to_owned())),
            false => Fault::None,
        }
    }
}

impl Faults for Away {
    fn before(&self, _: &[Unit]) -> Fault {
        Self::fault(&self.before)
    }

    fn after(&self, _: &[Verdict]) -> Fault {
        Self::fault(&self.after)
    }
}

/// What is durable, and the journal over it.
type Opened = (Arc<Storage>, Arc<MemoryJournal>);

/// Journals in memory; what a node has open lasts as long as this.
#[derive(Default)]
struct InMemory {
    periods: Mutex<BTreeMap<Period, Opened>>,
    away: Arc<Away>,
    shut: AtomicBool,
}

impl InMemory {
    fn events(&self, period: &str) -> Vec<Recorded> {
        let periods = self.periods.lock().unwrap();
        let (storage, _) = &periods[&period.parse().unwrap()];
        storage.events()
    }

    fn browsing(&self, period: &str) -> Vec<BrowsingEvent> {
        let read = |recorded: &Recorded| {
            let name = recorded.event_type.as_str();
            BrowsingEvent::decode(name, recorded.schema_version, &recorded.payload).unwrap()
        };
        self.events(period).iter().map(read).collect()
    }
}

impl BrowsingJournals for InMemory {
    fn open(&self, period: Period) -> Result<Arc<dyn Journal>, JournalError> {
        if self.shut.load(Ordering::Relaxed) {
            return Err(JournalError::Unavailable("shut".to_owned()));
        }
        let mut periods = self.periods.lock().unwrap();
        let (_, journal) = periods.entry(period).or_insert_with(|| {
            let storage = Arc::new(Storage::new(Uuid::nil()));
            let journal = MemoryJournal::over(Arc::clone(&storage))
                .with_faults(Arc::clone(&self.away) as Arc<dyn Faults>);
            (storage, Arc::new(journal))
        });
        Ok(Arc::clone(journal) as Arc<dyn Journal>)
    }

    fn list(&self) -> Result<Vec<Period>, JournalError> {
        Ok(self.periods.lock().unwrap().keys().copied().collect())
    }

    fn remove(&self, period: Period) -> Result<(), JournalError> {
        let mut periods = self.periods.lock().unwrap();
        if let Some((_, journal)) = periods.remove(&period) {
            // Whoever still has it finds it gone, as a schema that was dropped.
            journal.crash();
        }
        Ok(())
    }
}

struct Shop {
    journals: Arc<InMemory>,
    clock: Arc<SetClock>,
    log: BrowsingLog,
    writer: BrowsingWriter,
}

impl Shop {
    fn open(options: BrowsingOptions) -> Self {
        Self::over(Arc::default(), options, 1)
    }

    fn over(journals: Arc<InMemory>, options: BrowsingOptions, node: u128) -> Self {
        let clock = Arc::new(SetClock(Mutex::new(at("2026-11-20T12:00:00Z"))));
        let ids = Arc::new(SystemIds::seeded(node << 40));
        let (log, writer) = BrowsingLog::new(
            options,
            Arc::clone(&journals) as Arc<dyn BrowsingJournals>,
            Arc::clone(&clock) as Arc<dyn Clock>,
            ids,
        );
        Self { journals, clock, log, writer }
    }

    fn set(&self, time: &str) {
        *self.clock.0.lock().unwrap() = at(time);
    }

    fn viewed(&self, customer: u128, product: u128) {
        self.log.viewed(Some(id(customer)), id(product), self.clock.now());
    }

    fn reader(&self) -> BrowsingReader {
        let journals = Arc::clone(&self.journals) as Arc<dyn BrowsingJournals>;
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        BrowsingReader::new(journals, clock, BrowsingOptions::default())
    }
}

async fn given(reader: &mut BrowsingReader) -> Vec<(BrowsingEvent, Timestamp)> {
    let mut all = Vec::new();
    reader.catch_up(&mut |event, at| all.push((event, at))).await.unwrap();
    all
}

fn views(customer: u128, products: &[(u128, u32, &str)]) -> BrowsingEvent {
    let products = products.iter().map(|(product, times, last)| ProductViews {
        product_id: id(*product),
        times: *times,
        last_at: at(last),
    });
    BrowsingEvent::Viewed { customer_id: Some(id(customer)), products: products.collect() }
}

#[tokio::test]
async fn a_window_is_counted_together_and_appended_at_once() {
    let mut shop = Shop::open(BrowsingOptions::default());
    let (one, two) = ("2026-11-20T12:00:00Z", "2026-11-20T12:00:00.5Z");
    for (product, time) in [(1, one), (2, one), (1, two)] {
        shop.log.viewed(Some(id(7)), id(product), at(time));
    }
    shop.log.viewed(Some(id(8)), id(1), at(one));
    shop.log.viewed(None, id(1), at(one));
    shop.log.viewed(None, id(1), at(two));
    shop.log.shown(Place::Home, &[id(1), id(2)], at(one));
    shop.log.shown(Place::Home, &[id(1)], at(one));
    shop.log.clicked(Place::Home, id(2), at(two));
    shop.log.clicked(Place::Search, id(2), at(one));
    assert_eq!(shop.log.stats().pending, 7);
    shop.writer.write().await;

    let guests = ProductViews { product_id: id(1), times: 2, last_at: at(two) };
    let impressions =
        |product, shown, clicked| ProductImpressions { product_id: id(product), shown, clicked };
    assert_eq!(
        shop.journals.browsing("2026-11"),
        [
            BrowsingEvent::Viewed { customer_id: None, products: vec![guests] },
            views(7, &[(1, 2, two), (2, 1, one)]),
            views(8, &[(1, 1, one)]),
            BrowsingEvent::Shown {
                place: Place::Home,
                products: vec![impressions(1, 2, 0), impressions(2, 1, 1)],
            },
            BrowsingEvent::Shown { place: Place::Search, products: vec![impressions(2, 0, 1)] },
        ]
    );
    let events = shop.journals.events("2026-11");
    assert!(events.iter().all(|event| event.stream == events[0].stream));
    let times: Vec<Timestamp> = events.iter().map(|event| event.occurred).collect();
    assert_eq!(times, [two, two, one, two, one].map(at));
    let stats = BrowsingStats { written: 7, ..BrowsingStats::default() };
    assert_eq!(shop.log.stats(), stats);

    // Nothing came, so nothing is written.
    shop.writer.write().await;
    assert_eq!(shop.journals.events("2026-11").len(), 5);
}

#[tokio::test]
async fn events_are_bounded() {
    let mut shop = Shop::open(BrowsingOptions::default());
    for product in 0..250 {
        shop.viewed(7, product);
    }
    for customer in 0..2_000 {
        shop.viewed(1_000 + customer, 1);
    }
    shop.writer.write().await;
    let lengths: Vec<usize> = shop
        .journals
        .browsing("2026-11")
        .iter()
        .map(|event| match event {
            BrowsingEvent::Viewed { products, .. } => products.len(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(lengths[..4], [100, 100, 50, 1]);
    assert_eq!(lengths.len(), 2_003);
    assert_eq!(shop.log.stats().pending, 0);
}

#[tokio::test]
async fn what_has_no_room_is_dropped_and_counted() {
    let mut shop = Shop::open(BrowsingOptions { pending_max: 3, ..BrowsingOptions::default() });
    for product in 1..=5 {
        shop.viewed(7, product);
    }
    // What has a place already goes on counting.
    shop.viewed(7, 1);
    shop.log.shown(Place::Home, &[id(1), id(2)], shop.clock.now());
    let stats = shop.log.stats();
    assert_eq!((stats.pending, stats.dropped), (3, 4));
    let customer: CustomerId = id(7);
    assert!(shop.log.erase(customer, shop.clock.now()).await.is_err());
    shop.writer.write().await;
    let now = "2026-11-20T12:00:00Z";
    let kept = views(7, &[(1, 2, now), (2, 1, now), (3, 1, now)]);
    assert_eq!(shop.journals.browsing("2026-11"), [kept]);
    shop.viewed(7, 4);
    assert_eq!(shop.log.stats().pending, 1);
}

#[tokio::test]
async fn a_period_begins_with_its_first_instant() {
    let mut shop = Shop::open(BrowsingOptions::default());
    let (last, first) = ("2026-11-30T23:59:59.999Z", "2026-12-01T00:00:00Z");
    shop.log.viewed(Some(id(7)), id(1), at(first));
    shop.log.viewed(Some(id(7)), id(1), at(last));
    shop.set(first);
    shop.writer.write().await;
    assert_eq!(shop.journals.browsing("2026-11"), [views(7, &[(1, 1, last)])]);
    assert_eq!(shop.journals.browsing("2026-12"), [views(7, &[(1, 1, first)])]);
}

#[tokio::test]
async fn what_cannot_be_written_now_is_written_once_later() {
    let mut shop = Shop::open(BrowsingOptions::default());
    shop.journals.shut.store(true, Ordering::Relaxed);
    shop.viewed(7, 1);
    shop.writer.write().await;
    let stats = shop.log.stats();
    assert_eq!(
        (stats.pending, stats.written, stats.away.as_deref()),
        (1, 0, Some("journal unavailable: shut"))
    );

    shop.journals.shut.store(false, Ordering::Relaxed);
    shop.journals.away.before.store(true, Ordering::Relaxed);
    shop.viewed(7, 2);
    shop.writer.write().await;
    shop.journals.away.before.store(false, Ordering::Relaxed);

    // This one takes effect, and nobody hears of it.
    shop.journals.away.after.store(true, Ordering::Relaxed);
    shop.viewed(7, 2);
    shop.writer.write().await;
    assert_eq!(shop.journals.events("2026-11").len(), 1);
    assert_eq!(shop.log.stats().written, 0);
    shop.journals.away.after.store(false, Ordering::Relaxed);
    shop.writer.write().await;
    shop.viewed(7, 3);
    shop.writer.write().await;
    let now = "2026-11-20T12:00:00Z";
    assert_eq!(
        shop.journals.browsing("2026-11"),
        [views(7, &[(1, 1, now)]), views(7, &[(2, 2, now)]), views(7, &[(3, 1, now)])]
    );
    let stats = shop.log.stats();
    assert_eq!((stats.written, stats.pending, stats.dropped, stats.away), (3, 0, 0, None));
}

#[tokio::test]
async fn nodes_write_one_journal_beside_each_other() {
    let mut one = Shop::open(BrowsingOptions::default());
    let mut two = Shop::over(Arc::clone(&one.journals), BrowsingOptions::default(), 2);
    for round in 0..3 {
        one.viewed(7, round);
        two.viewed(8, round);
        one.writer.write().await;
        two.writer.write().await;
    }
    assert_eq!(one.log.stats().written + two.log.stats().written, 6);
    assert_eq!(given(&mut one.reader()).await.len(), 6);
}

#[tokio::test]
async fn an_erased_customers_views_are_used_no_more() {
    let mut shop = Shop::open(BrowsingOptions::default());
    shop.viewed(7, 1);
    shop.writer.write().await;
    let mut early = shop.reader();
    assert_eq!(given(&mut early).await.len(), 1);
    shop.viewed(7, 2);
    shop.viewed(8, 2);
    let (log, now) = (shop.log.clone(), shop.clock.now());
    let erased = tokio::spawn(async move { log.erase(id(7), now).await });
    tokio::task::yield_now().await;
    // Another node had it still.
    let mut other = Shop::over(Arc::clone(&shop.journals), BrowsingOptions::default(), 2);
    other.viewed(7, 3);
    shop.writer.write().await;
    erased.await.unwrap().unwrap();
    other.writer.write().await;

    let time = "2026-11-20T12:00:00Z";
    let forgotten = BrowsingEvent::Forgotten { customer_id: id(7) };
    let after = [views(8, &[(2, 1, time)]), forgotten.clone()];
    let events = |given: Vec<(BrowsingEvent, Timestamp)>| {
        given.into_iter().map(|(event, _)| event).collect::<Vec<_>>()
    };
    assert_eq!(events(given(&mut early).await), after);
    let anew = events(given(&mut shop.reader()).await);
    assert_eq!(anew, [vec![views(7, &[(1, 1, time)])], after.to_vec()].concat());
}

#[tokio::test]
async fn an_erasure_that_is_not_on_record_is_an_error() {
    let mut shop = Shop::open(BrowsingOptions::default());
    shop.journals.away.before.store(true, Ordering::Relaxed);
    // A view that comes first must not keep whoever waits for the other.
    shop.viewed(8, 1);
    for _ in 0..2 {
        let (log, now) = (shop.log.clone(), shop.clock.now());
        let erased = tokio::spawn(async move { log.erase(id(7), now).await });
        tokio::task::yield_now().await;
        shop.writer.write().await;
        let error = erased.await.unwrap().unwrap_err();
        assert!(error.to_string().contains("away"), "{error}");
    }
    // The first is written all the same when the journal is back; the second was refused.
    shop.journals.away.before.store(false, Ordering::Relaxed);
    shop.writer.write().await;
    let forgotten = BrowsingEvent::Forgotten { customer_id: id(7) };
    let view = views(8, &[(1, 1, "2026-11-20T12:00:00Z")]);
    assert_eq!(shop.journals.browsing("2026-11"), [view, forgotten]);
    assert_eq!(shop.log.stats().pending, 0);
}

#[tokio::test]
async fn whole_periods_are_deleted_when_their_last_day_is_too_old() {
    let mut shop = Shop::open(BrowsingOptions { retention_days: 30, ..BrowsingOptions::default() });
    shop.viewed(7, 1);
    shop.writer.write().await;
    for (time, left) in [
        ("2026-12-30T23:59:59.999Z", vec!["2026-11"]),
        // Not looked at again within the hour.
        ("2026-12-31T00:00:00Z", vec!["2026-11"]),
        ("2026-12-31T00:59:59.999Z", vec![]),
    ] {
        shop.set(time);
        shop.writer.clear();
        let periods: Vec<String> =
            shop.journals.list().unwrap().iter().map(Period::to_string).collect();
        assert_eq!(periods, left, "{time}");
    }
    shop.viewed(7, 2);
    shop.writer.write().await;
    assert_eq!(shop.journals.list().unwrap().len(), 1);
}

#[test]
fn retention_is_at_least_a_day() {
    let options = BrowsingOptions { retention_days: 0, ..BrowsingOptions::default() };
    let november: Period = "2026-11".parse().unwrap();
    assert!(!options.is_expired(november, at("2026-12-01T23:59:59Z")));
    assert!(options.is_expired(november, at("2026-12-02T00:00:00Z")));
    let huge = BrowsingOptions { retention_days: u32::MAX, ..options };
    assert!(!huge.is_expired(november, at("2926-12-02T00:00:00Z")));
}

#[tokio::test]
async fn closing_writes_what_is_left_and_takes_nothing_more() {
    let options =
        BrowsingOptions { window: Duration::from_secs(3_600), ..BrowsingOptions::default() };
    let shop = Shop::open(options);
    shop.viewed(7, 1);
    let (stop, stopped) = oneshot::channel::<()>();
    let writer = shop.writer.run(Arc::new(TokioTimer), async move {
        let _ = stopped.await;
    });
    let writer = tokio::spawn(writer);
    // Whoever waits is not kept for an hour.
    shop.log.erase(id(9), at("2026-11-20T12:00:00Z")).await.unwrap();
    shop.log.viewed(Some(id(7)), id(2), at("2026-11-20T12:00:00Z"));
    stop.send(()).unwrap();
    writer.await.unwrap();
    assert_eq!(shop.journals.browsing("2026-11").len(), 3);
    shop.log.viewed(Some(id(7)), id(3), at("2026-11-20T12:00:00Z"));
    assert_eq!(shop.log.stats().dropped, 1);
    let erased = shop.log.erase(id(7), at("2026-11-20T12:00:00Z")).await;
    assert!(matches!(erased, Err(JournalError::Closed)), "{erased:?}");
}

#[tokio::test]
async fn what_is_lost_at_the_end_is_counted() {
    let mut shop = Shop::open(BrowsingOptions::default());
    shop.journals.away.before.store(true, Ordering::Relaxed);
    shop.viewed(7, 1);
    shop.writer.write().await;
    shop.viewed(7, 2);
    drop(shop.writer);
    let stats = shop.log.stats();
    assert_eq!((stats.written, stats.dropped, stats.pending), (0, 2, 0));
}
