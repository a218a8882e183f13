//! Orders for tests.

use super::{
    Actor, By, EndTransition, LineUnits, Order, OrderEndReason, OrderEvent, OrderLimits, OrderLine,
    OrderStatus, OrderTotals, PlacedOrder, Transition,
};
use crate::pricing::PriceRule;
use crate::testing::{Given, at, given, id, units};
use crate::{Currency, LineNumber};

/// 2 units of line 1 at 500, 1 unit of line 2 at 999, tax 100, shipping 400, discount 99.
pub(super) fn order() -> PlacedOrder {
    order_of(&[(2, 500), (1, 999)], 100, 400, 99)
}

/// Lines as (units, price), numbered from 1.
pub(super) fn order_of(
    lines: &[(u32, i64)],
    tax: i64,
    shipping: i64,
    discount: i64,
) -> PlacedOrder {
    let lines_minor = lines.iter().map(|(n, unit)| i64::from(*n) * unit).sum();
    let total_minor = lines_minor + tax + shipping - discount;
    PlacedOrder {
        order_id: id(1),
        cart_id: id(2),
        customer_id: Some(id(3)),
        currency: Currency::GBP,
        lines: lines
            .iter()
            .zip(1..)
            .map(|((quantity, unit_minor), line)| OrderLine {
                line,
                sku_id: id(100 + u128::from(line)),
                product_id: id(200 + u128::from(line)),
                seller_id: id(300),
                name: format!("product {line}"),
                quantity: units(*quantity),
                unit_minor: *unit_minor,
                price_rule: PriceRule::Sku,
            })
            .collect(),
        totals: OrderTotals {
            lines_minor,
            tax_minor: tax,
            shipping_minor: shipping,
            discount_minor: discount,
            total_minor,
        },
        shipping_address: None,
        guest_contact: None,
        payment_method_id: Some(id(4)),
        payment_id: (total_minor > 0).then(|| id(5)),
        reference: None,
        placed_at: at(0),
        actor: Actor::system(),
    }
}

pub(super) fn limits() -> OrderLimits {
    OrderLimits::default()
}

pub(super) fn by() -> By {
    By { actor: Actor("seller:7".to_owned()), now: at(60) }
}

pub(super) fn reason() -> OrderEndReason {
    OrderEndReason::Requested { note: "changed my mind".to_owned() }
}

pub(super) fn lines(of: &[(LineNumber, u32)]) -> Vec<LineUnits> {
    of.iter()
        .map(|(line, quantity)| LineUnits { line: *line, quantity: units(*quantity) })
        .collect()
}

pub(super) fn placed() -> OrderEvent {
    OrderEvent::Placed(Box::new(order()))
}

pub(super) fn moved(previous_state: OrderStatus, new_state: OrderStatus) -> Transition {
    Transition {
        order_id: id(1),
        previous_state,
        new_state,
        timestamp: by().now,
        actor: by().actor,
    }
}

pub(super) fn ended(previous_state: OrderStatus, new_state: OrderStatus) -> EndTransition {
    EndTransition {
        order_id: id(1),
        previous_state,
        new_state,
        timestamp: by().now,
        actor: by().actor,
        reason: reason(),
    }
}

pub(super) fn shipped_lines(shipment: u128, of: &[(LineNumber, u32)]) -> OrderEvent {
    OrderEvent::LinesShipped { shipment_id: id(shipment), lines: lines(of) }
}

pub(super) fn delivered_lines(shipment: u128, of: &[(LineNumber, u32)]) -> OrderEvent {
    OrderEvent::LinesDelivered { shipment_id: id(shipment), lines: lines(of) }
}

pub(super) fn returned_lines(return_id: u128, of: &[(LineNumber, u32)]) -> OrderEvent {
    OrderEvent::LinesReturned { return_id: id(return_id), lines: lines(of) }
}

/// The order of [`order`] with a status and nothing shipped: only the status counts.
pub(super) fn in_status(status: OrderStatus) -> Given<Order> {
    let transition = moved(OrderStatus::Pending, status);
    given::<Order>([placed(), OrderEvent::Confirmed(transition)])
}

/// The order of [`order`], all of it shipped in shipment 11 and delivered.
pub(super) fn delivered() -> Given<Order> {
    in_status(OrderStatus::Processing).and([
        shipped_lines(11, &[(1, 2), (2, 1)]),
        OrderEvent::Shipped(moved(OrderStatus::Processing, OrderStatus::Shipped)),
        delivered_lines(11, &[(1, 2), (2, 1)]),
        OrderEvent::Delivered(moved(OrderStatus::Shipped, OrderStatus::Delivered)),
    ])
}
