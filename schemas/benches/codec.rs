//! How long one event takes to be written and read: `cargo bench -p schemas`.
//!
//! Budget: 1 µs for `cart.item_added` and 4 µs for an order of three lines, each way, on one core.
//! Both happen on every append and once more for every read, beside a journal that takes a few
//! microseconds an event: the codec is not to be what it waits for.

#![expect(clippy::print_stdout, reason = "a benchmark says its figures")]

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use schemas::{catalogue, decode_any};
use serde_json::Value;

const ROUNDS: u32 = 7;
const EVENTS_PER_ROUND: u32 = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    measure("cart.item_added", |_| {})?;
    measure("order.placed", |order| {
        if let Some(Value::Array(lines)) = order.get_mut("lines") {
            let line = lines[0].clone();
            lines.extend([line.clone(), line]);
        }
    })
}

/// Measures the event's full sample after `change`.
fn measure(event_type: &str, change: impl FnOnce(&mut Value)) -> Result<(), Box<dyn Error>> {
    let entry = catalogue().into_iter().find(|e| e.event_type == event_type);
    let sample = entry
        .and_then(|entry| entry.versions.last().copied())
        .ok_or("not in the catalogue")?
        .full_sample;
    let mut sample: Value = serde_json::from_str(sample)?;
    change(&mut sample);
    let event = decode_any(event_type, 1, &sample.to_string())?;
    let payload = event.encode();

    let write = best_ns(|| drop(black_box(black_box(&event).encode())));
    let read = best_ns(|| drop(black_box(decode_any(event_type, 1, black_box(&payload)))));
    println!("{event_type}, {} bytes: encode {write} ns, decode {read} ns", payload.len());
    Ok(())
}

/// Best of several rounds: what else the machine does only ever adds to it.
fn best_ns(mut once: impl FnMut()) -> u128 {
    (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..EVENTS_PER_ROUND {
                once();
            }
            start.elapsed().as_nanos() / u128::from(EVENTS_PER_ROUND)
        })
        .min()
        .unwrap_or_default()
}
