//! Takes past documents through the engine, many in flight.
//!
//! Steps of one customer go one after another. Steps that share a SKU start in file order: one
//! that must wait for its customer holds back those behind it with the same SKUs, and no others.

mod act;
mod place;
mod prepare;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Instant;

use chrono::Duration;
use commands::Caller;
use domain::{CartId, SkuId, Timestamp};
use futures::future::BoxFuture;
use futures::stream::{self, FuturesUnordered, StreamExt, TryStreamExt};
use uuid::Uuid;

use super::ImportInto;
use super::error::ImportError;
use super::past::{Outcome, Step, What};
use super::progress::{Progress, Stage, Watch};
use prepare::Prepared;

/// Documents in flight at once, unless told otherwise.
pub(super) const IN_FLIGHT: usize = 192;
/// Documents made ready ahead, in file order.
const READY_AHEAD: usize = 64;
/// Documents that may wait behind their customer or their SKUs.
const HELD_BACK_MAX: usize = 64;
/// Days between the earliest and the latest document in flight. Providers and deadlines see the
/// earliest time, so an authorization is up to this much older than its order says: it must not
/// lapse before its capture, which sandbox and card networks allow a week for.
const SPREAD_DAYS: i64 = 3;
/// Documents between two looks at the progress.
const WATCH_STEPS: u64 = 100;

/// What all steps did together.
#[derive(Debug, Default)]
pub(super) struct Flown {
    pub(super) orders: u64,
    pub(super) order_lines: u64,
    pub(super) orders_value_minor: i64,
    pub(super) returns: u64,
    pub(super) credits: u64,
    pub(super) losses: u64,
    pub(super) refunded_minor: i64,
    pub(super) already_there: u64,
}

/// A step that has ended.
struct Landed {
    at: Timestamp,
    chain: Option<Uuid>,
    kind: Kind,
    outcome: Outcome,
}

#[derive(Clone, Copy)]
enum Kind {
    Order,
    Return,
    Credit,
    Loss,
}

impl Kind {
    fn of(what: &What) -> Self {
        match what {
            What::Order(_) => Self::Order,
            What::Return(_) => Self::Return,
            What::Credit(_) => Self::Credit,
            What::Loss(_) => Self::Loss,
        }
    }
}

/// Steps that something stands in the way of, in file order.
#[derive(Default)]
struct HeldBack {
    steps: VecDeque<Prepared>,
    /// Chains and SKUs of these steps: whatever comes later and shares one waits behind them.
    chains: HashSet<Uuid>,
    skus: HashSet<SkuId>,
    /// Some wait for room in flight or for time to go on, not for their chain or their SKUs.
    for_room: bool,
}

impl HeldBack {
    fn push(&mut self, prepared: Prepared) {
        self.chains.extend(prepared.step.chain);
        self.skus.extend(prepared.skus.iter().copied());
        self.steps.push_back(prepared);
    }

    fn take(&mut self) -> VecDeque<Prepared> {
        self.chains.clear();
        self.skus.clear();
        self.for_room = false;
        std::mem::take(&mut self.steps)
    }
}

struct Flight<'a> {
    into: &'a ImportInto,
    under_way: FuturesUnordered<BoxFuture<'a, Result<Landed, ImportError>>>,
    held_back: HeldBack,
    busy: HashSet<Uuid>,
    /// Times of steps that were taken in and have not ended.
    times: BTreeMap<Timestamp, usize>,
    flown: Flown,
}

/// Runs all steps, which come in time order. On an error no new step starts; what is under way
/// ends with the engine, and the next run goes on from there.
pub(super) async fn run(
    into: &ImportInto,
    steps: impl Iterator<Item = Step> + Send,
    total: u64,
    watch: Watch<'_>,
) -> Result<Flown, ImportError> {
    let began = Instant::now();
    let mut ready =
        stream::iter(steps).map(|step| prepare::prepare(into, step)).buffered(READY_AHEAD);
    let mut flight = Flight {
        into,
        under_way: FuturesUnordered::new(),
        held_back: HeldBack::default(),
        busy: HashSet::new(),
        times: BTreeMap::new(),
        flown: Flown::default(),
    };
    let (mut done, mut more) = (0_u64, true);
    while more || !flight.under_way.is_empty() || !flight.held_back.steps.is_empty() {
        let room =
            flight.under_way.len() < IN_FLIGHT && flight.held_back.steps.len() < HELD_BACK_MAX;
        tokio::select! {
            // Room first: a step that ended may let several others start.
            biased;
            Some(landed) = flight.under_way.next(), if !flight.under_way.is_empty() => {
                flight.land(landed?)?;
                done += 1;
                if done.is_multiple_of(WATCH_STEPS) {
                    let (elapsed, total) = (began.elapsed(), Some(total));
                    watch(Progress { stage: Stage::Orders, done, total, elapsed });
                }
            }
            next = ready.next(), if more && room => match next {
                Some(step) => flight.take_in(step?)?,
                None => more = false,
            },
        }
    }
    let elapsed = began.elapsed();
    watch(Progress { stage: Stage::Orders, done, total: Some(total), elapsed });
    Ok(flight.flown)
}

/// Ends the carts whose time was up by `at`. The engine's agenda does so too, some moments later:
/// this way an import leaves the same behind however fast it went.
pub(super) async fn end_carts(
    into: &ImportInto,
    carts: impl Iterator<Item = CartId> + Send,
    at: Timestamp,
) -> Result<(), ImportError> {
    let caller = Caller { occurred: Some(at), ..Caller::named("import") };
    let bus = into.engine.bus();
    let ended = stream::iter(carts).map(|cart_id| {
        let caller = &caller;
        async move {
            let done = bus.run(caller, move |unit| commands::carts::expire(unit, cart_id)).await;
            done.map(drop).map_err(ImportError::refused("cart"))
        }
    });
    ended.buffered(IN_FLIGHT).try_collect().await
}

impl<'a> Flight<'a> {
    fn take_in(&mut self, step: Prepared) -> Result<(), ImportError> {
        *self.times.entry(step.step.at).or_default() += 1;
        self.move_clock();
        self.start_or_hold(step)
    }

    /// Starts the step unless something before it stands in its way.
    fn start_or_hold(&mut self, prepared: Prepared) -> Result<(), ImportError> {
        let earliest = self.times.first_key_value().map(|(time, _)| *time);
        let latest = earliest.map(|time| time + Duration::days(SPREAD_DAYS));
        let no_room = self.under_way.len() >= IN_FLIGHT
            || latest.is_some_and(|latest| prepared.step.at > latest);
        let chain = prepared.step.chain;
        let held = &mut self.held_back;
        if no_room
            || chain.is_some_and(|c| self.busy.contains(&c) || held.chains.contains(&c))
            || (!held.skus.is_empty() && prepared.skus.iter().any(|sku| held.skus.contains(sku)))
        {
            held.for_room |= no_room;
            held.push(prepared);
            return Ok(());
        }
        self.busy.extend(chain);
        let (at, kind) = (prepared.step.at, Kind::of(&prepared.step.what));
        // What has to happen in file order is submitted in this call, the rest is awaited.
        let ends = act::start(self.into, prepared)?;
        self.under_way.push(Box::pin(async move {
            let outcome = ends.await?;
            Ok(Landed { at, chain, kind, outcome })
        }));
        Ok(())
    }

    /// Counts a step that has ended, and starts, in file order, what it stood in the way of.
    fn land(&mut self, landed: Landed) -> Result<(), ImportError> {
        let Landed { at, chain, kind, outcome } = landed;
        if let Some(chain) = chain {
            self.busy.remove(&chain);
        }
        if let Some(steps) = self.times.get_mut(&at) {
            *steps -= 1;
            if *steps == 0 {
                self.times.remove(&at);
            }
        }
        self.move_clock();
        let flown = &mut self.flown;
        match kind {
            Kind::Order => flown.orders += 1,
            Kind::Return => flown.returns += 1,
            Kind::Credit => flown.credits += 1,
            Kind::Loss => flown.losses += 1,
        }
        flown.order_lines += outcome.order_lines;
        flown.orders_value_minor += outcome.order_minor;
        flown.refunded_minor += outcome.refunded_minor;
        flown.already_there += u64::from(outcome.already_there);
        let held = &mut self.held_back;
        if held.for_room || chain.is_some_and(|chain| held.chains.contains(&chain)) {
            for prepared in held.take() {
                self.start_or_hold(prepared)?;
            }
        }
        Ok(())
    }

    /// Deadlines follow the lowest time still in flight.
    fn move_clock(&self) {
        if let Some((time, _)) = self.times.first_key_value() {
            self.into.clock.advance_to(*time);
        }
    }
}
