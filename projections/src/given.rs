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

/// Time this thread spent on a processor, so that a busy machine weighs the same as an idle one;
/// zero where the system does not say.
pub(crate) fn processor_time() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = told.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
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

pub(crate) fn empty<P: Projector>() -> Connection {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    connection.set_prepared_statement_cache_capacity(64);
    let connection = Connection::from(connection);
    P::create_tables(&connection).unwrap();
    connection
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
    let mut tables =
        connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
    let names = tables.query_map([], |row| row.get::<String>(0)).unwrap();
    let mut all = BTreeMap::new();
    for name in names.map(Result::unwrap) {
        let mut select = connection.prepare(&format!("SELECT * FROM {name}")).unwrap();
        let columns = select.column_count().unwrap();
        let rows = select
            .query_map([], |row| {
                (0..columns).map(|column| row.get::<Value>(column)).collect::<Result<Vec<_>, _>>()
            })
            .unwrap();
        let mut rows: Vec<String> = rows.map(|row| format!("{:?}", row.unwrap())).collect();
        rows.sort_unstable();
        all.insert(name, rows);
    }
    all
}
