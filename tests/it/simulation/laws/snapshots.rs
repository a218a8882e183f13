//! Snapshots: each is exactly the fold of the events it stands for.

use domain::Decider;
use domain::cart::Cart;
use domain::inventory::Inventory;
use domain::order::Order;
use domain::payment::Payment;
use schemas::StoredEvent;

use super::{Broken, Evidence};

pub(super) fn a_snapshot_is_as_good_as_its_events(evidence: &Evidence, broken: &mut Broken) {
    for snapshot in &evidence.snapshots {
        let events = (evidence.events.iter())
            .filter(|event| event.stream == snapshot.stream && event.version <= snapshot.version);
        let read: Vec<_> = events
            .map(|event| (event.event_type.as_str(), event.schema_version, &*event.payload))
            .collect();
        let same = match snapshot.stream.category.as_str() {
            "cart" => is_fold_of::<Cart>(&snapshot.body, &read),
            "inventory" => is_fold_of::<Inventory>(&snapshot.body, &read),
            "order" => is_fold_of::<Order>(&snapshot.body, &read),
            "payment" => is_fold_of::<Payment>(&snapshot.body, &read),
            _ => continue,
        };
        if !same || (read.len() as u64) < snapshot.version {
            let (stream, version) = (&snapshot.stream, snapshot.version);
            broken.push(format!("the snapshot of {stream} at {version} is not its events"));
        }
    }
}

fn is_fold_of<D>(body: &[u8], events: &[(&str, u16, &str)]) -> bool
where
    D: Decider<Event: StoredEvent, State: PartialEq>,
{
    let mut state = D::State::default();
    for (name, version, payload) in events {
        let Ok(decoded) = D::Event::decode_all(name, *version, payload) else { return false };
        decoded.iter().for_each(|event| D::evolve(&mut state, event));
    }
    // Compared as states: a map may be written in another order than it was read.
    serde_json::from_slice::<D::State>(body).is_ok_and(|taken| taken == state)
}
