//! Order totals are exact, what is shipped, delivered and returned never exceeds what is ordered,
//! and an order moves as its status machine says.
//!
//! Keeps four counters a line of every order that can still move: all but cancelled, failed and
//! returned ones.

use std::collections::HashMap;

use domain::order::{LineUnits, OrderEvent, OrderStatus, PlacedOrder};
use domain::payment::PaymentEvent;
use domain::product_return::ReturnEvent;
use domain::{Currency, LineNumber, OrderId};
use journal::{Recorded, StreamKey};
use schemas::AnyEvent;

use super::findings::{Findings, Place};
use super::laws::{Law, Observed};

#[derive(Debug, Default)]
pub struct Orders {
    open: HashMap<OrderId, Order>,
    /// Payments begun by the command in sight, held against their orders at its end.
    payments: Vec<(Place, OrderId, i64, Currency)>,
}

#[derive(Debug)]
struct Order {
    status: OrderStatus,
    currency: Currency,
    total: i64,
    /// What returns say is owed for goods that came back.
    owed: i64,
    lines: Box<[Line]>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Line {
    ordered: u32,
    shipped: u32,
    delivered: u32,
    returned: u32,
}

impl Law for Orders {
    fn name(&self) -> &'static str {
        "orders"
    }

    fn says(&self) -> &'static str {
        "total = lines + tax + shipping − discount; returned ≤ delivered ≤ shipped ≤ ordered; only legal moves"
    }

    fn observe(&mut self, event: &Observed<'_>, found: &mut Findings) {
        let recorded = event.recorded;
        for said in event.events {
            match said {
                AnyEvent::Order(said) => self.moved(recorded, said, found),
                AnyEvent::Payment(PaymentEvent::Initiated {
                    order_id,
                    amount_minor,
                    currency,
                    ..
                }) => {
                    let place = Place::of(recorded);
                    self.payments.push((place, *order_id, *amount_minor, *currency));
                }
                AnyEvent::Return(ReturnEvent::Received { order_id, refund_minor, .. }) => {
                    self.owe(recorded, *order_id, *refund_minor, found);
                }
                _ => {}
            }
        }
    }

    fn unit_ended(&mut self, found: &mut Findings) {
        for (place, order_id, amount, currency) in self.payments.drain(..) {
            let order = self.open.get(&order_id);
            if !order.is_some_and(|o| o.total == amount && o.currency == currency) {
                let expected = match order {
                    Some(order) => format!("the order's total, {} {}", order.total, order.currency),
                    None => format!("order {order_id} on record"),
                };
                found.violation(&place, expected, format!("a payment of {amount} {currency}"));
            }
        }
    }
}

impl Orders {
    fn moved(&mut self, recorded: &Recorded, event: &OrderEvent, found: &mut Findings) {
        found.checked();
        let StreamKey::Uuid(id) = recorded.stream.key else { return };
        let order_id = OrderId::new(id);
        if let OrderEvent::Placed(placed) = event {
            placed_exactly(recorded, placed, found);
            found.require(
                recorded.version == 1 && placed.order_id == order_id,
                recorded,
                || "an order placed once, in a stream of its own".to_owned(),
                || format!("order {} placed at version {}", placed.order_id, recorded.version),
            );
            self.open.insert(order_id, Order::placed(placed));
            return;
        }
        let Some(order) = self.open.get_mut(&order_id) else {
            let expected = || "an order that was placed and has not ended".to_owned();
            found.require(false, recorded, expected, || recorded.event_type.to_string());
            return;
        };
        match event {
            OrderEvent::Placed(_) => {}
            OrderEvent::Confirmed(t)
            | OrderEvent::ProcessingStarted(t)
            | OrderEvent::Shipped(t)
            | OrderEvent::Delivered(t)
            | OrderEvent::Returned(t) => {
                order.become_(recorded, (t.previous_state, t.new_state), found);
            }
            OrderEvent::Cancelled(t) | OrderEvent::Failed(t) => {
                order.become_(recorded, (t.previous_state, t.new_state), found);
            }
            OrderEvent::LinesShipped { lines, .. } => {
                order.count(recorded, lines, "shipped", found, |l| (&mut l.shipped, l.ordered));
            }
            OrderEvent::LinesDelivered { lines, .. } => {
                order.count(recorded, lines, "delivered", found, |l| (&mut l.delivered, l.shipped));
            }
            OrderEvent::LinesReturned { lines, .. } => {
                order.count(recorded, lines, "returned", found, |l| (&mut l.returned, l.delivered));
            }
        }
        if is_final(order.status) {
            self.open.remove(&order_id);
        }
    }

    fn owe(&mut self, recorded: &Recorded, order_id: OrderId, minor: i64, found: &mut Findings) {
        found.checked();
        let Some(order) = self.open.get_mut(&order_id) else {
            let expected = || format!("order {order_id} on record and not ended");
            found.require(false, recorded, expected, || "a return of it".to_owned());
            return;
        };
        order.owed = order.owed.saturating_add(minor);
        let (owed, total) = (order.owed, order.total);
        found.require(
            minor >= 0 && owed <= total,
            recorded,
            || format!("returns worth at most the order's total, {total}"),
            || format!("{owed}"),
        );
    }
}

impl Order {
    fn placed(placed: &PlacedOrder) -> Self {
        let mut lines = vec![Line::default(); placed.lines.len()];
        for line in &placed.lines {
            if let Some(kept) = index(line.line).and_then(|index| lines.get_mut(index)) {
                kept.ordered = line.quantity.get();
            }
        }
        Self {
            status: OrderStatus::Pending,
            currency: placed.currency,
            total: placed.totals.total_minor,
            owed: 0,
            lines: lines.into_boxed_slice(),
        }
    }

    fn become_(
        &mut self,
        recorded: &Recorded,
        (from, to): (OrderStatus, OrderStatus),
        found: &mut Findings,
    ) {
        let now = self.status;
        found.require(
            now == from && from.may_become(to),
            recorded,
            || format!("a legal move from {now}"),
            || format!("from {from} to {to}"),
        );
        let done = |of: fn(&Line) -> u32| self.lines.iter().all(|line| of(line) == line.ordered);
        let all_units = match to {
            OrderStatus::Shipped => done(|line| line.shipped),
            OrderStatus::Delivered => done(|line| line.delivered),
            OrderStatus::Returned => done(|line| line.returned),
            OrderStatus::Cancelled | OrderStatus::Failed => {
                self.lines.iter().all(|line| line.shipped == 0)
            }
            OrderStatus::Pending | OrderStatus::Confirmed | OrderStatus::Processing => true,
        };
        found.require(
            all_units,
            recorded,
            || format!("units that make an order {to}"),
            || format!("{:?}", self.lines),
        );
        self.status = to;
    }

    fn count(
        &mut self,
        recorded: &Recorded,
        units: &[LineUnits],
        what: &str,
        found: &mut Findings,
        counter: fn(&mut Line) -> (&mut u32, u32),
    ) {
        for part in units {
            let line = index(part.line).and_then(|index| self.lines.get_mut(index));
            let Some(line) = line else {
                let seen = || format!("{what} units of line {}", part.line);
                found.require(false, recorded, || "a line the order has".to_owned(), seen);
                continue;
            };
            let (count, most) = counter(line);
            *count = count.saturating_add(part.quantity.get());
            let count = *count;
            found.require(
                count <= most,
                recorded,
                || format!("line {}: at most {most} units {what}", part.line),
                || format!("{count}"),
            );
        }
    }
}

/// Lines are numbered from 1.
fn index(line: LineNumber) -> Option<usize> {
    (line as usize).checked_sub(1)
}

fn placed_exactly(recorded: &Recorded, placed: &PlacedOrder, found: &mut Findings) {
    let totals = &placed.totals;
    let value = |unit: i64, units: u32| i128::from(unit) * i128::from(units);
    let lines: i128 = placed.lines.iter().map(|l| value(l.unit_minor, l.quantity.get())).sum();
    found.require(
        lines == i128::from(totals.lines_minor),
        recorded,
        || format!("lines worth {lines}"),
        || totals.lines_minor.to_string(),
    );
    let total = i128::from(totals.lines_minor)
        + i128::from(totals.tax_minor)
        + i128::from(totals.shipping_minor)
        - i128::from(totals.discount_minor);
    found.require(
        total == i128::from(totals.total_minor) && total >= 0,
        recorded,
        || format!("a total of {total}, not below 0"),
        || totals.total_minor.to_string(),
    );
    let mut numbers: Vec<LineNumber> = placed.lines.iter().map(|line| line.line).collect();
    numbers.sort_unstable();
    found.require(
        numbers.iter().copied().eq((1..).take(numbers.len())) && !numbers.is_empty(),
        recorded,
        || "lines numbered from 1".to_owned(),
        || format!("{numbers:?}"),
    );
}

/// Whether nothing follows on this status.
fn is_final(status: OrderStatus) -> bool {
    matches!(status, OrderStatus::Returned | OrderStatus::Cancelled | OrderStatus::Failed)
}
