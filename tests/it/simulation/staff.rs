//! The people who fulfil orders: parcels leave and come back, money is given back, and buttons
//! are pressed twice.

use std::time::Duration;

use commands::{Caller, RequestKey, Stop, Unit};
use domain::order::{LineUnits, Order};
use domain::payment::{Operation, Payment, ProviderOutcome};
use domain::product_return::{ReceivedUnits, ReturnReason};
use domain::{Money, OrderId, Quantity, ReturnId, ShipmentId};
use sagas::fulfilment::{self, Parcel};
use sagas::returns::{self, Arrival, ReturnRequest};

use super::shopper::cancel;
use super::world::{World, lock};

fn staff() -> Caller {
    Caller::named("staff")
}

/// Runs a unit; what becomes of it is nobody's concern but the laws'.
pub(crate) async fn attempt<T: Send + 'static>(
    world: &World,
    work: impl FnMut(&mut Unit<'_>) -> Result<T, Stop> + Send + 'static,
) -> Option<T> {
    let engine = world.engine().await;
    let done = engine.bus().run(&staff(), work).await.ok()?;
    lock(&world.acknowledged).rests_on(done.position);
    Some(done.value)
}

pub(crate) async fn pause(world: &World, longest_ms: u64) {
    world.executor.sleep(Duration::from_millis(world.chance.below(longest_ms))).await;
}

/// Works on whichever orders there are.
pub(crate) async fn fulfil(world: World, name: u64) {
    for step in 0..world.chance.within(10, 40) {
        pause(&world, 6_000).await;
        let orders = lock(&world.acknowledged).orders();
        let Some(order_id) = world.chance.one_of(&orders) else { continue };
        let key = format!("staff-{name}/{step}");
        match world.chance.below(16) {
            0..=4 => ship(&world, order_id, &key).await,
            5..=8 => deliver(&world).await,
            9 | 10 => ask_for_return(&world, order_id, &key).await,
            11 | 12 => receive_return(&world).await,
            13 => refund(&world, order_id, &key).await,
            14 => refund_at_the_provider(&world, order_id).await,
            _ => cancel(&world, &staff(), order_id).await,
        }
    }
}

/// Notes that `key` was answered with `answer`.
fn answered(world: &World, key: &str, answer: String) {
    let mut acknowledged = lock(&world.acknowledged);
    acknowledged.other_answers.entry(key.to_owned()).or_default().insert(answer);
}

/// Some units of some lines, sometimes more than there are.
fn some_lines(world: &World, lines: Vec<(u32, u32)>) -> Vec<LineUnits> {
    let chosen = lines.into_iter().filter_map(|(line, units)| {
        let extra = u64::from(world.chance.percent(5));
        let units = world.chance.below(u64::from(units) + 1 + extra);
        Some(LineUnits { line, quantity: Quantity::new(u32::try_from(units).ok()?).ok()? })
    });
    chosen.collect()
}

async fn ship(world: &World, order_id: OrderId, key: &str) {
    let unshipped = attempt(world, move |unit| {
        let order = unit.state::<Order>(&order_id)?.as_ref();
        Ok(order.map(|order| order.unshipped()).unwrap_or_default())
    });
    let units: Vec<_> = unshipped.await.unwrap_or_default();
    let units = units.iter().map(|line| (line.line, line.quantity.get())).collect();
    let lines = world.chance.percent(50).then(|| some_lines(world, units));
    let parcel = Parcel { lines, carrier: None, tracking_number: None };
    for _ in 0..world.chance.within(1, 3) {
        let shipment_id: ShipmentId = world.id();
        let request = RequestKey::new("staff", key, &[b"ship"]);
        let parcel = parcel.clone();
        let ended = attempt(world, move |unit| {
            fulfilment::ship(unit, Some(&request), order_id, shipment_id, &parcel)
        })
        .await;
        if let Some(once) = ended {
            answered(world, key, once.value.to_string());
            let mut acknowledged = lock(&world.acknowledged);
            acknowledged.shipments.insert(once.value, order_id);
            acknowledged.count("parcels shipped");
        }
    }
}

async fn deliver(world: &World) {
    let shipments: Vec<_> = lock(&world.acknowledged).shipments.keys().copied().collect();
    let Some(shipment_id) = world.chance.one_of(&shipments) else { return };
    for _ in 0..world.chance.within(1, 2) {
        let ended = attempt(world, move |unit| fulfilment::deliver(unit, shipment_id)).await;
        if ended.is_some() {
            let mut acknowledged = lock(&world.acknowledged);
            acknowledged.delivered.insert(shipment_id);
            acknowledged.count("parcels delivered");
        }
    }
}

async fn ask_for_return(world: &World, order_id: OrderId, key: &str) {
    let delivered = attempt(world, move |unit| {
        let order = unit.state::<Order>(&order_id)?.as_ref();
        let lines = order.map(|order| {
            order.lines.iter().map(|(l, p)| (*l, p.delivered - p.returned)).collect::<Vec<_>>()
        });
        Ok(lines.unwrap_or_default())
    });
    let lines = some_lines(world, delivered.await.unwrap_or_default());
    for _ in 0..world.chance.within(1, 2) {
        let request = RequestKey::new("staff", key, &[b"return"]);
        let wanted = ReturnRequest {
            return_id: None,
            order_id,
            lines: lines.clone(),
            reason: ReturnReason::ChangedMind,
            note: String::new(),
        };
        let ended =
            attempt(world, move |unit| returns::request(unit, Some(&request), &wanted)).await;
        if let Some(once) = ended {
            answered(world, key, once.value.to_string());
            let mut acknowledged = lock(&world.acknowledged);
            acknowledged.returns.insert(once.value, order_id);
            acknowledged.count("returns asked for");
        }
    }
}

async fn receive_return(world: &World) {
    let asked: Vec<_> = lock(&world.acknowledged).returns.keys().copied().collect();
    let Some(return_id) = world.chance.one_of::<ReturnId>(&asked) else { return };
    let scrapped = world.chance.percent(20);
    for _ in 0..world.chance.within(1, 2) {
        let engine = world.engine().await;
        let ended = engine
            .run(&staff(), move |unit| {
                let lines = if scrapped { received_as_scrap(unit, return_id)? } else { None };
                let arrival = Arrival { lines, warehouse_id: None, refund_minor: None };
                Ok(((), returns::receive(unit, return_id, &arrival)?))
            })
            .await;
        if let Ok(done) = ended {
            let mut acknowledged = lock(&world.acknowledged);
            acknowledged.rests_on(done.position);
            acknowledged.received.insert(return_id);
            acknowledged.count("returns received");
        }
    }
}

fn received_as_scrap(
    unit: &mut Unit<'_>,
    return_id: ReturnId,
) -> Result<Option<Vec<ReceivedUnits>>, Stop> {
    let asked = unit.state::<domain::product_return::ProductReturn>(&return_id)?.as_ref();
    let scrap = |line: &LineUnits| ReceivedUnits {
        line: line.line,
        quantity: line.quantity,
        resellable: 0,
    };
    Ok(asked.map(|asked| asked.lines.iter().map(scrap).collect()))
}

async fn refund(world: &World, order_id: OrderId, key: &str) {
    let amount_minor = (!world.chance.percent(30))
        .then(|| i64::try_from(world.chance.within(1, 2_000)).unwrap_or(1));
    for _ in 0..world.chance.within(1, 2) {
        let request = RequestKey::new("staff", key, &[b"refund"]);
        let engine = world.engine().await;
        let ended = engine
            .run(&staff(), move |unit| {
                sagas::refunds::request_once(
                    unit,
                    Some(&request),
                    order_id,
                    amount_minor,
                    "goodwill",
                )
            })
            .await;
        if let Ok(done) = ended {
            answered(world, key, done.value.value.to_string());
            let mut acknowledged = lock(&world.acknowledged);
            acknowledged.rests_on(done.position);
            acknowledged.refunds.insert(done.value.value, order_id);
            acknowledged.count("refunds asked for");
        }
    }
}

/// Somebody gives money back in the provider's own office; the engine hears of it by webhook.
async fn refund_at_the_provider(world: &World, order_id: OrderId) {
    let known = attempt(world, move |unit| {
        let payment_id = unit.state::<Order>(&order_id)?.as_ref().and_then(|o| o.payment_id);
        let Some(payment_id) = payment_id else { return Ok(None) };
        let payment = unit.state::<Payment>(&payment_id)?.as_ref();
        Ok(payment.and_then(|payment| {
            let reference =
                payment.attempts.values().find_map(|attempt| match &attempt.outcome {
                    Some(ProviderOutcome::Succeeded { provider_reference, .. })
                        if attempt.operation == Operation::Authorize =>
                    {
                        Some(provider_reference.clone())
                    }
                    Some(_) | None => None,
                })?;
            Some((reference, payment.currency, payment.captured_minor))
        }))
    });
    let Some(Some((reference, currency, captured_minor))) = known.await else { return };
    let most = u64::try_from(captured_minor).unwrap_or(0);
    let minor = i64::try_from(world.chance.within(1, most.max(1))).unwrap_or(1);
    let ended = world.provider.refund_directly(&reference, Money::new(minor, currency)).await;
    world.executor.note(|| format!("refund of {minor} at the provider for {order_id}: {ended:?}"));
    if ended.is_ok() {
        lock(&world.acknowledged).count("refunds at the provider");
    }
}
