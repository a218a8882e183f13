//! Proofs of the checkout: each scenario is run with a fault at every append and at every call to
//! the provider, one at a time, and always comes to the same end as without; and every step may be
//! taken again.

use std::sync::{Arc, Mutex};

use commands::Caller;
use domain::order::{Order, OrderStatus};
use domain::payment::Payment;
use domain::{CartId, OrderId};
use sagas::checkout;

use super::faults::Planned;
use super::run::{rest, until_done};
use super::scenario::{End, SCENARIOS, Scenario, end_of, place, play};
use super::world::{World, lock};

/// Each scenario with `fault` at its first place, its second, and so on until there are no more.
fn everywhere(fault: fn(u64) -> Planned) -> u64 {
    let mut runs = 0;
    for scenario in SCENARIOS {
        let expected = end(*scenario, None).0;
        assert_eq!(expected.status, scenario.ends.to_string(), "{}: {expected:?}", scenario.name);
        for place in 1.. {
            let (end, struck) = end(*scenario, Some(fault(place)));
            if struck == 0 {
                break;
            }
            runs += 1;
            assert_eq!(end, expected, "{} with {:?}", scenario.name, fault(place));
        }
    }
    runs
}

fn end(scenario: Scenario, planned: Option<Planned>) -> (End, u64) {
    let (world, played) = play(scenario, planned);
    world.close();
    (played.end, played.struck)
}

#[test]
fn a_crash_before_any_append_changes_nothing_in_the_end() {
    assert!(everywhere(Planned::CrashBefore) >= 40);
}

#[test]
fn a_crash_after_any_append_changes_nothing_in_the_end() {
    assert!(everywhere(Planned::CrashAfter) >= 40);
}

#[test]
fn an_append_that_fails_changes_nothing_in_the_end() {
    assert!(everywhere(Planned::FailBefore) >= 40);
}

#[test]
fn an_append_whose_answer_is_lost_changes_nothing_in_the_end() {
    assert!(everywhere(Planned::FailAfter) >= 40);
}

#[test]
fn a_lost_request_to_the_provider_changes_nothing_in_the_end() {
    assert!(everywhere(Planned::LoseRequest) >= 20);
}

#[test]
fn a_lost_reply_of_the_provider_changes_nothing_in_the_end() {
    assert!(everywhere(Planned::LoseReply) >= 20);
}

/// Every step of a scenario that is over is taken once more: the request, the cancellation, every
/// answer of the provider, every webhook, and the advance itself.
#[test]
fn every_step_taken_again_changes_nothing() {
    for scenario in SCENARIOS {
        let (world, played) = play(*scenario, None);
        let head = world.storage.events().len();
        let (acting, order_id) = (world.clone(), played.order_id);
        let (cart_id, shop, scenario) = (played.cart_id, played.shop, *scenario);
        let again = Arc::new(Mutex::new(None));
        let kept = Arc::clone(&again);
        world.work("again", async move {
            let deliveries = lock(&acting.webhooks).clone();
            for delivery in deliveries {
                assert!(acting.deliver_again(delivery).await, "{}", scenario.name);
            }
            repeat(&acting, order_id, cart_id, scenario).await;
            *lock(&kept) = Some(end_of(&acting, &shop, cart_id, order_id).await);
        });
        until_done(&world).and_then(|()| rest(&world)).expect("it comes to rest again");
        assert_eq!(lock(&again).take(), Some(played.end), "{}", scenario.name);
        let left: Vec<_> = world.storage.events().split_off(head);
        let left: Vec<_> = left.iter().map(|event| event.event_type.as_str()).collect();
        assert!(left.is_empty(), "{} left {left:?}", scenario.name);
        world.close();
    }
}

async fn repeat(world: &World, order_id: OrderId, cart_id: CartId, scenario: Scenario) {
    let caller = Caller::named("guest");
    let engine = world.engine().await;
    let placed = place(world, &caller, cart_id, scenario).await.expect("the key is known");
    assert!(placed.value.replayed && placed.value.order_id == order_id, "{}", scenario.name);
    let attempts = engine.bus().run(&caller, move |unit| {
        let order = unit.state::<Order>(&order_id)?.as_ref();
        let Some(payment_id) = order.and_then(|order| order.payment_id) else {
            return Ok(Vec::new());
        };
        let payment = unit.state::<Payment>(&payment_id)?.as_ref();
        Ok(payment.map(|p| p.attempts.clone().into_iter().collect()).unwrap_or_default())
    });
    for (key, attempt) in attempts.await.expect("there are no faults").value {
        let outcome = attempt.outcome.expect("every call was answered");
        let ended = engine.record_outcome(&caller, order_id, attempt.operation, key, outcome).await;
        ended.expect("an answer may come again");
    }
    let advanced = engine.run(&caller, move |unit| Ok(((), checkout::advance(unit, order_id)?)));
    advanced.await.expect("there is nothing to advance");
    if matches!(scenario.ends, OrderStatus::Cancelled) {
        let cancelled =
            engine.run(&caller, move |unit| Ok(((), checkout::cancel(unit, order_id, "again")?)));
        cancelled.await.expect("it is cancelled already");
    }
}
