//! What is reserved for an order is exactly what it has still to ship: all of it while the order
//! is open, nothing once it is cancelled, failed or fully shipped.
//!
//! Keeps two numbers per order that has units to ship or held.

use std::collections::HashMap;

use domain::OrderId;
use domain::inventory::{Allocation, InventoryEvent};
use domain::order::{LineUnits, OrderEvent};
use journal::{Recorded, StreamKey};
use schemas::AnyEvent;

use super::findings::{Findings, Place};
use super::laws::{Law, Observed};

#[derive(Debug, Default)]
pub struct Reservations {
    orders: HashMap<OrderId, Reserved>,
    /// Orders that the command in sight has touched, and where.
    touched: Vec<(OrderId, Place)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Reserved {
    /// Ordered, and neither shipped nor given up.
    to_ship: i64,
    held: i64,
}

impl Law for Reservations {
    fn name(&self) -> &'static str {
        "reservations"
    }

    fn says(&self) -> &'static str {
        "an order holds what it has still to ship, and a closed order holds nothing"
    }

    fn observe(&mut self, event: &Observed<'_>, found: &mut Findings) {
        for said in event.events {
            match said {
                AnyEvent::Order(said) => self.order(event.recorded, said),
                AnyEvent::Inventory(said) => self.inventory(event.recorded, said),
                _ => continue,
            }
            found.checked();
        }
    }

    fn unit_ended(&mut self, found: &mut Findings) {
        for (order_id, place) in std::mem::take(&mut self.touched) {
            let Some(reserved) = self.orders.get(&order_id).copied() else { continue };
            if reserved.held != reserved.to_ship {
                found.violation(
                    &place,
                    format!("{} units reserved for order {order_id}", reserved.to_ship),
                    format!("{}", reserved.held),
                );
            }
            if reserved.held == 0 && reserved.to_ship == 0 {
                self.orders.remove(&order_id);
            }
        }
    }
}

impl Reservations {
    fn touch(&mut self, recorded: &Recorded, order_id: OrderId) -> &mut Reserved {
        match self.touched.iter_mut().find(|(touched, _)| *touched == order_id) {
            Some((_, place)) => place.position = recorded.position,
            None => self.touched.push((order_id, Place::of(recorded))),
        }
        self.orders.entry(order_id).or_default()
    }

    fn order(&mut self, recorded: &Recorded, event: &OrderEvent) {
        let StreamKey::Uuid(id) = recorded.stream.key else { return };
        let order_id = OrderId::new(id);
        match event {
            OrderEvent::Placed(placed) => {
                let units: i64 = placed.lines.iter().map(|l| i64::from(l.quantity.get())).sum();
                self.touch(recorded, order_id).to_ship += units;
            }
            OrderEvent::LinesShipped { lines, .. } => {
                self.touch(recorded, order_id).to_ship -= units_of_lines(lines);
            }
            OrderEvent::Cancelled(_) | OrderEvent::Failed(_) => {
                self.touch(recorded, order_id).to_ship = 0;
            }
            OrderEvent::Confirmed(_)
            | OrderEvent::ProcessingStarted(_)
            | OrderEvent::Shipped(_)
            | OrderEvent::LinesDelivered { .. }
            | OrderEvent::Delivered(_)
            | OrderEvent::LinesReturned { .. }
            | OrderEvent::Returned(_) => {}
        }
    }

    fn inventory(&mut self, recorded: &Recorded, event: &InventoryEvent) {
        use InventoryEvent as E;
        match event {
            E::Held { order_id, allocations } => {
                self.touch(recorded, *order_id).held += units_of(allocations);
            }
            E::Released { order_id, allocations } | E::Shipped { order_id, allocations, .. } => {
                self.touch(recorded, *order_id).held -= units_of(allocations);
            }
            E::Opened { .. }
            | E::PolicyChanged { .. }
            | E::Received { .. }
            | E::Counted { .. }
            | E::WrittenOff { .. }
            | E::UnavailableSet { .. }
            | E::Returned { .. }
            | E::SoftHeld { .. }
            | E::SoftReleased { .. } => {}
        }
    }
}

fn units_of(allocations: &[Allocation]) -> i64 {
    allocations.iter().map(|part| i64::from(part.quantity.get())).sum()
}

fn units_of_lines(lines: &[LineUnits]) -> i64 {
    lines.iter().map(|part| i64::from(part.quantity.get())).sum()
}
