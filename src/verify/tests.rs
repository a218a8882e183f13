//! Every law holds on a good history, and catches what is planted into it.

use std::sync::Arc;

use journal::{Position, Recorded, StreamId};
use uuid::Uuid;

use super::history::{Shop, now};
use super::{LawReport, Laws, provider};

fn judged(events: &[Recorded]) -> Vec<LawReport> {
    let mut laws = Laws::all();
    events.iter().for_each(|event| laws.observe(event));
    laws.finish()
}

/// Names of the laws that do not hold.
fn broken(events: &[Recorded]) -> Vec<&'static str> {
    let reports = judged(events);
    reports.iter().filter(|law| !law.holds()).map(|law| law.name).collect()
}

/// A good history with its positions and versions put in order after a change.
fn planted(change: impl FnOnce(&mut Vec<Recorded>)) -> Vec<Recorded> {
    let mut events = Shop::good_history().events();
    change(&mut events);
    let mut versions = std::collections::BTreeMap::<StreamId, u64>::new();
    for (event, position) in events.iter_mut().zip(1..) {
        event.position = Position(position);
        let version = versions.entry(event.stream.clone()).or_default();
        *version += 1;
        event.version = *version;
    }
    events
}

fn index_of(events: &[Recorded], event_type: &str) -> usize {
    events.iter().position(|event| event.event_type.as_str() == event_type).unwrap()
}

/// Replaces text in the first event of a type.
fn rewrite(events: &mut [Recorded], event_type: &str, from: &str, to: &str) {
    let index = index_of(events, event_type);
    let payload = events[index].payload.replacen(from, to, 1);
    assert_ne!(*payload, *events[index].payload, "{} in {}", from, events[index].payload);
    events[index].payload = Arc::from(payload);
}

/// Another event of a type, right after the first, from a command of its own.
fn again(events: &mut Vec<Recorded>, event_type: &str) -> usize {
    let index = index_of(events, event_type);
    let mut twin = events[index].clone();
    twin.id = Uuid::from_u128(0xdead);
    let command_id = Uuid::from_u128(0xbeef);
    twin.metadata = Arc::from(format!(r#"{{"command_id":"{command_id}","actor":"system"}}"#));
    let mut after = index + 1;
    while after < events.len() && events[after].metadata == events[index].metadata {
        after += 1;
    }
    events.insert(after, twin);
    after
}

#[test]
fn a_good_history_breaks_no_law() {
    let events = Shop::good_history().events();
    for law in judged(&events) {
        assert_eq!(law.violations, [], "{}", law.name);
        assert!(law.checked > 0, "{} looked at nothing", law.name);
    }
    // The last order waits for its authorization.
    let money = judged(&events).into_iter().find(|law| law.name == "money").unwrap();
    assert_eq!(money.pending_count, 1);
    let liveness = judged(&events).into_iter().find(|law| law.name == "liveness").unwrap();
    assert_eq!(liveness.pending, Vec::<String>::new());
}

#[test]
fn an_event_that_cannot_be_read_is_caught() {
    let events = planted(|events| rewrite(events, "cart.opened", "cart_id", "card_id"));
    assert_eq!(broken(&events), ["events"]);
}

#[test]
fn gaps_and_repeats_are_caught() {
    let mut events = Shop::good_history().events();
    events[9].position = Position(11);
    assert_eq!(broken(&events), ["streams"]);
    let mut events = Shop::good_history().events();
    let index = index_of(&events, "cart.item_added");
    events[index].version += 1;
    assert!(broken(&events).contains(&"streams"));
}

#[test]
fn stock_that_does_not_add_up_is_caught() {
    let oversold = planted(|events| rewrite(events, "inventory.received", ":10", ":1"));
    assert!(broken(&oversold).contains(&"stock"));
    let shipped_twice = planted(|events| {
        again(events, "inventory.shipped");
    });
    assert!(broken(&shipped_twice).contains(&"stock"));
    let shipped_more =
        planted(|events| rewrite(events, "inventory.shipped", "\"quantity\":2", "\"quantity\":3"));
    assert!(broken(&shipped_more).contains(&"stock"));
}

#[test]
fn units_reserved_for_a_closed_order_are_caught() {
    let kept = planted(|events| {
        let index = index_of(events, "inventory.released");
        events.remove(index);
    });
    assert_eq!(broken(&kept), ["reservations"]);
    let held_for_nobody = planted(|events| {
        let index = again(events, "inventory.held");
        rewrite_at(events, index, "000000000065", "0000000000ff");
    });
    assert_eq!(broken(&held_for_nobody), ["reservations"]);
}

fn rewrite_at(events: &mut [Recorded], index: usize, from: &str, to: &str) {
    let payload = events[index].payload.replacen(from, to, 1);
    assert_ne!(*payload, *events[index].payload, "{}", events[index].payload);
    events[index].payload = Arc::from(payload);
}

#[test]
fn money_beyond_its_bounds_is_caught() {
    let captured_more = planted(|events| {
        rewrite(events, "payment.captured", "\"amount_minor\":4798", "\"amount_minor\":4799");
    });
    assert_eq!(broken(&captured_more), ["money"]);
    let refunded_twice = planted(|events| {
        again(events, "payment.refunded");
    });
    assert!(broken(&refunded_twice).contains(&"money"));
}

#[test]
fn two_captures_for_one_intent_are_caught() {
    let events = planted(|events| {
        again(events, "payment.captured");
    });
    assert!(broken(&events).contains(&"once"));
}

#[test]
fn a_total_that_is_not_its_parts_is_caught() {
    let wrong_total = planted(|events| {
        rewrite(events, "order.placed", "\"shipping_minor\":350", "\"shipping_minor\":351");
    });
    assert_eq!(broken(&wrong_total), ["orders"]);
    let paid_otherwise = planted(|events| {
        rewrite(events, "order.placed", "\"lines_minor\":4448", "\"lines_minor\":4449");
    });
    assert_eq!(broken(&paid_otherwise), ["orders"]);
}

#[test]
fn more_returned_than_was_delivered_is_caught() {
    let events = planted(|events| {
        rewrite(events, "order.lines_returned", "\"quantity\":1", "\"quantity\":3");
    });
    assert_eq!(broken(&events), ["orders"]);
}

#[test]
fn a_second_order_or_confirmation_of_one_cart_is_caught() {
    let confirmed_twice = planted(|events| {
        again(events, "order.confirmed");
    });
    assert_eq!(broken(&confirmed_twice), ["orders", "once"]);
    let ordered_twice = planted(|events| {
        let index = again(events, "order.placed");
        let other = Uuid::from_u128(0x6f);
        events[index].stream = StreamId::of_uuid(events[index].stream.category, other);
        let placed = events[index].payload.replace("000000000065\"", "00000000006f\"");
        events[index].payload = Arc::from(placed);
    });
    assert!(broken(&ordered_twice).contains(&"once"));
}

#[test]
fn ids_and_keys_used_twice_are_caught() {
    let one_event_id = planted(|events| events[5].id = events[3].id);
    assert_eq!(broken(&one_event_id), ["requests"]);
    let one_command_id = planted(|events| {
        let index = again(events, "cart.opened");
        events[index].metadata = Arc::clone(&events[0].metadata);
    });
    assert!(broken(&one_command_id).contains(&"requests"));
    let one_key = planted(|events| {
        again(events, "request.recorded");
    });
    assert_eq!(broken(&one_key), ["requests"]);
}

#[test]
fn a_checkout_that_nobody_moves_is_told() {
    let events = planted(|events| {
        // The provider's answer was recorded and nothing followed from it.
        let index = index_of(events, "payment.authorization_declined");
        let metadata = Arc::clone(&events[index].metadata);
        let declined = events[index].id;
        events.retain(|event| event.metadata != metadata || event.id == declined);
    });
    let liveness = judged(&events).into_iter().find(|law| law.name == "liveness").unwrap();
    assert_eq!(liveness.pending_count, 1);
    assert!(liveness.holds());
}

#[test]
fn books_that_differ_from_the_providers_are_caught() {
    let shop = Shop::good_history();
    let totals = now(shop.sandbox.ledger().totals()).unwrap();
    let judge = |totals| {
        let law = provider::Agreement::at_rest("sandbox", totals);
        let mut laws = Laws::of(vec![Box::new(law)]);
        shop.events().iter().for_each(|event| laws.observe(event));
        laws.finish().remove(0)
    };
    let good = judge(totals.clone());
    assert_eq!((good.violations, good.checked), (vec![], 5));
    assert!(!shop.ledger_events().is_empty());
    let mut other = totals.clone();
    other.values_mut().next().unwrap().captured_minor += 1;
    assert_eq!(judge(other).violation_count, 1);
    let mut forgotten = totals;
    forgotten.pop_first();
    assert_eq!(judge(forgotten).violation_count, 1);
}
