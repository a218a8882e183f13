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
    let mut events = vec![OrderEvent::LinesDelivered {
        shipment_id,
        lines: shipment.lines.clone(),
    }];
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
