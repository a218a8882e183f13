//! Marks the units of one shipment as arrived.

use super::line_units::total_units;
use super::{By, OrderEvent, OrderOnRecord, OrderRejection, OrderStatus};
use crate::ShipmentId;

/// Delivers a shipment once; the last unit of the order makes it delivered.
pub(super) fn deliver(
    order: &OrderOnRecord,
    shipment_id: ShipmentId,
    by: &By,
) -> Result<Vec<OrderEvent>, OrderRejection> {
    let shipment = match order.shipments.get(&shipment_id) {
        Some(shipment) => shipment,
        None if order.shipments.is_empty() => {
            return Err(order.cannot_become(OrderStatus::Delivered));
        }
        None => return Err(OrderRejection::UnknownShipment { shipment_id }),
    };
    if shipment.delivered {
        return Ok(vec![]);
    }
    let mut events =
        vec![OrderEvent::LinesDelivered { shipment_id, lines: shipment.lines.clone() }];
    let under_way = order.units(|line| line.ordered.saturating_sub(line.delivered));
    if order.status.may_become(OrderStatus::Delivered) && under_way == total_units(&shipment.lines)
    {
        events.push(OrderEvent::Delivered(order.transition(
            order.status,
            OrderStatus::Delivered,
            by,
        )));
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::super::OrderCommand;
    use super::super::fixtures::{by, delivered_lines, in_status, moved, shipped_lines};
    use super::*;
    use crate::testing::id;

    fn deliver(shipment: u128) -> OrderCommand {
        OrderCommand::Deliver { shipment_id: id(shipment), by: by() }
    }

    #[test]
    fn the_last_parcel_makes_the_order_delivered() {
        in_status(OrderStatus::Processing)
            .and([
                shipped_lines(11, &[(1, 2)]),
                shipped_lines(12, &[(2, 1)]),
                OrderEvent::Shipped(moved(OrderStatus::Processing, OrderStatus::Shipped)),
            ])
            .when(deliver(12))
            .then_once([delivered_lines(12, &[(2, 1)])])
            .when(deliver(11))
            .then_once([
                delivered_lines(11, &[(1, 2)]),
                OrderEvent::Delivered(moved(OrderStatus::Shipped, OrderStatus::Delivered)),
            ]);
    }

    #[test]
    fn a_parcel_may_arrive_while_others_have_not_left() {
        in_status(OrderStatus::Processing)
            .and([shipped_lines(11, &[(1, 2)])])
            .when(deliver(11))
            .then_once([delivered_lines(11, &[(1, 2)])])
            .when(deliver(99))
            .then_rejected(OrderRejection::UnknownShipment { shipment_id: id(99) });
    }
}
