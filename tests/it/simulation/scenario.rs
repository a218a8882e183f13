//! One shopper, one cart, one order: a scenario played to its end, with one planned fault or none.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use commands::carts::{self, Shopper};
use commands::{Caller, CommandError, RequestKey};
use domain::inventory::Inventory;
use domain::order::{Order, OrderStatus};
use domain::payment::Payment;
use domain::pricing::PriceBook;
use domain::product::{Product, ProductCommand};
use domain::{CartId, Currency, OrderId, Quantity};
use sagas::checkout::{self, Charges, PayBy, PlaceOrder, ShipTo};
use sagas::key_store::{KeyStore, PersonalField};

use super::faults::Planned;
use super::laws::{self, Evidence};
use super::run::{rest, until_done};
use super::shop::{self, Shop};
use super::world::{Setting, World, lock};

/// What a shopper does, and how the provider takes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    token: &'static str,
    unit_minor: i64,
    then: Then,
    starts_processing: bool,
    pub(crate) ends: OrderStatus,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Nothing,
    CancelAtOnce,
    CancelWhenSettled,
    RefundSome,
}

pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("happy", "tok_ok", Then::Nothing, OrderStatus::Confirmed),
    scenario("told by webhooks first", "tok_webhook_first", Then::Nothing, OrderStatus::Confirmed),
    scenario("told twice", "tok_webhook_twice", Then::Nothing, OrderStatus::Confirmed),
    scenario("told later", "tok_pending_5000", Then::Nothing, OrderStatus::Confirmed),
    Scenario {
        starts_processing: true,
        ..scenario("starts work", "tok_ok", Then::Nothing, OrderStatus::Processing)
    },
    Scenario {
        starts_processing: true,
        ..scenario(
            "starts work, told first",
            "tok_webhook_first",
            Then::Nothing,
            OrderStatus::Processing,
        )
    },
    Scenario {
        starts_processing: true,
        unit_minor: 0,
        ..scenario("starts work, free", "tok_ok", Then::Nothing, OrderStatus::Processing)
    },
    scenario("declined", "tok_decline", Then::Nothing, OrderStatus::Failed),
    scenario("capture fails", "tok_capture_fails", Then::Nothing, OrderStatus::Failed),
    Scenario { unit_minor: 0, ..scenario("free", "tok_ok", Then::Nothing, OrderStatus::Confirmed) },
    scenario(
        "cancelled while pending",
        "tok_slow_8000",
        Then::CancelAtOnce,
        OrderStatus::Cancelled,
    ),
    scenario("cancelled after", "tok_ok", Then::CancelWhenSettled, OrderStatus::Cancelled),
    scenario("void fails", "tok_void_fails", Then::CancelWhenSettled, OrderStatus::Cancelled),
    scenario("refund fails", "tok_refund_fails", Then::CancelWhenSettled, OrderStatus::Cancelled),
    scenario("refunded in part", "tok_ok", Then::RefundSome, OrderStatus::Confirmed),
];

const fn scenario(
    name: &'static str,
    token: &'static str,
    then: Then,
    ends: OrderStatus,
) -> Scenario {
    Scenario { name, token, unit_minor: 1_250, then, starts_processing: false, ends }
}

/// How everything stands in the end, without ids and times.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct End {
    pub(crate) status: String,
    reason: String,
    /// Authorized, captured, voided, refunded.
    money: Option<(i64, i64, i64, i64)>,
    /// On hand, held, shipped.
    stock: (u32, u32, u64),
    cart_units: u32,
    orders: usize,
    acknowledged: bool,
}

/// A scenario that was played.
pub(crate) struct Played {
    pub(crate) end: End,
    /// How many faults struck.
    pub(crate) struck: u64,
    pub(crate) order_id: OrderId,
    pub(crate) cart_id: CartId,
    pub(crate) shop: Shop,
}

/// Plays the scenario with one fault, or none, to its end. The world is the caller's to close.
pub(crate) fn play(scenario: Scenario, planned: Option<Planned>) -> (World, Played) {
    let mut setting = Setting { planned, ..Setting::calm(7) };
    setting.policy.starts_processing = scenario.starts_processing;
    let world = World::new(setting);
    let played = Arc::new(Mutex::new(None));
    let (acting, kept) = (world.clone(), Arc::clone(&played));
    world.work("scenario", async move {
        let shop = shop::open(acting.clone(), 0).await;
        let cart_id = fill(&acting, &shop, scenario).await;
        acting.faults.switch(true);
        let order_id = act(&acting, cart_id, scenario).await;
        acting.executor.sleep(Duration::from_secs(40)).await;
        acting.faults.switch(false);
        acting.executor.sleep(Duration::from_secs(60)).await;
        let end = end_of(&acting, &shop, cart_id, order_id).await;
        let struck = acting.counts().0.values().sum();
        *lock(&kept) = Some(Played { end, struck, order_id, cart_id, shop });
    });
    let ended = until_done(&world).and_then(|()| rest(&world));
    let what = || format!("{} with {planned:?}", scenario.name);
    assert_eq!(ended, Ok(()), "{}", what());
    let broken = laws::broken(&Evidence::of(&world));
    assert!(broken.is_empty(), "{}: {broken:#?}", what());
    let played = lock(&played).take().expect("a scenario that is done was played");
    (world, played)
}

/// One SKU at the scenario's price, two units of it in a guest's cart.
async fn fill(world: &World, shop: &Shop, scenario: Scenario) -> CartId {
    let engine = world.engine().await;
    let policy = engine.policy().carts.clone();
    let (product_id, sku_id) = shop.skus[0];
    let warehouse_id = shop.warehouses[0];
    let cart_id: CartId = world.id();
    let caller = Caller::system();
    let filled = engine.bus().run(&caller, move |unit| {
        let own = BTreeMap::from([(Currency::GBP, scenario.unit_minor)]);
        let prices = PriceBook { own, ..PriceBook::default() };
        unit.execute::<Product>(&product_id, &ProductCommand::RepriceSku { sku_id, prices })?;
        let quantity = Quantity::new(10).unwrap_or(Quantity::ONE);
        let command = domain::inventory::InventoryCommand::Receive {
            warehouse_id,
            quantity,
            reference: None,
        };
        unit.execute::<Inventory>(&sku_id, &command)?;
        let two = Quantity::new(2).unwrap_or(Quantity::ONE);
        carts::add_item(unit, &policy, Shopper::guest(cart_id), sku_id, two, None)
    });
    filled.await.expect("there are no faults yet");
    cart_id
}

/// Asks again, as a patient client does, until there is an answer.
macro_rules! until_answered {
    ($world:expr, $asked:expr) => {
        loop {
            match $asked.await {
                Err(CommandError::Refused(refused)) => break Err(refused),
                Ok(done) => break Ok(done),
                Err(_) => $world.executor.sleep(Duration::from_millis(700)).await,
            }
        }
    };
}

async fn act(world: &World, cart_id: CartId, scenario: Scenario) -> OrderId {
    let caller = Caller::named("guest");
    let placed = until_answered!(world, place(world, &caller, cart_id, scenario));
    let order_id = placed.expect("there is enough of everything").value.order_id;
    if scenario.then == Then::CancelAtOnce {
        // The provider is at work on the authorization by now.
        world.executor.sleep(Duration::from_millis(900)).await;
    } else {
        // A crash may lose the wait, so the order is asked about until it has settled.
        while !is_settled(world, order_id).await {
            world.executor.sleep(Duration::from_secs(1)).await;
        }
    }
    match scenario.then {
        Then::Nothing => {}
        Then::CancelAtOnce | Then::CancelWhenSettled => {
            let ended = until_answered!(world, async {
                let engine = world.engine().await;
                let work = move |unit: &mut commands::Unit<'_>| {
                    Ok(((), checkout::cancel(unit, order_id, "changed my mind")?))
                };
                engine.run(&caller, work).await
            });
            ended.expect("it can be cancelled");
        }
        Then::RefundSome => {
            let ended = until_answered!(world, async {
                let engine = world.engine().await;
                let key = RequestKey::new("staff", "refund", &[b"refund"]);
                let work = move |unit: &mut commands::Unit<'_>| {
                    sagas::refunds::request_once(unit, Some(&key), order_id, Some(700), "goodwill")
                };
                engine.run(&caller, work).await
            });
            ended.expect("it can be refunded");
        }
    }
    order_id
}

async fn is_settled(world: &World, order_id: OrderId) -> bool {
    let engine = world.engine().await;
    let settled = engine.settled(order_id, Duration::from_secs(2)).await;
    settled.ok().flatten().is_some()
}

pub(crate) async fn place(
    world: &World,
    caller: &Caller,
    cart_id: CartId,
    scenario: Scenario,
) -> Result<commands::Done<checkout::Placed>, CommandError> {
    let order_id: OrderId = world.id();
    let field = PersonalField::PaymentToken;
    let token = world.keys.seal(order_id.uuid(), field, scenario.token).await;
    let order = PlaceOrder {
        order_id,
        payment_id: world.id(),
        shopper: Shopper::guest(cart_id),
        seen_version: None,
        request: Some(RequestKey::new("guest", "the key", &[b"orders"])),
        ship_to: ShipTo::Nowhere,
        pay_by: PayBy::Token {
            provider: "sandbox".to_owned(),
            token: token.expect("keys in memory seal"),
        },
        guest_contact: None,
        agreed: None,
        charges: Charges::default(),
        reference: None,
    };
    let engine = world.engine().await;
    engine.place_order(caller, order).await
}

pub(crate) async fn end_of(world: &World, shop: &Shop, cart_id: CartId, order_id: OrderId) -> End {
    let (_, sku_id) = shop.skus[0];
    let engine = world.engine().await;
    let caller = Caller::system();
    let looked = engine.bus().run(&caller, move |unit| {
        let order = unit.state::<Order>(&order_id)?.as_deref().cloned();
        let mut end = End { acknowledged: order.is_some(), ..End::default() };
        if let Some(order) = &order {
            end.status = order.status.to_string();
            end.reason = format!("{:?}", order.end_reason);
            if let Some(payment_id) = order.payment_id {
                end.money = unit.state::<Payment>(&payment_id)?.as_ref().map(|p| {
                    (p.authorized_minor, p.captured_minor, p.voided_minor, p.refunded_minor)
                });
            }
        }
        let stock = unit.state::<Inventory>(&sku_id)?;
        let sum = |of: fn(&domain::inventory::WarehouseStock) -> u64| -> u64 {
            stock.warehouses.values().map(of).sum()
        };
        end.stock = (
            sum(|shelf| u64::from(shelf.on_hand)) as u32,
            sum(|shelf| u64::from(shelf.held)) as u32,
            sum(|shelf| shelf.shipped),
        );
        let cart = unit.state::<domain::cart::Cart>(&cart_id)?.open.as_ref();
        end.cart_units =
            cart.map_or(0, |cart| cart.lines.values().map(|line| line.quantity.get()).sum());
        Ok(end)
    });
    let mut end = looked.await.expect("the faults have stopped").value;
    let placed = world.storage.events();
    end.orders = placed.iter().filter(|e| e.event_type.as_str() == "order.placed").count();
    end
}
