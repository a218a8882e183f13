//! Orders: exact totals, legal moves, and an end for each.

use std::collections::BTreeMap;

use domain::order::{OrderEvent, OrderStatus, PlacedOrder};
use schemas::AnyEvent;
use uuid::Uuid;

use super::{Broken, Evidence};

/// An order as its own events tell it.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) placed: PlacedOrder,
    pub(super) status: OrderStatus,
    pub(super) was_confirmed: bool,
    /// Units shipped, delivered and returned, by line.
    pub(super) shipped: BTreeMap<u32, i64>,
    pub(super) delivered: BTreeMap<u32, i64>,
    pub(super) returned: BTreeMap<u32, i64>,
}

pub(super) fn told(evidence: &Evidence) -> BTreeMap<Uuid, Told> {
    fold(evidence, &mut Vec::new())
}

/// The only moves there are.
fn is_legal(from: OrderStatus, to: OrderStatus) -> bool {
    use OrderStatus as S;
    let next: &[S] = match from {
        S::Pending => &[S::Confirmed, S::Failed, S::Cancelled],
        S::Confirmed => &[S::Processing, S::Cancelled],
        S::Processing => &[S::Shipped],
        S::Shipped => &[S::Delivered],
        S::Delivered => &[S::Returned],
        S::Returned | S::Cancelled | S::Failed => &[],
    };
    next.contains(&to)
}

fn fold(evidence: &Evidence, broken: &mut Broken) -> BTreeMap<Uuid, Told> {
    let mut orders: BTreeMap<Uuid, Told> = BTreeMap::new();
    for fact in &evidence.facts {
        let AnyEvent::Order(event) = &fact.event else { continue };
        if let OrderEvent::Placed(placed) = event {
            let told = Told {
                placed: (**placed).clone(),
                status: OrderStatus::Pending,
                was_confirmed: false,
                shipped: BTreeMap::new(),
                delivered: BTreeMap::new(),
                returned: BTreeMap::new(),
            };
            if orders.insert(fact.key(), told).is_some() {
                broken.push(format!("{} is placed again", fact.stream));
            }
            continue;
        }
        let Some(order) = orders.get_mut(&fact.key()) else {
            broken.push(format!("{} begins with {}", fact.stream, fact.event.event_type()));
            continue;
        };
        let add = |units: &mut BTreeMap<u32, i64>, lines: &[domain::order::LineUnits]| {
            for line in lines {
                *units.entry(line.line).or_default() += i64::from(line.quantity.get());
            }
        };
        let (from, to) = match event {
            OrderEvent::Placed(_) => continue,
            OrderEvent::LinesShipped { lines, .. } => {
                add(&mut order.shipped, lines);
                continue;
            }
            OrderEvent::LinesDelivered { lines, .. } => {
                add(&mut order.delivered, lines);
                continue;
            }
            OrderEvent::LinesReturned { lines, .. } => {
                add(&mut order.returned, lines);
                continue;
            }
            OrderEvent::Confirmed(t)
            | OrderEvent::ProcessingStarted(t)
            | OrderEvent::Shipped(t)
            | OrderEvent::Delivered(t)
            | OrderEvent::Returned(t) => (t.previous_state, t.new_state),
            OrderEvent::Cancelled(t) | OrderEvent::Failed(t) => (t.previous_state, t.new_state),
        };
        if from != order.status || !is_legal(from, to) {
            broken.push(format!("{}: {} but {from} to {to}", fact.stream, order.status));
        }
        order.was_confirmed |= to == OrderStatus::Confirmed;
        order.status = to;
    }
    orders
}

pub(super) fn moves_are_legal(evidence: &Evidence, broken: &mut Broken) {
    let orders = fold(evidence, broken);
    for (id, order) in &orders {
        for line in &order.placed.lines {
            let of = |units: &BTreeMap<u32, i64>| units.get(&line.line).copied().unwrap_or(0);
            let ordered = i64::from(line.quantity.get());
            let (shipped, delivered, returned) =
                (of(&order.shipped), of(&order.delivered), of(&order.returned));
            if !(returned <= delivered && delivered <= shipped && shipped <= ordered) {
                broken.push(format!(
                    "order {id} line {}: {ordered} ordered, {shipped} shipped, {delivered} \
                     delivered, {returned} returned",
                    line.line
                ));
            }
        }
    }
}

/// lines + tax + shipping − discount = total, in whole minor units, none below zero.
pub(super) fn totals_are_exact(evidence: &Evidence, broken: &mut Broken) {
    for (id, order) in told(evidence) {
        let totals = order.placed.totals;
        let lines: i128 = (order.placed.lines.iter())
            .map(|line| i128::from(line.unit_minor) * i128::from(line.quantity.get()))
            .sum();
        let total = lines + i128::from(totals.tax_minor) + i128::from(totals.shipping_minor)
            - i128::from(totals.discount_minor);
        if lines != i128::from(totals.lines_minor) || total != i128::from(totals.total_minor) {
            broken.push(format!("order {id}: lines {lines}, total {total}, but {totals:?}"));
        }
        if total < 0 || order.placed.lines.is_empty() {
            broken.push(format!("order {id} has a total of {total}"));
        }
    }
}

/// After the faults stopped every order came to be confirmed, failed or cancelled.
pub(super) fn nothing_stays_pending(evidence: &Evidence, broken: &mut Broken) {
    for (id, order) in told(evidence) {
        if order.status == OrderStatus::Pending {
            broken.push(format!("order {id} is pending for ever"));
        }
    }
}
