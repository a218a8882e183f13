//! Ships units of an order.

use super::line_units::{repeated_line, same_units, total_units};
use super::{By, LineUnits, OrderEvent, OrderOnRecord, OrderRejection, OrderStatus};
use crate::ShipmentId;

/// Ships units that are ordered and have not left the house. A confirmed order starts processing
/// with it; the last unit makes the order shipped.
pub(super) fn ship(
    order: &OrderOnRecord,
    shipment_id: ShipmentId,
    lines: &[LineUnits],
    by: &By,
) -> Result<Vec<OrderEvent>, OrderRejection> {
    if let Some(known) = order.shipments.get(&shipment_id) {
        return if same_units(&known.lines, lines) {
            Ok(vec![])
        } else {
            Err(OrderRejection::ShipmentDiffers { shipment_id })
        };
    }
    check_named_once(lines)?;
    let mut events = Vec::with_capacity(3);
    match order.status {
        OrderStatus::Processing => {}
        OrderStatus::Confirmed => events.push(OrderEvent::ProcessingStarted(order.transition(
            OrderStatus::Confirmed,
            OrderStatus::Processing,
            by,
        ))),
        OrderStatus::Pending
        | OrderStatus::Shipped
        | OrderStatus::Delivered
        | OrderStatus::Returned
        | OrderStatus::Cancelled
        | OrderStatus::Failed => return Err(order.cannot_become(OrderStatus::Shipped)),
    }
    check_unshipped(order, lines)?;
    events.push(OrderEvent::LinesShipped {
        shipment_id,
        lines: lines.to_vec(),
    });
    let unshipped = order.units(super::LineProgress::unshipped);
    if unshipped == total_units(lines) {
        events.push(OrderEvent::Shipped(order.transition(
            OrderStatus::Processing,
            OrderStatus::Shipped,
            by,
        )));
    }
    Ok(events)
}

/// At least one line, each once.
pub(super) fn check_named_once(lines: &[LineUnits]) -> Result<(), OrderRejection> {
    let field = "lines";
    if lines.is_empty() {
        return Err(OrderRejection::NoLines { field });
    }
    match repeated_line(lines.iter().map(|units| units.line)) {
        Some(line) => Err(OrderRejection::LineRepeated { field, line }),
        None => Ok(()),
    }
}

fn check_unshipped(order: &OrderOnRecord, lines: &[LineUnits]) -> Result<(), OrderRejection> {
    for units in lines {
        let line = order
            .lines
            .get(&units.line)
            .ok_or(OrderRejection::UnknownLine {
                field: "lines",
                line: units.line,
            })?;
        if units.quantity.get() > line.unshipped() {
            return Err(OrderRejection::ShippedBeyondOrdered {
                line: units.line,
                ordered: line.ordered,
                shipped: line.shipped,
                requested: units.quantity.get(),
            });
        }
    }
    Ok(())
}
