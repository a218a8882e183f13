//! The simulation is worth something only if it finds what is wrong: each law is shown a history
//! with one fault planted in it, and must name it.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::OrderId;
use serde_json::Value;

use super::acknowledged::Placing;
use super::history::history;
use super::laws::{self, Evidence};
use super::run::evidence_of;
use super::world::Setting;

/// A sound run; no run has every kind of event, so there are a few.
fn sound(seed: u64) -> Evidence {
    let mut setting = Setting::drawn(seed, false);
    setting.rates = super::faults::Rates::default();
    setting.read_models = true;
    setting.snapshot_every = 2;
    setting.units_each = 40;
    let (evidence, broken) = evidence_of(setting);
    assert_eq!(broken, Vec::<String>::new(), "the run itself is sound");
    evidence
}

/// Changes the payload of the first event of one type that `change` can change; false if none is.
fn doctor(
    evidence: &mut Evidence,
    event_type: &str,
    mut change: impl FnMut(&mut Value) -> bool,
) -> bool {
    let mut changed = false;
    for event in &mut evidence.events {
        if event.event_type.as_str() == event_type && !changed {
            let mut payload: Value = serde_json::from_str(&event.payload).expect("JSON");
            if change(&mut payload) {
                event.payload = Arc::from(payload.to_string());
                changed = true;
            }
        }
    }
    evidence.facts = history(&evidence.events);
    changed
}

/// Leaves out the last event of one type, as if it had never been recorded.
fn forget(evidence: &mut Evidence, event_type: &str) -> bool {
    let last = evidence.events.iter().rposition(|e| e.event_type.as_str() == event_type);
    let Some(last) = last else { return false };
    let gone = evidence.events.remove(last);
    for event in &mut evidence.events {
        if event.position > gone.position {
            event.position.0 -= 1;
        }
        if event.stream == gone.stream && event.version > gone.version {
            event.version -= 1;
        }
    }
    evidence.facts = history(&evidence.events);
    true
}

/// Records the last event of one type once more, at the end of the log.
fn repeat(evidence: &mut Evidence, event_type: &str) -> bool {
    let found = evidence.events.iter().rfind(|e| e.event_type.as_str() == event_type).cloned();
    let Some(mut again) = found else { return false };
    again.position.0 = evidence.events.len() as u64 + 1;
    again.version = evidence.events.iter().filter(|e| e.stream == again.stream).count() as u64 + 1;
    again.id = uuid::Uuid::from_u128(u128::MAX);
    again.recorded = evidence.events.last().map_or(again.recorded, |last| last.recorded);
    evidence.events.push(again);
    evidence.facts = history(&evidence.events);
    true
}

fn add(payload: &mut Value, field: &str, more: i64) -> bool {
    match payload.get(field).and_then(Value::as_i64) {
        Some(number) => {
            payload[field] = (number + more).into();
            true
        }
        None => false,
    }
}

/// False if there is nothing in this run to plant it in.
type Plant = fn(&mut Evidence) -> bool;

/// A fault, and the law that must name it.
const PLANTED: &[(&str, Plant, &str)] = &[
    (
        "an event twice",
        |e| {
            e.events[9].id = e.events[8].id;
            true
        },
        "no event twice",
    ),
    (
        "a version left out",
        |e| {
            e.events[30].version += 1;
            true
        },
        "streams are contiguous",
    ),
    (
        "a position left out",
        |e| {
            e.events[30].position.0 += 1;
            true
        },
        "positions increase",
    ),
    ("a unit more held than there is", oversell, "no oversell"),
    (
        "a count of other stock",
        |e| doctor(e, "inventory.counted", |p| add(p, "previous_on_hand", 1)),
        "stock ledger",
    ),
    ("a hold never released", |e| forget(e, "inventory.released"), "closed orders hold nothing"),
    ("stock released twice", |e| repeat(e, "inventory.released"), "stock ledger"),
    ("a parcel left twice", |e| repeat(e, "order.lines_shipped"), "stock of orders"),
    ("an arrival booked twice", |e| repeat(e, "order.lines_delivered"), "returns"),
    (
        "a total off by one",
        |e| doctor(e, "order.placed", |p| add(&mut p["totals"], "total_minor", 1)),
        "totals",
    ),
    ("an order confirmed twice", |e| repeat(e, "order.confirmed"), "status machine"),
    ("an order never confirmed", |e| forget(e, "checkout.ended"), "checkouts end as their orders"),
    ("a second capture", |e| repeat(e, "payment.captured"), "keys"),
    (
        "a capture beyond the authorization",
        |e| doctor(e, "payment.captured", |p| add(p, "amount_minor", 1)),
        "money bounds",
    ),
    ("a refund nobody made", |e| repeat(e, "payment.refund_adopted"), "provider agrees"),
    (
        "a capture the provider knows and we do not",
        |e| forget(e, "payment.captured"),
        "provider agrees",
    ),
    ("an answer that never came", |e| forget(e, "payment.captured"), "keys"),
    ("money moved twice for one key", twice_at_the_provider, "provider sound"),
    ("a cart never completed", |e| forget(e, "cart.checkout_completed"), "one order per cart"),
    ("an acknowledged order that is not there", lost_order, "acknowledged is present"),
    ("a refused order that is there", refused_order, "refused left nothing"),
    ("two answers to one key", two_answers, "same key, same answer"),
    ("a read model that lags", |e| e.live.values_mut().filter_map(Vec::pop).count() > 0, "rebuild"),
    (
        "a snapshot of another state",
        |e| e.snapshots.iter_mut().map(|s| s.version -= 1).count() > 0,
        "snapshots",
    ),
];

fn oversell(evidence: &mut Evidence) -> bool {
    doctor(evidence, "inventory.held", |payload| {
        add(&mut payload["allocations"][0], "quantity", 100_000)
    })
}

fn twice_at_the_provider(evidence: &mut Evidence) -> bool {
    let moved = evidence.ledger.iter().find(|e| e.event_type.as_str() == "sandbox.moved").cloned();
    let found = moved.is_some();
    evidence.ledger.extend(moved);
    found
}

fn lost_order(evidence: &mut Evidence) -> bool {
    let order_id = OrderId::new(uuid::Uuid::from_u128(5));
    evidence.acknowledged.placings.insert(order_id, Placing::Done { order_id });
    true
}

fn refused_order(evidence: &mut Evidence) -> bool {
    for answer in evidence.acknowledged.placings.values_mut() {
        *answer = Placing::Refused { code: "insufficient_stock".to_owned() };
    }
    true
}

fn two_answers(evidence: &mut Evidence) -> bool {
    let orders = BTreeSet::from_iter(evidence.acknowledged.orders());
    evidence.acknowledged.answers.insert("a key".to_owned(), orders);
    true
}

/// The first run in which there is something to plant the fault in, with the fault in it.
fn planted(runs: &[Evidence], fault: &str, plant: Plant) -> Evidence {
    let planted = runs.iter().find_map(|run| {
        let mut run = run.clone();
        plant(&mut run).then_some(run)
    });
    planted.unwrap_or_else(|| panic!("no run to plant {fault} in"))
}

#[test]
fn every_planted_fault_is_found_by_its_law() {
    let runs: Vec<Evidence> = (1..=6).map(sound).collect();
    for (fault, plant, law) in PLANTED {
        let evidence = planted(&runs, fault, *plant);
        let broken = laws::broken(&evidence);
        let named = broken.iter().any(|what| what.starts_with(&format!("{law}: ")));
        assert!(named, "{fault} is not found by the law `{law}`, only {broken:#?}");
    }
}

/// The laws that look at more than the journal's events: at the provider's books, at what clients
/// were told, at read models and snapshots.
const BESIDE_THE_LOG: &[&str] = &[
    "provider agrees",
    "provider sound",
    "acknowledged is present",
    "refused left nothing",
    "same key, same answer",
    "rebuild",
    "snapshots",
];

#[test]
fn what_is_planted_in_the_log_verify_finds_too() {
    let runs: Vec<Evidence> = (1..=6).map(sound).collect();
    let mut overlooked = Vec::new();
    for (fault, plant, _) in PLANTED.iter().filter(|(_, _, law)| !BESIDE_THE_LOG.contains(law)) {
        let evidence = planted(&runs, fault, *plant);
        if !laws::broken(&evidence).iter().any(|what| what.starts_with("verify: ")) {
            overlooked.push(fault);
        }
    }
    assert!(overlooked.is_empty(), "verify overlooks {overlooked:?}");
}

#[test]
fn every_law_has_found_something() {
    let found: BTreeSet<&str> = PLANTED.iter().map(|(_, _, law)| *law).collect();
    // The first two are shown to be awake by the runs that the other laws' faults break; `verify`
    // has a test of its own.
    let others = ["every order settles", "paid means captured", "verify"];
    for (law, _) in laws::LAWS {
        assert!(found.contains(law) || others.contains(law), "nothing is planted for `{law}`");
    }
}
