//! What is measured at each stage, one call at a time.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use journal::{Journal, Position, SqliteJournal, StreamId, Verdict};
use tokio::runtime::Runtime;

use crate::shop::{self, Shop, scramble};

const CALLS: u64 = 1_000;

/// Times are p50, p99 in microseconds where nothing else is said.
pub(crate) const HEADINGS: &str = "\
| orders | events | GiB | bytes an event | events/s | processor us an event \
| append 1, new stream | append 1, hot stream | append 1, old stream \
| read new stream | read old stream | last 50 of a hot stream | last 100 of all \
| RSS MiB | start ms: warm, cold | after a crash ms | RSS MiB: idle, after a crash |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
";

#[derive(Debug, Default)]
pub(crate) struct Probes {
    /// Orders whose payment has got an event here already.
    touched: HashSet<u64>,
    drawn: u64,
    streams: u64,
}

impl Probes {
    pub(crate) fn run(
        &mut self,
        runtime: &Runtime,
        journal: &SqliteJournal,
        shop: &mut Shop,
    ) -> Vec<String> {
        // Paid some time ago, and no longer in memory for being new.
        let orders = shop.ticks() * 9 / 10 - 1_000;
        let newest = shop.ticks() - 1;
        let read = |stream: &StreamId, after, max| {
            runtime.block_on(journal.read_stream(stream, after, max)).unwrap().len()
        };
        let single = |group| {
            let verdicts = runtime.block_on(journal.append(vec![shop::unit(vec![group])])).unwrap();
            assert!(all_committed(&verdicts));
        };
        let new_reads = times(|call| {
            let cart = shop::stream("cart", newest - call);
            move || assert_eq!(read(&cart, 0, usize::MAX), 5)
        });
        let old_reads = times(|_| {
            let cart = shop::stream("cart", self.draw() % orders);
            move || assert_eq!(read(&cart, 0, usize::MAX), 5)
        });
        let hot_reads = times(|_| {
            let sku = self.draw() as usize % 1_000;
            let after = shop.sku_version(sku).saturating_sub(50);
            move || {
                read(&shop::sku_stream(sku), after, 50);
            }
        });
        let all_reads = times(|_| {
            let after = Position(journal.head().0 - 100);
            move || {
                let events = runtime.block_on(journal.read_all(after, 100)).unwrap();
                assert_eq!(events.len(), 100);
            }
        });
        let new_appends = times(|_| {
            self.streams += 1;
            let stream = shop::stream("probe", shop.ticks() + self.streams);
            let group = shop.group(stream, 0, 1);
            || single(group)
        });
        let hot_appends = times(|_| {
            let group = shop.reservation(self.draw() as usize % 1_000);
            || single(group)
        });
        let old_appends = times(|_| {
            let order = loop {
                let order = self.draw() % orders;
                if self.touched.insert(order) {
                    break order;
                }
            };
            let group = shop.group(shop::stream("payment", order), 2, 1);
            || single(group)
        });
        [new_appends, hot_appends, old_appends, new_reads, old_reads, hot_reads, all_reads].into()
    }

    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        scramble(self.drawn ^ 0x5eed << 32)
    }
}

/// Times what `prepare` makes ready, again and again.
fn times<Work: FnOnce()>(mut prepare: impl FnMut(u64) -> Work) -> String {
    let mut took: Vec<Duration> = (0..CALLS)
        .map(|call| {
            let work = prepare(call);
            let began = Instant::now();
            work();
            began.elapsed()
        })
        .collect();
    took.sort_unstable();
    format!("{}, {}", took[took.len() / 2].as_micros(), took[took.len() * 99 / 100].as_micros())
}

pub(crate) fn all_committed(verdicts: &[Verdict]) -> bool {
    verdicts.iter().all(|verdict| matches!(verdict, Verdict::Committed { .. }))
}
