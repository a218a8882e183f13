//! SQLite with the table one would write first, and the same settings for durability.

use std::path::Path;

use journal::{StreamKey, Unit};
use rusqlite::Connection;

pub(crate) struct Bare {
    connection: Connection,
}

impl Bare {
    pub(crate) fn open(path: &Path, indexed: bool) -> Self {
        let connection = Connection::open(path).unwrap();
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
        connection.pragma_update(None, "synchronous", "FULL").unwrap();
        connection.pragma_update(None, "wal_autocheckpoint", 4000).unwrap();
        connection.pragma_update(None, "cache_size", -65_536).unwrap();
        let unique = if indexed { ", UNIQUE (stream, version)" } else { "" };
        connection
            .execute_batch(&format!(
                "CREATE TABLE event (position INTEGER PRIMARY KEY, stream BLOB NOT NULL,
                 version INTEGER NOT NULL, type TEXT NOT NULL, payload TEXT NOT NULL,
                 metadata TEXT NOT NULL, recorded INTEGER NOT NULL{unique})"
            ))
            .unwrap();
        Self { connection }
    }

    pub(crate) fn insert(&mut self, units: &[Unit]) {
        let transaction = self.connection.transaction().unwrap();
        {
            let mut insert = transaction
                .prepare_cached(
                    "INSERT INTO event (stream, version, type, payload, metadata, recorded)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )
                .unwrap();
            for unit in units {
                let group = &unit.groups[0];
                let StreamKey::Uuid(id) = &group.stream.key else {
                    continue;
                };
                let event = &group.events[0];
                insert
                    .execute((
                        id.as_bytes().as_slice(),
                        (group.expected + 1) as i64,
                        event.event_type.as_str(),
                        &*event.payload,
                        &*unit.metadata,
                        event.occurred.timestamp_micros(),
                    ))
                    .unwrap();
            }
        }
        transaction.commit().unwrap();
    }
}
