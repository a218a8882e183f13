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
    events.push(OrderEvent::LinesShipped { shipment_id, lines: lines.to_vec() });
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
            .ok_or(OrderRejection::UnknownLine { field: "lines", line: units.line })?;
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

#[cfg(test)]
mod tests {
    use super::super::OrderCommand;
    use super::super::fixtures::{by, in_status, lines, moved, shipped_lines};
    use super::*;
    use crate::testing::id;

    fn ship(shipment: u128, of: &[(u32, u32)]) -> OrderCommand {
        OrderCommand::Ship { shipment_id: id(shipment), lines: lines(of), by: by() }
    }

    fn last_left() -> OrderEvent {
        OrderEvent::Shipped(moved(OrderStatus::Processing, OrderStatus::Shipped))
    }

    #[test]
    fn the_last_unit_makes_the_order_shipped() {
        in_status(OrderStatus::Processing)
            .when(ship(11, &[(1, 1)]))
            .then_once([shipped_lines(11, &[(1, 1)])])
            .when(ship(12, &[(2, 1), (1, 1)]))
            .then_once([shipped_lines(12, &[(2, 1), (1, 1)]), last_left()]);
    }

    #[test]
    fn shipping_a_confirmed_order_starts_processing_first() {
        in_status(OrderStatus::Confirmed).when(ship(11, &[(1, 2), (2, 1)])).then_once([
            OrderEvent::ProcessingStarted(moved(OrderStatus::Confirmed, OrderStatus::Processing)),
            shipped_lines(11, &[(1, 2), (2, 1)]),
            last_left(),
        ]);
    }

    #[test]
    fn no_more_leaves_than_was_ordered() {
        let started = in_status(OrderStatus::Processing).and([shipped_lines(11, &[(1, 1)])]);
        assert_eq!(started.state().as_ref().unwrap().remaining_to_ship(1), 1);
        assert_eq!(started.state().as_ref().unwrap().remaining_to_ship(9), 0);
        assert_eq!(started.state().as_ref().unwrap().unshipped(), lines(&[(1, 1), (2, 1)]));
        started.when(ship(12, &[(1, 2)])).then_rejected(OrderRejection::ShippedBeyondOrdered {
            line: 1,
            ordered: 2,
            shipped: 1,
            requested: 2,
        });
    }

    #[test]
    fn a_shipment_leaves_once() {
        let left = in_status(OrderStatus::Processing).and([shipped_lines(11, &[(1, 1), (2, 1)])]);
        left.when(ship(11, &[(2, 1), (1, 1)]))
            .then_nothing()
            .when(ship(11, &[(1, 2)]))
            .then_rejected(OrderRejection::ShipmentDiffers { shipment_id: id(11) });
    }

    #[test]
    fn a_repeat_is_nothing_even_when_the_order_has_moved_on() {
        super::super::fixtures::delivered().when(ship(11, &[(1, 2), (2, 1)])).then_nothing();
    }

    #[test]
    fn lines_are_named_once_and_exist() {
        let order = || in_status(OrderStatus::Processing);
        let field = "lines";
        order().when(ship(11, &[])).then_rejected(OrderRejection::NoLines { field });
        order()
            .when(ship(11, &[(1, 1), (1, 1)]))
            .then_rejected(OrderRejection::LineRepeated { field, line: 1 });
        order()
            .when(ship(11, &[(3, 1)]))
            .then_rejected(OrderRejection::UnknownLine { field, line: 3 });
    }
}
