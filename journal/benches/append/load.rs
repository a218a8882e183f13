//! The events to append: half open a stream, half go to one opened before.

use std::sync::Arc;

use journal::{Category, EventType, Group, NewEvent, StreamId, Unit};
use uuid::{NoContext, Timestamp, Uuid};

/// Streams which may still get events; new ones push out a random one.
const OPEN_STREAMS: usize = 10_000;

pub(crate) struct Load {
    state: u64,
    open: Vec<(StreamId, u64)>,
    category: Category,
    event_type: EventType,
    payload: Arc<str>,
    metadata: Arc<str>,
}

impl Load {
    pub(crate) fn new(seed: u64) -> Self {
        let payload = format!(r#"{{"order":"0190","lines":["{}"]}}"#, "sku-4711-blue ".repeat(19));
        let metadata = r#"{"command":"01900000-0000-7000-8000-000000000001","actor":"customer:4711","correlation":"01900000-0000-7000-8000"}"#;
        assert!((400..420).contains(&(payload.len() + metadata.len())));
        Self {
            state: seed,
            open: Vec::new(),
            category: Category::new("order"),
            event_type: EventType::new("order.placed"),
            payload: Arc::from(payload),
            metadata: Arc::from(metadata),
        }
    }

    /// One unit an event, as if as many customers had asked at the same time.
    pub(crate) fn units(&mut self, events: usize) -> Vec<Unit> {
        (0..events).map(|_| self.unit()).collect()
    }

    fn unit(&mut self) -> Unit {
        let new = self.open.is_empty() || self.next().is_multiple_of(2);
        let (stream, expected) = if new { self.open_stream() } else { self.known_stream() };
        let event = NewEvent {
            id: Uuid::now_v7(),
            event_type: self.event_type,
            schema_version: 1,
            payload: Arc::clone(&self.payload),
            occurred: chrono::DateTime::UNIX_EPOCH,
        };
        let metadata = Arc::from(&*self.metadata);
        Unit::new(vec![Group { stream, expected, events: vec![event] }], metadata)
    }

    fn open_stream(&mut self) -> (StreamId, u64) {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        let time = Timestamp::from_unix(NoContext, now.as_secs(), now.subsec_nanos());
        let stream = StreamId::of_uuid(self.category, Uuid::new_v7(time));
        if self.open.len() < OPEN_STREAMS {
            self.open.push((stream.clone(), 1));
        } else {
            let index = self.below(OPEN_STREAMS);
            self.open[index] = (stream.clone(), 1);
        }
        (stream, 0)
    }

    fn known_stream(&mut self) -> (StreamId, u64) {
        let index = self.below(self.open.len());
        let (stream, version) = &mut self.open[index];
        *version += 1;
        (stream.clone(), *version - 1)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// A number that looks random (SplitMix64).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
