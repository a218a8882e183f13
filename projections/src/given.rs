//! Feeds events to one read model in memory, for the models' own tests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::sql::Connection;
use crate::sql::Value;
use chrono::{DateTime, TimeZone, Utc};
use journal::{Category, Position, StreamId};
use schemas::AnyEvent;
use uuid::Uuid;

use crate::{Envelope, Projector};

/// Time this thread spent on a processor, to the nanosecond, so that a busy machine weighs the same as
/// an idle one.
pub(crate) fn processor_time() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(spent).expect("since the thread began")
}

/// An id that is the same in every run.
pub(crate) fn id<T: From<Uuid>>(number: u128) -> T {
    T::from(Uuid::from_u128(number))
}

/// Some seconds after a fixed instant.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    Utc.timestamp_opt(1_700_000_000 + seconds, 0).unwrap()
}

/// Gives events their streams, positions and times: one position and one second after another.
pub(crate) fn log(events: impl IntoIterator<Item = (Uuid, AnyEvent)>) -> Vec<Envelope> {
    events
        .into_iter()
        .zip(1_u64..)
        .map(|((stream, event), position)| Envelope {
            position: Position(position),
            stream: StreamId::of_uuid(Category::new(event.category()), stream),
            version: 1,
            event_id: Uuid::from_u128(u128::from(position)),
            event_type: event.event_type(),
            event,
            payload: Arc::from("{}"),
            metadata: Arc::from("{}"),
            occurred: at(position.cast_signed()),
            recorded: at(position.cast_signed()),
        })
        .collect()
}

// Where the models of this thread's test are kept.
#[cfg(feature = "postgres")]
thread_local! {
    static PLACE: std::cell::RefCell<Option<crate::Directory>> =
        const { std::cell::RefCell::new(None) };
}

/// Runs a model's test on PostgreSQL.
#[cfg(feature = "postgres")]
pub(crate) fn in_postgres(test: fn()) {
    PLACE.set(Some(crate::postgres::tests::fresh().1));
    test();
}

/// How often a property is tried: as usual, or less where each try makes a schema.
pub(crate) fn cases() -> proptest::test_runner::Config {
    #[cfg(feature = "postgres")]
    if PLACE.with_borrow(Option::is_some) {
        return proptest::test_runner::Config::with_cases(12);
    }
    proptest::test_runner::Config::default()
}

/// Makes tests of a model run on PostgreSQL too, if that is built.
macro_rules! also_in_postgres {
    ($($test:ident)*) => {
        #[cfg(feature = "postgres")]
        mod in_postgres {
            $(#[test] fn $test() { crate::given::in_postgres(super::$test); })*
        }
    };
}

pub(crate) use also_in_postgres;

pub(crate) fn empty<P: Projector>() -> Connection {
    let connection = connection(P::NAME);
    crate::file::create(&connection, &crate::model::Folder::<P>::new(), Uuid::nil()).unwrap();
    connection
}

fn connection(name: &str) -> Connection {
    #[cfg(feature = "postgres")]
    if let Some(directory) = PLACE.with_borrow(Clone::clone) {
        static MADE: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
        let generation = MADE.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let writer = directory.writer(name, generation, crate::file::Pragmas::Bulk).unwrap();
        return Arc::into_inner(writer).unwrap().into_inner().unwrap();
    }
    let _ = name;
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    connection.set_prepared_statement_cache_capacity(64);
    Connection::from(connection)
}

/// Folds and saves `events` in batches, as the runner does.
pub(crate) fn feed<P: Projector>(connection: &Connection, events: &[Envelope], batch: usize) {
    for batch in events.chunks(batch.max(1)) {
        // As saved, and as it is now.
        type Touched<R> = (Option<R>, Option<R>);
        let mut rows: BTreeMap<P::Key, Touched<P::Row>> = BTreeMap::new();
        let transaction = connection.transaction().unwrap().unwrap();
        for event in batch {
            let mut keys = Vec::new();
            P::keys(event, &mut keys);
            for key in keys {
                let (_, now) = rows.entry(key.clone()).or_insert_with(|| {
                    let row = P::load(connection, &key).unwrap();
                    (row.clone(), row)
                });
                *now = P::fold(&key, now.take(), event);
            }
        }
        crate::file::set_position(connection, batch.last().unwrap().position).unwrap();
        for (key, (before, now)) in rows {
            P::save(connection, &key, before.as_ref(), now.as_ref()).unwrap();
        }
        transaction.commit().unwrap();
    }
}

/// A model with all `events` in it.
pub(crate) fn given<P: Projector>(events: &[Envelope]) -> Connection {
    let connection = empty::<P>();
    feed::<P>(&connection, events, 100);
    connection
}

/// Every row of every table, in an order of its own.
pub(crate) fn dump(connection: &Connection) -> BTreeMap<String, Vec<String>> {
    dump_but(connection, &[])
}

/// As [`dump`] without some tables.
pub(crate) fn dump_but(connection: &Connection, not: &[&str]) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for table in connection.tables(not).unwrap() {
        let columns = table.columns.len();
        let mut select = connection.prepare(&format!("SELECT * FROM {}", table.name)).unwrap();
        let rows = select
            .query_map([], |row| {
                (0..columns).map(|column| row.get::<Value>(column)).collect::<Result<Vec<_>, _>>()
            })
            .unwrap();
        let mut rows: Vec<String> = rows.map(|row| format!("{:?}", row.unwrap())).collect();
        rows.sort_unstable();
        all.insert(table.name, rows);
    }
    all
}
