//! A journal with everything that a copy must keep: streams by id and by name, units of many streams,
//! times that repeat and times that do not, metadata that is shared.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use journal::{
    Category, EventType, Group, Journal, MemoryJournal, NewEvent, Position, Recorded, Storage,
    StreamId, Unit, Verdict,
};
use uuid::Uuid;

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn event(&mut self) -> NewEvent {
        let text = "x".repeat(self.below(300) as usize);
        NewEvent {
            id: Uuid::from_u64_pair(self.below(u64::MAX), self.below(u64::MAX)),
            event_type: EventType::new(
                ["cart.line_added", "cart.checked_out"][self.below(2) as usize],
            ),
            schema_version: 1 + self.below(3) as u16,
            // White space, escapes and a number that is not written the shortest way.
            payload: format!(r#"{{"n" :1.0e0, "text":"\u00fc ü {text}"}}"#).into(),
            occurred: time(self.below(1_000_000_000) as i64 - 900_000_000),
        }
    }

    fn stream(&mut self) -> StreamId {
        match self.below(300) {
            n if n.is_multiple_of(7) => {
                StreamId::of_text(Category::new("import"), &format!("Sheet {n}, rows ü"))
            }
            n => StreamId::of_uuid(Category::new("cart"), Uuid::from_u128(n.into())),
        }
    }
}

fn time(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_700_000_000_000_000 + micros).unwrap()
}

/// A journal in memory with at least so many events; a longer one begins like a shorter one.
pub(crate) async fn varied(events: u64) -> MemoryJournal {
    seeded(events, 0x2545_f491_4f6c_dd1d).await
}

/// Another journal with the same id.
pub(crate) async fn seeded(events: u64, seed: u64) -> MemoryJournal {
    let ticks = AtomicI64::new(0);
    let clock = move || time(ticks.fetch_add(1, Ordering::Relaxed) / 3);
    let storage = Arc::new(Storage::new(Uuid::from_u128(0x5eed)));
    let journal = MemoryJournal::over(storage).with_clock(Arc::new(clock));
    let mut random = Random(seed);
    while journal.head().0 < events {
        let mut groups: Vec<Group> = Vec::new();
        for _ in 0..=random.below(4) {
            let stream = random.stream();
            if groups.iter().any(|group| group.stream == stream) {
                continue;
            }
            let expected = journal.stream_version(&stream).await.unwrap();
            let events = (0..=random.below(3)).map(|_| random.event()).collect();
            groups.push(Group { stream, expected, events });
        }
        let metadata = format!(r#"{{"actor" : "clerk:{}"}}"#, random.below(2));
        let verdicts = journal.append(vec![Unit::new(groups, metadata.into())]).await.unwrap();
        assert!(matches!(verdicts[..], [Verdict::Committed { .. }]));
    }
    journal
}

/// Everything, read page by page.
pub(crate) async fn everything(journal: &dyn Journal) -> Vec<Recorded> {
    let mut all = Vec::new();
    loop {
        let page = journal.read_all(Position(all.len() as u64), 1_000).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}
