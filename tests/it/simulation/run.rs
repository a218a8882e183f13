//! One run of one seed: a shop opens, people come, things fail; then the faults stop, everything
//! comes to rest, and the laws are checked.

use std::time::Duration;

use domain::pricing::WholesalePolicy;
use sagas::checkout::ShopPolicy;

use super::chance::Chance;
use super::executor::Turn;
use super::faults::{Counts, Rates};
use super::laws::{self, Evidence};
use super::shop;
use super::shopper::Visit;
use super::staff;
use super::world::{Setting, World, is_dead, lock};
use super::{pest, shopkeeper};

/// Turns after which a run counts as running away.
const TURNS_MAX: u64 = 2_000_000;
/// Simulated time in which everything must come to rest after the faults stop.
const REST_MAX: Duration = Duration::from_secs(3 * 3_600);

/// What a run came to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) broken: Vec<String>,
    pub(crate) faults: Counts,
    pub(crate) tally: std::collections::BTreeMap<String, u64>,
    pub(crate) events: u64,
    pub(crate) turns: u64,
    /// Of the whole log: the same seed gives the same.
    pub(crate) digest: String,
    pub(crate) trace: Vec<String>,
}

impl Setting {
    /// Everything about a run follows from its seed.
    pub(crate) fn drawn(seed: u64, traced: bool) -> Self {
        let chance = Chance::of(seed.rotate_left(32));
        let mut policy = ShopPolicy {
            hold: chrono::Duration::seconds(chance.within(5, 900).cast_signed()),
            starts_processing: chance.percent(40),
            ..ShopPolicy::default()
        };
        if chance.percent(30) {
            policy.carts.wholesale = WholesalePolicy::LowestWins;
        }
        if chance.percent(40) {
            policy.carts.guest_ttl =
                chrono::Duration::seconds(chance.within(20, 200).cast_signed());
            policy.carts.customer_ttl =
                chrono::Duration::seconds(chance.within(20, 400).cast_signed());
        }
        Self {
            seed,
            traced,
            rates: Rates::drawn(&chance),
            planned: None,
            shoppers: chance.within(20, 60),
            skus: chance.within(3, 8),
            warehouses: chance.within(1, 3),
            units_each: chance.within(1, 25),
            disk_longest_us: chance.one_of(&[0, 300, 5_000, 60_000]).unwrap_or(0),
            agenda_every: Duration::from_millis(chance.within(100, 20_000)),
            snapshot_every: chance.one_of(&[2, 8, 256]).unwrap_or(256),
            cached_max: chance.one_of(&[1, 12, 60, 10_000]).unwrap_or(10_000) as usize,
            policy,
            read_models: chance.percent(50),
        }
    }

    /// Nothing fails but what is planned.
    pub(crate) fn calm(seed: u64) -> Self {
        Self {
            seed,
            traced: false,
            rates: Rates::default(),
            planned: None,
            shoppers: 0,
            skus: 1,
            warehouses: 1,
            units_each: 8,
            disk_longest_us: 0,
            agenda_every: Duration::from_millis(500),
            snapshot_every: 256,
            cached_max: 10_000,
            policy: ShopPolicy::default(),
            read_models: false,
        }
    }
}

/// Runs a seed from the opening of the shop to the check of the laws.
pub(crate) fn run(setting: Setting) -> Outcome {
    let world = World::new(setting);
    let (evidence, broken) = judged(&world);
    let outcome = Outcome {
        broken,
        faults: world.counts(),
        tally: evidence.acknowledged.tally.clone(),
        events: evidence.facts.len() as u64,
        turns: world.executor.turns(),
        digest: evidence.digest(),
        trace: world.executor.take_trace(),
    };
    world.close();
    outcome
}

/// What a run left behind, and what is wrong with it.
pub(crate) fn evidence_of(setting: Setting) -> (Evidence, Vec<String>) {
    let world = World::new(setting);
    let judged = judged(&world);
    world.close();
    judged
}

fn judged(world: &World) -> (Evidence, Vec<String>) {
    let mut broken: Vec<String> = live(world).err().into_iter().collect();
    let evidence = Evidence::of(world);
    broken.extend(laws::broken(&evidence));
    (evidence, broken)
}

fn live(world: &World) -> Result<(), String> {
    let customers = world.setting.shoppers / 2;
    let opened = std::sync::Arc::new(std::sync::Mutex::new(None));
    let (opening, kept) = (world.clone(), std::sync::Arc::clone(&opened));
    world.work("opening", async move {
        let shop = shop::open(opening, customers).await;
        *lock(&kept) = Some(shop);
    });
    until_done(world)?;
    let shop = lock(&opened).take().ok_or("the shop did not open")?;

    world.faults.switch(true);
    for number in 0..world.setting.shoppers {
        let known = usize::try_from(number).ok().and_then(|n| shop.customers.get(n)).copied();
        let (place, goods) = (world.clone(), shop.clone());
        let visit = match known {
            Some(customer) => Visit::of_customer(place, goods, number, customer),
            None => Visit::of_guest(place, goods, number),
        };
        world.work("shopper", visit.run());
    }
    world.work("manager", shopkeeper::manage(world.clone(), shop.clone()));
    for name in 0..2 {
        world.work("fulfilment", staff::fulfil(world.clone(), name));
    }
    world.work("pest", pest::pester(world.clone()));
    until_done(world)?;
    world.faults.switch(false);
    rest(world)
}

/// Turns until all work of the outside world is done.
pub(crate) fn until_done(world: &World) -> Result<(), String> {
    while !world.all_work_is_done() {
        turn(world)?;
    }
    Ok(())
}

/// One turn, and whatever strikes after it.
pub(crate) fn turn(world: &World) -> Result<(), String> {
    if world.executor.turn() == Turn::Stalled {
        return Err(format!("stalled with {:?} waiting", world.executor.tasks()));
    }
    if world.executor.turns() > TURNS_MAX {
        return Err("running away: far too many turns".to_owned());
    }
    let rates = world.faults.rates();
    if world.faults.strikes("clock jumps", rates.clock_jumps) {
        let seconds = match world.chance.below(20) {
            0 => world.chance.within(3_600, 9 * 24 * 3_600),
            1..=4 => world.chance.within(60, 3_600),
            _ => world.chance.within(1, 60),
        };
        world.executor.note(|| format!("the clock jumps by {seconds} s"));
        world.executor.jump(Duration::from_secs(seconds));
    }
    let struck =
        world.node().is_some() && world.faults.strikes("crash anywhere", rates.crash_anywhere);
    if struck || world.node().as_ref().is_some_and(is_dead) {
        world.crash();
    }
    Ok(())
}

/// Lets everything come to rest: no call is outstanding and no order pending.
pub(crate) fn rest(world: &World) -> Result<(), String> {
    let until = world.executor.now() + REST_MAX;
    // Webhooks and the agenda may still be on their way when the last call has come back.
    let calm_for = chrono::Duration::seconds(90);
    let mut calm_since = world.executor.now();
    loop {
        for _ in 0..64 {
            turn(world)?;
        }
        let restless = unrest(world);
        if restless.is_some() {
            calm_since = world.executor.now();
        }
        let now = world.executor.now();
        if now - calm_since > calm_for {
            return Ok(());
        }
        if let Some(why) = restless.filter(|_| now > until) {
            return Err(format!("not at rest hours after the last fault: {why}"));
        }
    }
}

fn unrest(world: &World) -> Option<String> {
    let Some(node) = world.node() else { return Some("the engine is down".to_owned()) };
    if node.engine.calls_under_way() > 0 {
        return Some(format!("{} calls under way", node.engine.calls_under_way()));
    }
    match *lock(&node.agenda) {
        None => Some("the agenda's last round failed".to_owned()),
        Some(counts) if counts.calls > 0 || counts.holds > 0 => Some(format!("{counts:?}")),
        Some(_) => None,
    }
}
